"""Finds that quarantine a document are listed with masked context; a person clears a false alarm."""

from __future__ import annotations

import io
import json
import random
import shutil
import string
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import data_cards
from flows.cli.main import app, run_guarded
from flows.release import QUARANTINED, describe_quarantine
from flows.review import decisions
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from malmoi.licensing.review_decisions import evidence_of
from malmoi.licensing.review_file import parse_lines
from malmoi.releases import cleared_finds, excluded_documents, residue
from malmoi.releases.excluded_documents import AROUND, mask_context, mask_value
from malmoi.releases.residue.digit_chains import Span
from malmoi.releases.residue.random_words import SHAPES, find_shape
from malmoi.releases.verification.verify import verify
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_papers import PAPERS, run, written
from tests.personal_data.test_pii_proof import FOUND
from tests.personal_data.test_placeholders import SHAPES as KEYS
from tests.releases.test_verify import checked, edited, forged

PLACEHOLDER, BLOCK = "NHNKCP-PG-KEY-2", "파일의 첫 줄은 -----BEGIN PRIVATE KEY----- 이다."
LINE = "설정 파일에 api_key={} 라고 적고 010-0000-1234로 알린다."
BY = ("--reviewer", "Kim", "--reason", "placeholder of a tutorial, no secret")
SHAPE = "papers | key | capitals"


def call(*words: str) -> tuple[int, str]:
    shown = io.StringIO()
    with redirect_stdout(shown):
        status = run_guarded(lambda: app(words, exit_on_error=False, print_error=False, result_action="return_value"))
    return status, shown.getvalue()


def tell(source: str, **said: str) -> None:
    """Put a sentence behind these papers."""
    folder = Path(source).parent / "papers"
    for name, words in said.items():
        (folder / f"{name.removeprefix('p')}.txt").write_text(f"{PAPERS[name.removeprefix('p')]}\n{words}\n", "utf-8")


def published(folder: Path) -> set[str]:
    return {id for path in folder.glob("data/**/*.parquet") for id in pq.read_table(path)["id"].to_pylist()}


def cleared(folder: Path) -> list[dict]:
    return list(pq.read_table(folder / cleared_finds.TABLE).to_pylist())


def make_two(root: Path) -> tuple[str, str, Path]:
    """A source of two papers, one with a placeholder that the second detector takes for a key."""
    source, recipe = written(root, {name: PAPERS[name] for name in ("02", "13")})
    tell(source, p02=LINE.format(PLACEHOLDER))
    return source, recipe, root / "w"


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str, Path]:
    return make_two(tmp_path)


# The list -----------------------------------------------------------------------------------------------------------


def test_the_list_has_each_find_with_masked_context_and_no_value(two: tuple[str, str, Path]) -> None:
    home, *_ = run(*two)
    (row,) = excluded_documents.read_list(home.quarantine("papers"))
    assert row | {"context": "", "digest": ""} == {
        "id": "papers/02.txt", "source": "papers", "table": "data", "column": "text", "kind": "key",
        "shape": "capitals", "count": 1, "context": "", "digest": "",
    }  # fmt: skip
    assert "api_key=⟦AAAAAA-AA-AAA-0⟧ 라고 적고 [전화번호1]로" in row["context"]
    for path in (p for p in home.root.rglob("*") if p.is_file() and p.suffix in (".jsonl", ".html", ".json", ".md")):
        if ".parts" not in path.parts:
            assert PLACEHOLDER not in path.read_text("utf-8"), path


@each_row(("text", "kind"), [case for case in FOUND if case[1] != "birth_date"])
def test_a_masked_context_shows_no_value(text: str, kind: str) -> None:
    before = "먼저 kim@malmoi-a.kr 또는 010-0000-4321로 묻는다. "
    for span in residue.find_spans(text):
        moved = Span(kind, span.start + len(before), span.end + len(before))
        context = mask_context(f"{before}{text} 그리고 010-0000-9876", moved)
        value = text[span.start : span.end]
        assert mask_value(value) in context or not value.isprintable()
        assert value not in context or value == mask_value(value)
        assert not {"kim@malmoi-a.kr", "010-0000-4321", "010-0000-9876"} & set(context.split())


