"""What is withdrawn is found again by id, address, text or value, and the value itself is nowhere in the file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Matcher, Tombstone, load_key, read, read_matcher
from malmoi.erasure.value_digests import Rolling, ValueFinder, digest_value, to_codes
from malmoi.errors import CallError
from malmoi.ledger import digest_of
from malmoi.url_privacy import digest_id
from tests.builders.rows import each_row

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
DAY = "2026-11-24"
PAGE = "https://a.kr/notices/7?no=1"


def stone(kind: str, key: str, **other: str) -> Tombstone:
    return Tombstone(kind, key, DAY, "요청", **other)  # type: ignore[arg-type]


FOUND = {
    "by its id": (stone("id", "a/1"), ("a/1", "", "")),
    "by the id of its hidden page": (stone("id", "a/1"), (digest_id("a/1"), "", "")),
    "by its id where the release hid it": (stone("id", digest_id("a/1")), ("a/1", "", "")),
    "by its address": (stone("url", PAGE), ("a/2", PAGE, "")),
    "below a prefix": (stone("url-prefix", "https://a.kr/notices"), ("a/2", PAGE, "")),
    "below a host": (stone("url-prefix", "https://a.kr/"), ("a/2", PAGE, "")),
    "by its text": (stone("text-sha256", hashlib.sha256("글".encode()).hexdigest()), ("a/2", "", "글")),
    "by a value in its text": (
        stone("value", digest_value("가나다 라마바", KEY)),
        ("a/2", "", "옛날 가나-다라, 마바가"),
    ),
    "by a value in its address": (
        stone("value", digest_value("hong77@a.kr", KEY)),
        ("a/2", "https://b.kr/HONG77@a.kr", ""),
    ),
    "by a value in its id": (stone("value", digest_value("hong77@a.kr", KEY)), ("a/hong77@a.kr", "", "")),
}
NOT_FOUND = {
    "another id": (stone("id", "a/1"), ("a/12", "", "")),
    "another address": (stone("url", PAGE), ("a/2", PAGE + "2", "")),
    "a longer name than the prefix": (stone("url-prefix", "https://a.kr/not"), ("a/2", PAGE, "")),
    "another host": (stone("url-prefix", "https://a.kr/"), ("a/2", "https://a.kr.example/", "")),
    "a part of the value": (stone("value", digest_value("가나다라마바", KEY)), ("a/2", "", "가나다라마")),
    "revoked": (stone("id", "a/1", revoked=DAY), ("a/1", "", "")),
}


@each_row("case", FOUND)
def test_a_document_is_found(case: str) -> None:
    one, document = FOUND[case]
    assert Matcher([stone("id", "x/9"), one], KEY).find(*document) == one


@pytest.mark.parametrize("case", NOT_FOUND)
def test_another_document_is_not_found(case: str) -> None:
    one, document = NOT_FOUND[case]
    assert Matcher([one], KEY).find(*document) is None


def test_an_address_is_found_before_it_is_fetched() -> None:
    matcher = Matcher([stone("url", PAGE), stone("url-prefix", "https://b.kr/u")], KEY)
    assert [bool(matcher.find_by_address(url)) for url in (PAGE, "https://b.kr/u/1", "https://b.kr/up")] == [
        True,
        True,
        False,
    ]


def test_a_value_is_found_wherever_it_begins_and_across_the_pieces_of_a_long_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder = ValueFinder([digest_value("01000001234", KEY), digest_value("홍길동 전주시", KEY)], KEY)
    monkeypatch.setattr("malmoi.erasure.value_digests._SLICE", 16)
    for at in range(40):
        assert finder.find("가" * at + "010-0000-1234" + "나" * (40 - at)) is not None, at
    assert finder.find("가" * 60) is None


def test_few_windows_of_other_texts_have_the_fingerprint() -> None:
    text = to_codes("".join(chr(0xAC00 + (n * n * 31 + n * 7) % 11172) for n in range(200_000)))
    known = Rolling(KEY).list_fingerprints(text, 8)
    (sought,) = Rolling(KEY).list_fingerprints(to_codes("01000001234"), 11).tolist()
    assert len(set(known.tolist())) > 0.97 * len(
        set(zip(*(text[n : len(text) - 7 + n].tolist() for n in range(8)), strict=True))
    )
    assert (known == sought).sum() <= 3


def test_no_part_of_a_value_is_in_the_file_and_another_key_gives_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tombstones.add(path, [stone("value", digest_value("hong77@example.kr", KEY))])
    assert b"hong77" not in path.read_bytes() and b"example" not in path.read_bytes()
    one, other = (digest_value("hong77@example.kr", key).split("-") for key in (KEY, OTHER))
    assert all(a != b for n, (a, b) in enumerate(zip(one, other, strict=True)) if n != 1) and one[1] == other[1]


@pytest.mark.parametrize("value", ["", "12-34", "홍길동", "·····································"])
def test_a_value_that_is_too_short_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(CallError, match="Give at least 6") as refused:
        digest_value(value, KEY)
    assert not value or value not in str(refused.value)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "erasure.key"
    key = load_key(path)
    assert len(key) == 32 and load_key(path) == key and path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["erasure.key"]
    path.write_bytes(key[:31])
    with pytest.raises(CallError, match="31 bytes, not 32; restore it"):
        load_key(path)


def test_values_are_not_forgotten_when_the_key_is_lost_or_changed(tmp_path: Path) -> None:
    path, key = tmp_path / "t.parquet", tmp_path / "erasure.key"
    assert not read_matcher(path, key) and not key.exists()
    tombstones.add(path, [stone("id", "a/1")])
    assert read_matcher(path, key) and not key.exists()
    tombstones.add(path, [stone("value", digest_value("hong77@example.kr", KEY))])
    with pytest.raises(CallError, match=r"erasure\.key is missing"):
        read_matcher(path, key)
    key.write_bytes(OTHER)
    with pytest.raises(CallError, match=r"a value of another erasure\.key"):
        read_matcher(path, key)
    key.write_bytes(KEY)
    assert read_matcher(path, key).find_value("Hong77@Example.KR")


def test_what_is_revoked_stays_in_the_file_and_can_be_withdrawn_again(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tombstones.add(path, [stone("id", "a/1"), stone("url", PAGE)])
    (revoked,) = tombstones.revoke(path, "a/1", "2026-11-25")
    assert revoked == stone("id", "a/1", revoked="2026-11-25") and revoked in read(path)
    assert tombstones.read_ids(path) == []
    with pytest.raises(CallError, match="no tombstone in effect has the key 'a/1'"):
        tombstones.revoke(path, "a/1", "2026-11-26")
    again = Tombstone("id", "a/1", "2026-12-01", "다른 요청")
    assert tombstones.add(path, [again]) == (again,)
    assert [one for one in read(path) if one.kind == "id"] == [revoked, again] and tombstones.read_ids(path) == ["a/1"]


REFUSED = {
    "no reason": (Tombstone("id", "a/1", DAY, " "), "needs a document and a reason"),
    "no day": (Tombstone("id", "a/1", "yesterday", "r"), "'yesterday' is not a date"),
    "an unknown kind": (stone("word", "a"), "'word' is not a kind of tombstone; write one of id, url,"),
    "a short digest": (stone("text-sha256", "ab"), "write 64 hex digits"),
    "a plain value": (stone("value", "hong77@example.kr"), "stored as its keyed digest only"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_says_too_little_is_refused(tmp_path: Path, case: str) -> None:
    one, says = REFUSED[case]
    with pytest.raises(CallError, match=says):
        tombstones.add(tmp_path / "t.parquet", [stone("id", "a/2"), one])
    assert not (tmp_path / "t.parquet").exists()


def test_a_file_that_was_written_before_there_were_kinds_is_read_and_extended(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = [{"id": "a/1", "date": DAY, "reason": "요청", "request": "7"}]
    schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in rows[0]])
    pq.write_table(
        pa.Table.from_pylist(rows, schema.with_metadata({b"sha256": digest_of({"withdrawals": rows}).encode()})), path
    )
    assert read(path) == (stone("id", "a/1", request="7"),)
    tombstones.add(path, [stone("url", PAGE), stone("id", "a/1")])
    assert read(path) == (stone("id", "a/1", request="7"), stone("url", PAGE))
    changed = [{**rows[0], "id": "a/2"}]
    pq.write_table(pa.Table.from_pylist(changed, schema.with_metadata(pq.read_schema(path).metadata)), path)
    with pytest.raises(CallError, match="was changed; restore it"):
        read(path)
