"""The file of decisions: each line is valid by itself, nothing is lost, and nothing in it changes."""

import json
import threading
from dataclasses import asdict, replace

import pytest

from malmoi.errors import CallError
from malmoi.licensing import review_file
from malmoi.licensing.review_decisions import Decision
from malmoi.licensing.review_file import append, make_id, parse_lines, read, refuse_incomplete, revoke
from tests.builders.rows import each_row

ONE = Decision(
    "item-bcdfghjk", "grant", "item", "own/1", "own", "CC-BY-4.0", "Kim", "2026-11-24", "the page says so"
)  # fmt: skip
SHAPE = replace(ONE, id="shape-bcdfghjk", target="shape", value="own | no-proof | link | a | CC-BY-4.0")
PLACES = replace(ONE, id="addresses-bcdfghjk", target="addresses", value="https://own.example/b/")


def line(one: Decision, **changed: object) -> bytes:
    return json.dumps(asdict(one) | changed).encode() + b"\n"


def test_what_is_appended_is_read_in_order(tmp_path):
    path = tmp_path / "reviews.jsonl"
    assert read(path) == ()
    assert append(path, [ONE]) == (ONE,)
    assert append(path, [ONE, SHAPE]) == (SHAPE,)
    assert read(path) == (ONE, SHAPE)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_revocation_is_a_line_and_the_first_one_counts(tmp_path):
    path = tmp_path / "reviews.jsonl"
    append(path, [ONE])
    gone = revoke(path, ONE.id, "2026-11-25", "Lee", "misread")
    assert (gone.revoked, gone.revoked_by, gone.revoked_reason) == ("2026-11-25", "Lee", "misread")
    assert read(path) == (gone,)
    with pytest.raises(CallError, match="no decision in effect"):
        revoke(path, ONE.id, "2026-11-26", "Kim", "again")
    assert append(path, [ONE]) == ()  # an older copy does not bring it back
    assert append(path, [replace(gone, revoked="2026-11-27")]) == ()
    assert read(path) == (gone,)


def test_another_decision_with_a_known_id_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "reviews.jsonl"
    append(path, [ONE])
    before = path.read_bytes()
    with pytest.raises(CallError, match="another decision"):
        append(path, [SHAPE, replace(ONE, licence="CC0-1.0")])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "line 2"),
        (b"[]\n", "not a JSON object of strings"),
        (line(ONE, date=5), "not a JSON object of strings"),
        (line(ONE, colour="red"), "unknown field 'colour'"),
        (b'{"id": "item-bcdfghjk"}\n', "no field 'date'"),
        (line(ONE)[:40], "line 2"),  # torn by a power cut
        (b"\xff\xfe\n", "line 2"),
        (b"[" * 100_000 + b"\n", "line 2"),
        (line(ONE, licence="CC-BY-NC-4.0"), "licence is not an id of the table that permits a use"),
        (line(ONE, licence="MIT OR CC0-1.0"), "licence is not an id"),
        (line(SHAPE, licence="CC0-1.0"), "the evidence of the shape does not name this licence"),
    ],
)
def test_a_bad_line_is_named(tmp_path, content, says):
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(line(PLACES) + content)
    with pytest.raises(CallError, match=says) as error:
        read(path)
    assert "reviews.jsonl" in str(error.value) and "copy" in str(error.value)
    before = path.read_bytes()
    with pytest.raises(CallError):
        append(path, [replace(ONE, id="item-zzzzzzzz")])
    assert path.read_bytes() == before


def test_an_expression_that_an_earlier_version_took_is_named_and_can_be_revoked(tmp_path):
    path = tmp_path / "reviews.jsonl"
    old = replace(PLACES, value="^https://(?!b)")
    path.write_bytes(line(old))
    with pytest.raises(CallError, match=rf"decision '{old.id}' cannot be applied.*malmoi review revoke {old.id}"):
        read(path)
    revoke(path, old.id, "2026-11-25", "Lee", "look ahead")
    append(path, [ONE])
    assert [one.id for one in read(path) if not one.revoked] == [ONE.id]