def test_a_context_is_cut_after_other_values_were_masked() -> None:
    text = "가" * 30 + " 010-0000-1234 " + "나" * 30 + "KEY" + "다" * 34 + " 010-0000-5678"
    at = text.index("KEY")
    context = mask_context(text, Span("key", at, at + 3))
    assert "1234" not in context and "567" not in context and len(context) <= 2 * AROUND + 5


# Decisions ----------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_cleared_shape_enters_at_the_next_run_and_leaves_when_it_is_revoked(two: tuple[str, str, Path]) -> None:
    _, _, _, first = run(*two)
    assert first.documents == 1
    w = ("--workspace", str(two[2]))
    status, shown = call("review", "finds", *w)
    assert status == 0 and f"1. {SHAPE}: 1 find in 1 document\n" in shown and PLACEHOLDER not in shown
    (group,) = map(json.loads, call("review", "finds", "--json", *w)[1].splitlines())
    assert (group["shape"], group["finds"][0]["id"]) == (SHAPE, "papers/02.txt")
    status, shown = call("review", "clear", SHAPE, *BY, *w)
    assert status == 0 and "1 find cleared. The next run" in shown
    assert "0 documents quarantined" in call("review", "finds", *w)[1]
    *_, second = run(*two)
    assert (second.documents, second.notes) == (2, ())
    assert verify(second.folder, render=data_cards.render_card) == []
    (row,) = [row for row in cleared(second.folder) if row["place"] == "data"]
    decision = parse_lines(two[2], (two[2] / "reviews.jsonl").read_bytes())[0]
    assert row == {
        "id": "papers/02.txt", "place": "data", "field": "text", "kind": "key", "shape": "capitals",
        "decision": decision.id, "reviewer": "Kim", "date": decision.date, "reason": BY[3], "n": 1,
    }  # fmt: skip
    card = json.loads((second.folder / "card.json").read_text("utf-8"))
    assert card["numbers"]["cleared_finds"]["value"] == card["numbers"]["cleared_documents"]["value"] == 1
    said = [decision.id, "shape", "key", "capitals", "Kim", decision.date, BY[3], 1, 1]
    assert card["tables"]["cleared_finds"]["rows"] == [said]
    assert BY[3] in (second.folder / "README.md").read_text("utf-8")
    *_, again = run(*two)
    assert not again.new and again.root == second.root
    assert call("review", "revoke", decision.id, "--reviewer", "Lee", "--reason", "it is a key", *w)[0] == 0
    *_, third = run(*two)
    assert published(third.folder) == {"papers/13.txt"} and cleared(third.folder) == []


def test_a_cleared_document_stays_until_its_text_changes(two: tuple[str, str, Path]) -> None:
    source, _, root = two
    tell(source, p02=BLOCK)
    run(*two)
    home = Workspace.open(root)
    (row,) = excluded_documents.read_list(home.quarantine("papers"))
    assert row["shape"] == ""
    w = ("--workspace", str(root))
    assert "cleared by document only" in call("review", "finds", *w)[1]
    assert call("review", "clear", "papers/02.txt", *BY, *w)[0] == 0
    *_, second = run(*two)
    assert published(second.folder) == {"papers/02.txt", "papers/13.txt"} and checked(second.folder) == []
    card = json.loads((second.folder / "card.json").read_text("utf-8"))
    assert [row[1:4] for row in card["tables"]["cleared_finds"]["rows"]] == [["item", "key", ""]]
    tell(source, p02=f"{BLOCK} 둘째 판")
    *_, third = run(*two)
    assert published(third.folder) == {"papers/13.txt"}


def test_a_shape_clears_no_other_find_of_the_document(two: tuple[str, str, Path]) -> None:
    tell(two[0], p02=f"{LINE.format(PLACEHOLDER)} {BLOCK}")
    run(*two)
    assert call("review", "clear", SHAPE, *BY, "--workspace", str(two[2]))[0] == 0
    home, *_, made = run(*two)
    assert published(made.folder) == {"papers/13.txt"} and cleared(made.folder) == []
    listed = {(row["kind"], row["shape"]) for row in excluded_documents.read_list(home.quarantine("papers"))}
    assert listed == {("key", ""), ("key", "capitals")}
    assert [group.key for group in decisions.read_finds(home)] == ["papers | key | -"]


