"""Archives are read as they are in the world: torn, bent, compressed, and sometimes not archives at all."""

import gzip
import re
import zlib
from pathlib import Path

import pytest

from malmoi.archive import capture
from malmoi.archive.capture import Torn
from malmoi.errors import CaptureError

WHEN = "2026-01-02T03:04:05Z"


def record(number: int, body: bytes = b"<p>\xea\xb0\x80</p>", *headers: tuple[str, str]) -> bytes:
    head = headers or (("Content-Type", "text/html"),)
    return capture.warc_record(f"https://a.example/{number}", WHEN, 200, head, body * (number + 1))


def archive(path: Path, *records: bytes) -> Path:
    path.write_bytes(b"".join(records))
    return path


def test_what_was_written_is_read_back_by_offset(tmp_path):
    path = archive(tmp_path / "a.warc.gz", *(record(i) for i in range(5)))
    rows, torn = capture.index(path, "a.warc.gz")
    assert [r.url[-1] for r in rows] == list("01234") and not torn
    for row in rows:
        found = capture.read(path, row.offset, row.record)
        assert (found.url, found.status, found.fetched) == (row.url, 200, WHEN)
        assert found.record == capture.record_id(found.url, found.body)


def test_equal_arguments_give_equal_bytes():
    assert record(1) == record(1)


def test_an_archive_cut_off_loses_its_last_record_and_says_so(tmp_path):
    whole = b"".join(record(i, b"x" * 900) for i in range(4))
    rows, torn = capture.index(archive(tmp_path / "a.warc.gz", whole[:-40]), "a")
    assert len(rows) + len(torn) == 4 and len(torn) == 1


def test_a_flipped_byte_costs_its_record_and_not_those_behind_it(tmp_path):
    parts = [record(i, bytes(range(256))) for i in range(6)]
    broken = bytearray(parts[2])
    broken[len(broken) // 2] ^= 0xFF
    rows, torn = capture.index(archive(tmp_path / "a.warc.gz", *parts[:2], bytes(broken), *parts[3:]), "a")
    assert torn and {r.url[-1] for r in rows} >= set("01345")


def test_an_archive_compressed_as_one_stream_is_read_all_the_same(tmp_path):
    plain = b"".join(gzip.decompress(record(i)) for i in range(3))
    path = archive(tmp_path / "a.warc.gz", gzip.compress(plain))
    rows, _ = capture.index(path, "a")
    assert [capture.read(path, r.offset, r.record).url for r in rows] == [r.url for r in rows]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no record"),
        (b"%PDF-1.7 and so on", "not a WARC file"),
        (b"filedesc://x 0.0.0.0 1 text/plain 1\n", "ARC file"),
        (gzip.compress(b"filedesc://x 0.0.0.0 1 text/plain 1\n", mtime=0), "ARC file"),
    ],
)
def test_what_is_no_archive_is_refused_with_what_to_do(tmp_path, content, says):
    with pytest.raises(CaptureError, match=says):
        capture.index(archive(tmp_path / "a.warc", content), "a")


def test_a_payload_under_gzip_is_undone_and_a_bomb_is_not(tmp_path):
    coded = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    good = capture.warc_record("https://a.example/g", WHEN, 200, coded, gzip.compress(b"<p>good</p>"))
    bomb = capture.warc_record("https://a.example/b", WHEN, 200, coded, gzip.compress(b"0" * 50_000_000))
    bare = zlib.compressobj(wbits=-15)
    raw = bare.compress(b"<p>bare</p>") + bare.flush()
    deflated = (("Content-Encoding", "deflate"),)
    third = capture.warc_record("https://a.example/d", WHEN, 200, deflated, raw)
    entries = list(capture.scan(archive(tmp_path / "a.warc.gz", good, bomb, third)))
    bodies = [e if isinstance(e, Torn) else e[2].body for e in entries]
    assert bodies[0] == b"<p>good</p>" and bodies[2] == b"<p>bare</p>"
    assert isinstance(bodies[1], Torn) and "grows beyond" in bodies[1].why


def test_a_cut_payload_is_torn_and_one_under_a_stale_header_is_taken_as_it_is(tmp_path):
    coded = (("Content-Encoding", "gzip"),)
    cut = capture.warc_record("https://a.example/c", WHEN, 200, coded, gzip.compress(b"a page " * 99)[:-20])
    stale = capture.warc_record("https://a.example/s", WHEN, 200, coded, b'{\n  "k": 1}')
    twice = capture.warc_record("https://a.example/t", WHEN, 200, coded, gzip.compress(b"one ") + gzip.compress(b"two"))
    first, second, third = capture.scan(archive(tmp_path / "a.warc.gz", cut, stale, twice))
    assert isinstance(first, Torn) and "cut off" in first.why
    assert not isinstance(second, Torn) and second[2].body == b'{\n  "k": 1}'
    assert not isinstance(third, Torn) and third[2].body == b"one two"


def test_damage_far_from_the_next_record_is_passed_over(tmp_path):
    noise = bytes((i * 37 + 11) % 256 for i in range(3 << 20))
    rows, torn = capture.index(archive(tmp_path / "a.warc.gz", record(0), noise, record(1)), "a")
    assert [r.url[-1] for r in rows] == ["0", "1"] and torn


@pytest.mark.parametrize("keep", [5, 50, 150, 200, 220, 240, 300])
def test_an_archive_cut_anywhere_says_that_it_is_cut(tmp_path, keep):
    whole, last = record(0), record(1, bytes(range(256)))
    entries = list(capture.scan(archive(tmp_path / "a.warc.gz", whole, last[:keep])))
    assert [isinstance(e, Torn) for e in entries] == [False, True]


def test_a_payload_that_its_crawler_cut_short_is_torn(tmp_path):
    whole = gzip.decompress(record(0)).replace(b"WARC-Date", b"WARC-Truncated: length\r\nWARC-Date")
    (entry,) = capture.scan(archive(tmp_path / "a.warc", whole))
    assert isinstance(entry, Torn) and "truncated by its crawler" in entry.why


def test_two_damaged_records_cost_two_records(tmp_path):
    parts = [bytearray(record(i, bytes(range(256)))) for i in range(20)]
    for number in (4, 11):
        parts[number][len(parts[number]) // 2] ^= 4
    rows, torn = capture.index(archive(tmp_path / "a.warc.gz", *map(bytes, parts)), "a")
    assert (len(rows), len(torn)) == (18, 2)


def test_a_plain_archive_is_read_past_a_spoiled_length(tmp_path):
    parts = [gzip.decompress(record(i)) for i in range(6)]
    parts[0] = re.sub(rb"Content-Length: (\d+)\r\n\r\nHTTP", rb"Content-Length: 7\r\n\r\nHTTP", parts[0])
    rows, torn = capture.index(archive(tmp_path / "a.warc", *parts), "a")
    assert {r.url[-1] for r in rows} >= set("12345") and torn