@pytest.mark.parametrize("one", [ONE, SHAPE, PLACES, replace(ONE, verdict="deny", licence="")])
def test_a_decision_that_is_repeated_is_one_until_it_is_revoked(one, tmp_path):
    path = tmp_path / "reviews.jsonl"
    later = replace(one, id=make_id(one.target), date="2026-11-25")
    other = replace(later, id=make_id(one.target), reviewer="Lee")
    assert append(path, [one, later]) == (one,)
    assert append(path, [later, other]) == (other,)
    revoke(path, one.id, "2026-11-26", "Lee", "misread")
    assert [one for one in read(path) if not one.revoked] == [other]
    assert append(path, [later]) == (later,)  # decided again after the revocation


def test_repeats_that_earlier_versions_wrote_are_revoked_together(tmp_path):
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(line(ONE) + line(ONE, id="item-zzzzzzzz", date="2026-11-25"))
    assert revoke(path, "item-zzzzzzzz", "2026-11-26", "Lee", "misread").id == "item-zzzzzzzz"
    assert [one.id for one in read(path) if not one.revoked] == []


def test_two_decisions_with_one_id_in_the_file_are_an_error(tmp_path):
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(line(ONE) + line(ONE, reason="other words"))
    with pytest.raises(CallError, match="two different decisions"):
        read(path)


@each_row(
    ("one", "says"),
    [
        (replace(ONE, id="7"), "id is not"),
        (replace(ONE, id="shape-bcdfghjk"), "id does not begin with its target"),
        (replace(ONE, verdict="allow"), "neither grant nor deny nor clear"),  # type: ignore[arg-type]
        (replace(ONE, reviewer=" "), "needed"),
        (replace(ONE, reason=""), "needed"),
        (replace(ONE, reason="a" * 301), "more than 300"),
        (replace(ONE, reviewer="Kim\x1b[2J"), "control character"),
        (replace(ONE, reason="a\nb"), "control character"),
        (replace(ONE, date="24.11.2026"), "not a day"),
        (replace(ONE, revoked="2026-11-25"), "go together"),
        (replace(ONE, verdict="deny"), "a denial names a licence"),
        (replace(ONE, licence=""), "licence is not an id"),
        (replace(ONE, licence="LicenseRef-CA-Art24-2"), "licence is not an id"),
        (replace(ONE, value="other/1"), "not the id of a document of its source"),
        (replace(SHAPE, value="own | no-proof | link | a"), "not the key of a shape"),
        (replace(SHAPE, source="other"), "not the key of a shape"),
        (replace(PLACES, value="https://own.example"), "neither a prefix with host"),
        (replace(PLACES, value="own.example/b"), "neither a prefix with host"),
        (replace(PLACES, value="^"), "matches every address"),
        (replace(PLACES, value="^.*"), "matches every address"),
        (replace(PLACES, value="^https://(a"), "not a regular expression"),
        (replace(PLACES, value="^https://(?!b)"), "no lookaround"),
        (replace(PLACES, value="^" + "a" * 300), "more than 300"),
    ],
)
def test_an_invalid_decision_says_what_is_wrong(one, says):
    with pytest.raises(CallError, match=says) as error:
        refuse_incomplete(one)
    assert "Nothing was written" in str(error.value)


@pytest.mark.parametrize("one", [ONE, SHAPE, PLACES, replace(ONE, verdict="deny", licence="")])
def test_a_valid_decision_survives_its_line(one, tmp_path):
    refuse_incomplete(one)
    assert parse_lines(tmp_path, line(one)) == [one]


def test_a_last_line_without_its_end_is_ended_before_the_next(tmp_path):
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(line(ONE).rstrip(b"\n"))
    append(path, [SHAPE])
    assert read(path) == (ONE, SHAPE)


def test_appends_at_the_same_time_are_all_kept(tmp_path):
    path = tmp_path / "reviews.jsonl"
    made = [replace(ONE, id=make_id("item"), value=f"own/{n}") for n in range(40)]
    threads = [threading.Thread(target=append, args=(path, made[n::4])) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(read(path), key=lambda one: one.id) == sorted(made, key=lambda one: one.id)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "reviews.jsonl"
    append(path, [ONE])
    before, write = path.read_bytes(), review_file.os.write

    def half(handle: int, content: bytes) -> int:
        if len(content) < 60:
            raise OSError(28, "No space left on device")
        return write(handle, content[: len(content) // 2])

    monkeypatch.setattr(review_file.os, "write", half)
    with pytest.raises(OSError, match="No space"):
        append(path, [SHAPE])
    assert path.read_bytes() == before