REFUSED = {  # target → part of the message
    "papers | key | hidden": "no find of the second detector",
    "papers | key | -": "no find of the second detector",
    "papers/13.txt": "no find of the second detector",
    "other | key | capitals": "no find of the second detector",
}


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("target", REFUSED)
def test_what_the_list_does_not_have_cannot_be_cleared(two: tuple[str, str, Path], target: str) -> None:
    home, *_ = run(*two)
    with pytest.raises(CallError, match=REFUSED[target]):
        decisions.clear_target(home, target, decisions.Reviewer("Kim", "read"))
    assert not home.reviews.exists()


def test_a_reason_with_a_find_is_refused(two: tuple[str, str, Path]) -> None:
    home, *_ = run(*two)
    with pytest.raises(CallError, match="without the value"):
        decisions.clear_target(home, SHAPE, decisions.Reviewer("Kim", f"api_key={PLACEHOLDER} is a placeholder"))


def test_a_find_in_an_id_is_not_cleared(two: tuple[str, str, Path], tmp_path: Path) -> None:
    home, *_ = run(*two)
    place = home.quarantine("papers")
    rows = [json.loads(line) | {"table": "card", "column": "id"} for line in place.read_text("utf-8").splitlines()]
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with pytest.raises(CallError, match="cannot be cleared"):
        decisions.clear_target(home, "papers/02.txt", decisions.Reviewer("Kim", "read"))


@pytest.mark.heavy
def test_decisions_about_finds_are_no_rights(two: tuple[str, str, Path]) -> None:
    home, *_ = run(*two)
    made, _ = decisions.clear_target(home, "papers/02.txt", decisions.Reviewer("Kim", "read"))
    assert evidence_of(made, Document("papers/02.txt", "", Provenance("papers", "", "", "", ""))) == ()
    _, _, curated, _ = run(*two)
    assert {ledger.key for ledger in curated.ledgers("3-clean")} == {
        path.name for path in home.shards("3-clean")
    }  # no shard was filtered again


# Exit status and recipes --------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_quarantined_document_is_said_and_is_no_failure(two: tuple[str, str, Path]) -> None:
    source, recipe, root = two
    args = ("run", recipe, "--source", source, "--workspace", str(root), "--workers", "1")
    for _ in range(2):  # the second time nothing is new
        status, said = call(*args)
        assert status == 0 and "quarantined: 1 document (key in 1), not in the release" in said
        assert "malmoi review finds" in said and PLACEHOLDER not in said
    layout = Workspace.open(root)
    assert "(key in 1)" in describe_quarantine(layout, "papers")
    assert call("review", "clear", SHAPE, *BY, "--workspace", str(root))[0] == 0
    status, said = call("release", *args[1:])
    assert status == 0 and QUARANTINED not in said
    assert describe_quarantine(layout, "papers") == ""


def test_a_fault_that_verify_would_state_is_listed_and_not_cleared(two: tuple[str, str, Path]) -> None:
    home, *_ = run(*two)
    (fault,) = excluded_documents.list_faults([("evidence", "the quote of kind words does not name MIT")])
    unfit = excluded_documents.LeftOut("papers/02.txt", "papers", excluded_documents.UNVERIFIED, finds=(fault,))
    excluded_documents.write_list([unfit], home.quarantine("papers"))
    said = call("review", "finds", "--workspace", str(home.root))[1]
    assert "papers | unverified | -: 1 find in 1 document, cannot be cleared" in said and "does not name MIT" in said
    with pytest.raises(CallError, match="cannot be cleared"):
        decisions.clear_target(home, "papers/02.txt", decisions.Reviewer("Kim", "read"))


