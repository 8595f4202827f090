"""One damaged or odd record costs that record: it is named and counted, and the records around it are read."""

import gzip
import json
import os
import random
import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers import collect as collecting
from crawlers import extract
from crawlers.formats import ParsedItem
from malmoi.archive import capture, collection
from malmoi.archive.capture import Torn
from malmoi.errors import CaptureError, MalmoiError
from malmoi.limits import ARCHIVE_DAMAGED, ARCHIVE_HEAD, ARCHIVE_MEMBER
from malmoi.printable import escape_line
from malmoi.source import Extracted, Item, Source, Warc
from tests.archive.test_capture import WHEN, archive, record
from tests.builders.rows import each_row

CASES = [
    json.loads(line) for line in Path(__file__).parents[1].joinpath("data").joinpath("archive_fields.jsonl").open("rb")
]
# Archives of other tools, where they are at hand.
SAMPLES = Path(os.environ.get("MALMOI_CORPORA") or Path(__file__).parents[3] / "shared/corpora") / "warc-samples"


def plain(number: int, *, url: str = "", when: str = WHEN, kind: str = "response") -> bytes:
    """A record without digests, as other tools write it, with an address and a date of its own."""
    body = f"<p>글 {number}</p>".encode() * 5
    block = body if kind == "resource" else b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    media = "text/html" if kind == "resource" else "application/http; msgtype=response"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Date: {when}\r\n"
        f"WARC-Target-URI: {url or f'https://a.example/{number}'}\r\nContent-Type: {media}\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode("utf-8", "surrogateescape") + block + b"\r\n\r\n"


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """The bytes with one to three of them flipped, cut out, doubled or put in between."""
    found = bytearray(raw)
    for _ in range(rng.randint(1, 3)):
        at, size = rng.randrange(len(found)), rng.randrange(1, 40)
        match rng.randrange(4):
            case 0:
                found[at] ^= 1 << rng.randrange(8)
            case 1:
                del found[at : at + size]
            case 2:
                found[at:at] = found[at : at + size]
            case 3:
                found[at:at] = rng.randbytes(size)
        found = found or bytearray(b"x")
    return bytes(found)


def mutant(parts: list[bytes], pack, rng: random.Random) -> tuple[bytes, int]:
    """An archive in which one record is damaged, before or after it was packed, and the number of that record."""
    number = rng.randrange(len(parts))
    first = rng.random() < 0.5
    packed = [pack(mutated(raw, rng) if first and n == number else raw) for n, raw in enumerate(parts)]
    if not first:
        packed[number] = mutated(packed[number], rng)
    return b"".join(packed), number


def go_through_the_door(path: Path, *, whole: bool) -> set[str]:
    """The addresses whose captures can be read, by every step from the index to the extraction."""
    rows, torn = capture.index(path, str(path))
    assert all(isinstance(one.why, str) and one.describe() == escape_line(one.describe()) for one in torn)
    found = {row.url for row in rows if extract.load_capture(row).body is not None}
    if whole and any(row.status == 200 and row.kind in ("response", "resource") for row in rows):
        home = path.with_name(f"c{len(list(path.parent.iterdir()))}")
        collecting.collect_local(Source("here", "", "", Warc((path,))), collection.open_run(home), [])
        for _, standing in collection.select_current(collection.runs(home)):
            found |= {extract.load_capture(row).url for row in standing}
    return found


def check_mutants(folder: Path, count: int, seed: int) -> None:
    rng = random.Random(seed)
    parts = [plain(number) for number in range(5)]
    others = [gzip.decompress(record(number, bytes(range(256)))) for number in range(5)]
    urls = [f"https://a.example/{number}" for number in range(5)]
    for turn in range(count):
        pack = rng.choice([bytes, gzip.compress])
        raw, number = mutant(rng.choice([parts, others]), pack, rng)
        path = folder / f"m{turn % 50}.warc{'.gz' if pack is gzip.compress else ''}"
        path.write_bytes(raw)
        found = go_through_the_door(path, whole=turn % 20 == 0)
        lost = {url for n, url in enumerate(urls) if n != number and url not in found}
        assert not lost, f"seed {seed}, turn {turn}: {lost} lost to a damaged record {number}"


@pytest.mark.heavy
def test_a_thousand_mutants_cost_the_damaged_record_only(tmp_path):
    check_mutants(tmp_path, 1000, seed=20261127)


@pytest.mark.soak
def test_fifty_thousand_mutants_cost_the_damaged_record_only(tmp_path):
    for seed in range(10):
        check_mutants(tmp_path, 5000, seed)