def test_a_recipe_may_ask_to_stop(two: tuple[str, str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    source, recipe, root = two
    Path(recipe).write_text('residue = "stop"\n' + Path(recipe).read_text("utf-8"), "utf-8")
    args = ("run", recipe, "--source", source, "--workspace", str(root), "--workers", "1")
    assert call(*args)[0] == 1
    said = capsys.readouterr().err
    for words in ("key in 1", "nothing was published", "malmoi review finds", 'residue = "quarantine"'):
        assert words in said, words
    assert not list(root.glob("6-releases/*/*")) and Workspace.open(root).quarantine("papers").exists()
    assert call("review", "clear", SHAPE, *BY, "--workspace", str(root))[0] == 0
    assert call(*args)[0] == 0
    card = json.loads(next(root.glob("6-releases/papers/1.0.0/card.json")).read_text("utf-8"))
    assert {row[-1] for row in card["tables"]["personal_data"]["rows"]} == {"stops"}
    assert "release is stopped" in next(root.glob("6-releases/papers/1.0.0/README.md")).read_text("utf-8")


# Verify -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cleared")
    two = make_two(root)
    home, *_ = run(*two)
    decisions.clear_target(home, SHAPE, decisions.Reviewer(BY[1], BY[3]))
    *_, made = run(*two)
    assert checked(made.folder) == []
    return Path(made.folder)


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


FORGED = {
    "nothing cleared": lambda rows: [],
    "a find less": lambda rows: rows[1:],
    "a find more": lambda rows: [rows[0] | {"n": rows[0]["n"] + 1}, *rows[1:]],
    "another shape": lambda rows: [row | {"shape": "hidden"} for row in rows],
    "no shape": lambda rows: [row | {"shape": ""} for row in rows],
    "another kind": lambda rows: [row | {"kind": "card"} for row in rows],
    "another document": lambda rows: [row | {"id": "papers/13.txt"} for row in rows],
    "no reviewer": lambda rows: [row | {"reviewer": ""} for row in rows],
    "no reason": lambda rows: [row | {"reason": ""} for row in rows],
    "a document that is not there": lambda rows: [*rows, rows[0] | {"id": "papers/99.txt"}],
}


@pytest.mark.one_case_in(10)
@pytest.mark.parametrize("case", FORGED)
def test_a_forged_table_of_cleared_finds_is_found(release: Path, case: str) -> None:
    edited(release / cleared_finds.TABLE, FORGED[case])
    assert any(fault.check in ("residue", "laws") for fault in forged(release)), case


def test_a_find_that_nobody_cleared_is_refused_beside_cleared_ones(release: Path) -> None:
    path = next(release.glob("data/**/*.parquet"))
    edited(path, lambda rows: [rows[0] | {"title": "신청인 990131-1234567"}, *rows[1:]])
    (fault,) = [one for one in forged(release) if one.check == "residue" and "must not contain" in one.says]
    assert "rrn × 1 in title" in fault.says


# Shapes -------------------------------------------------------------------------------------------------------------

ALPHABETS = (
    string.ascii_letters + string.digits, string.ascii_lowercase, string.ascii_uppercase, "0123456789abcdef",
    string.ascii_letters + "-_", string.ascii_uppercase + "-", string.ascii_lowercase + string.digits + "-",
)  # fmt: skip


@pytest.mark.parametrize("letters", ALPHABETS)
def test_no_random_value_has_a_shape(letters: str) -> None:
    dice = random.Random(letters)
    for length in (12, 16, 20, 32, 64):
        assert not any(find_shape("key", "".join(dice.choices(letters, k=length))) for _ in range(2_000))


@each_row("name", KEYS)
def test_no_key_of_a_real_form_has_a_shape(name: str) -> None:
    dice = random.Random(name)
    for _ in range(40):
        text = KEYS[name](lambda letters, n: "".join(dice.choices(letters, k=n)))
        assert not any(find_shape(one.kind, text[one.start : one.end]) for one in residue.find_spans(text)), text


def listed_values() -> Iterator[tuple[str, str]]:
    yield from ((span.kind, text[span.start : span.end]) for text, _ in FOUND for span in residue.find_spans(text))
    for word in (
        "correct-horse-battery7",
        "Maru-dasom-77",
        "maru1234",
        "Password123!",
        "secret1234",
        "qwer111111",
        "adminPass1234",
    ):
        yield "key", word
    for word in ("ABCD-EFGH-IJKL-KEY", "KEY-QWRT-ZXCV-BNMP", "MY-KEY-9F2C41D07AB84E6F", "123456-1234567"):
        yield "key", word
    yield "rrn", "KEY-SECRET-TOKEN"


@each_row(("kind", "value"), listed_values())
def test_no_value_of_a_person_and_no_password_has_a_shape(kind: str, value: str) -> None:
    assert find_shape(kind, value) == ""


def test_the_shapes_are_a_closed_list_that_the_docs_name() -> None:
    page = (Path(__file__).parents[2] / "docs/review.md").read_text("utf-8")
    assert SHAPES == ("capitals", "identifier", "hidden")
    assert all(f"| `{shape}` |" in page for shape in SHAPES)
    for value, shape in (("NHNKCP-PG-KEY-2", "capitals"), ("nhnkcp.pgKeyV2", "identifier"), ("oW7XXXXXXq9", "hidden")):
        assert find_shape("key", value) == shape