@pytest.mark.soak
def test_mutants_of_archives_of_other_tools_raise_nothing_but_verdicts(tmp_path):
    files = [p for p in SAMPLES.rglob("*") if p.is_file() and ".warc" in p.name and p.stat().st_size < 120_000]
    if not files:
        pytest.skip(f"no archives below {SAMPLES}")
    rng = random.Random(7)
    for turn in range(5000):
        path = tmp_path / "m.warc"
        path.write_bytes(mutated(rng.choice(files).read_bytes(), rng))
        try:
            go_through_the_door(path, whole=turn % 20 == 0)
        except MalmoiError as error:
            assert path.name in str(error) or "here" in str(error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['why']}")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_address_or_a_date_that_is_none_makes_a_failed_record(tmp_path, case, pack):
    odd = plain(1, url=case.get("url", ""), when=case.get("date", WHEN), kind=case.get("kind", "response"))
    path = archive(tmp_path / "a.warc", *map(pack, (plain(0), odd, plain(2))))
    home = tmp_path / "c"
    counts = collecting.collect_local(Source("here", "", "", Warc((path,))), collection.open_run(home), [])
    (run,) = collection.runs(home)
    assert {row.url for row in run.rows} >= {"https://a.example/0", "https://a.example/2"}
    if case["fault"]:
        assert counts["torn"] == 1 and case["fault"] in run.facts["torn_records"][0] and len(run.rows) == 2
    else:
        assert counts["torn"] == 0 and len(run.rows) == 3
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", row.fetched) for row in run.rows)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("size", [20_000, 33_000, 100_000, ARCHIVE_HEAD.value - 200])
@pytest.mark.parametrize("lines", [1, 100])
def test_headers_are_read_up_to_the_limit(tmp_path, pack, size, lines):
    headers = [(f"X-{n}", "a" * (size // lines - 10)) for n in range(lines)]
    big = gzip.decompress(record(1, b"<p>x</p>", ("Content-Type", "text/html"), *headers))
    path = archive(tmp_path / "a.warc", *map(pack, (plain(0), big, plain(2))))
    rows, torn = capture.index(path, str(path))
    assert [row.url[-1] for row in rows] == list("012") and not torn
    assert extract.load_capture(rows[1]).body == b"<p>x</p>" * 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_headers_beyond_the_limit_are_lost_and_counted_with_the_limit(tmp_path, pack):
    big = gzip.decompress(record(1, b"<p>x</p>", ("X", "a" * (ARCHIVE_HEAD.value + 9000))))
    path = archive(tmp_path / "a.warc", *map(pack, (plain(0), big, plain(2))))
    rows, torn = capture.index(path, str(path))
    assert [row.url[-1] for row in rows] == list("02")
    assert ["limit archive_head: 256 KiB" in one.why for one in torn] == [True]


class PanicException(BaseException):
    """As compiled Rust raises it."""


ODD = [LookupError, ValueError, RecursionError, AttributeError, MemoryError, UnicodeError, PanicException]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("where", ["ArchiveIterator", "_capture", "_decode_content", "is_intact"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_whatever_the_reader_raises_about_a_record_costs_that_record(tmp_path, monkeypatch, odd, where, pack):
    inner = getattr(capture, where)
    calls = []

    def broken(*given, **named):
        calls.append(1)
        if len(calls) == 2:
            raise odd("x")
        return inner(*given, **named)

    monkeypatch.setattr(capture, where, broken)
    path = archive(tmp_path / "a.warc", *(pack(plain(number)) for number in range(4)))
    rows, torn = capture.index(path, str(path))
    assert [row.url[-1] for row in rows] == list("023")
    assert [one.why for one in torn] == [f"unreadable: {odd.__name__}"]
    assert len({extract.load_capture(row).body for row in rows}) == 3


def test_a_record_of_one_name_with_another_payload_is_told_apart_by_its_digest(tmp_path):
    twice = [plain(1), plain(1, url="https://a.example/2").replace("글 1".encode(), "글 2".encode())]
    path = archive(tmp_path / "a.warc.gz", gzip.compress(b"".join(twice)))
    rows, _ = capture.index(path, str(path))
    assert [extract.load_capture(row).body.decode()[:8] for row in rows] == ["<p>글 1</", "<p>글 2</"]


def test_an_archive_that_was_changed_is_named_and_the_remedy_works(tmp_path):
    path = archive(tmp_path / "a.warc", plain(0), plain(1))
    home = tmp_path / "c"
    where = Source("here", "", "", Warc((path,)))
    collecting.collect_local(where, collection.open_run(home), [])
    ((_, (row, _)),) = collection.select_current(collection.runs(home))
    path.write_bytes(path.read_bytes().replace("글 0".encode(), "글 7".encode()))
    with pytest.raises(CaptureError, match=r"changed or damaged since.*delete the run folders"):
        extract.load_capture(row)
    for run in collection.runs(home):
        for file in run.folder.iterdir():
            file.unlink()
        run.folder.rmdir()
    collecting.collect_local(where, collection.open_run(home), [])
    ((_, (row, _)),) = collection.select_current(collection.runs(home))
    assert "글 7" in extract.load_capture(row).body.decode()


def test_a_file_that_is_no_archive_is_named_and_one_whose_first_record_is_damaged_is_read(tmp_path):
    spoilt = b"XXXX" + plain(0)[4:]
    path = archive(tmp_path / "a.warc", spoilt, plain(1))
    first, second = capture.scan(path)
    assert isinstance(first, Torn) and not isinstance(second, Torn)
    with pytest.raises(CaptureError, match="not a WARC file"):
        capture.index(archive(tmp_path / "b.warc", spoilt), "b")


@each_row(
    ("date", "published"),
    [
        ("2026-08-30", "2026-08-30"),
        ("1948", "1948"),
        ("2026-08-30T04:05:06Z", "2026-08-30T04:05:06Z"),
        ("<b>zz</b>", ""),
        ("2026-13-01", ""),
        ("0001-01-01", ""),
        ("2026-08-30\x1b[2J", ""),
        ("2026-08-30T<script>", ""),
        ("어제", ""),
    ],
)
@each_row("where", ["text", "item"])
def test_a_date_of_a_document_that_is_none_is_unknown(date, published, where):
    item = Item("k", "https://a.example/1", b"", "text/html", "", "r", date=date if where == "item" else "")
    found = Extracted("글", date=date if where == "text" else "")
    page = capture.Capture("r", "https://a.example/1", WHEN, 200, (), b"", "here")
    outcome = extract.make_document(page, "", ParsedItem(item), found, lambda _: ((), ()))
    assert outcome.document.date == published


@pytest.mark.parametrize("spoilt", ["http://[x](y)/", "", "length"])
def test_an_archive_compressed_as_one_stream_loses_its_odd_record_only(tmp_path, monkeypatch, spoilt):
    small = replace(ARCHIVE_MEMBER, value=1000)  # as if the archive were larger than one member may be
    monkeypatch.setattr("malmoi.archive.record_boundaries.ARCHIVE_MEMBER", small)
    odd = plain(1, url=spoilt) if spoilt.startswith("http") else plain(1)
    odd = odd.replace(b"Content-Length: ", b"Content-Length: 9") if spoilt == "length" else odd
    path = archive(tmp_path / "a.warc.gz", gzip.compress(b"".join([plain(0), odd, *map(plain, range(2, 9))])))
    rows, torn = capture.index(path, str(path))
    assert [row.url[-1] for row in rows] == [n for n in "012345678" if n != "1" or not spoilt]
    assert len(torn) == bool(spoilt) and len({extract.load_capture(row).body for row in rows}) == len(rows)


def test_too_many_damaged_records_are_a_sentence_and_its_advice_helps(tmp_path, monkeypatch):
    monkeypatch.setattr(capture, "ARCHIVE_DAMAGED", replace(ARCHIVE_DAMAGED, value=10))
    bad, good = tmp_path / "bad.warc", archive(tmp_path / "good.warc", plain(0))
    archive(bad, *(plain(n, when="never") for n in range(20)))
    with pytest.raises(CaptureError, match=r"limit archive_damaged: 10; get a new copy of the archive, or remove it"):
        capture.index(bad, "bad")
    counts = collecting.collect_local(Source("here", "", "", Warc((good,))), collection.open_run(tmp_path / "c"), [])
    assert (counts["found"], counts["torn"]) == (1, 0)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("how", ["cut", "flip"])
@pytest.mark.parametrize("large", [False, True])
def test_a_stream_that_is_damaged_gives_what_stands_before_the_damage(tmp_path, monkeypatch, cut, how, large):
    if large:  # read as a stream, which loses up to two buffers of 8 KiB before the damage
        monkeypatch.setattr("malmoi.archive.record_boundaries.ARCHIVE_MEMBER", replace(ARCHIVE_MEMBER, value=5000))
    rng = random.Random(3)
    bodies = [rng.randbytes(800) for _ in range(30)]
    whole = gzip.compress(b"".join(gzip.decompress(record(0, body, ("X", str(n)))) for n, body in enumerate(bodies)))
    at = int(len(whole) * cut)
    path = archive(tmp_path / "a.warc.gz", whole[:at] + (b"" if how == "cut" else bytes(40) + whole[at + 40 :]))
    rows, torn = capture.index(path, str(path))
    assert len(rows) >= int(30 * cut) - (14 if large else 2) and torn
    assert all(extract.load_capture(row).body in bodies for row in rows)


@pytest.mark.parametrize("odd", ODD)
def test_whatever_a_decompressor_raises_costs_the_member_it_was_given(tmp_path, monkeypatch, odd):
    path = archive(tmp_path / "a.warc.gz", *(gzip.compress(plain(number)) for number in range(4)))
    inner, calls = zlib.decompressobj, []

    def broken(*given):
        calls.append(1)
        if len(calls) == 3:  # the first looks what kind of archive this is
            raise odd("x")
        return inner(*given)

    monkeypatch.setattr("malmoi.archive.record_boundaries.zlib.decompressobj", broken)
    rows, torn = capture.index(path, str(path))
    assert [row.url[-1] for row in rows] == list("023") and [one.why for one in torn] == [f"damaged: {odd.__name__}"]
