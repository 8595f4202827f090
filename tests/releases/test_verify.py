"""Verifying: whatever is changed in a release is found, named, and never a traceback."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data_cards
from filters.duplicates.index_lookup import sketch_texts
from malmoi.canonical_json import canonical_json
from malmoi.errors import StageError
from malmoi.releases import membership, residual_pii, residue
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import Finding, find_damage, verify
from malmoi.storage import shard
from tests.builders.small_release import sealed


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def checked(folder: Path) -> list[Finding]:
    return verify(folder, render=data_cards.render_texts)


def remade(folder: Path, *, card: bool = True) -> None:
    """Manifest, card, renderings and SHA256SUMS made anew, as one would who wants to hide a change."""
    old = Manifest.from_json((folder / "manifest.json").read_text(encoding="utf-8"))
    paths = sorted(p for p in folder.rglob("*.parquet"))
    found = [(p, shard.file_of(p, pq.read_metadata(p).num_rows)) for p in paths]
    files = tuple(ReleaseFile(p.relative_to(folder).as_posix(), f.sha256, f.bytes, f.rows) for p, f in found)
    total = sum(f.rows for f in files if f.path.startswith("data/"))
    _, commitment = membership.write(folder, files, sketch_texts)
    found = [(p, shard.file_of(p, pq.read_metadata(p).num_rows)) for p in paths]
    files = tuple(ReleaseFile(p.relative_to(folder).as_posix(), f.sha256, f.bytes, f.rows) for p, f in found)
    if (table := folder / residual_pii.TABLE).exists():
        does = residual_pii.read_outcomes(pq.read_table(table))
        names = [f.path for f in files if f.path != residual_pii.TABLE]
        looks = [one for name in names for one in residue.look(folder, name)]
        pq.write_table(residual_pii.table(looks, does, len(names)), table)
        found[paths.index(table)] = (table, shard.file_of(table, pq.read_metadata(table).num_rows))
        files = tuple(ReleaseFile(p.relative_to(folder).as_posix(), f.sha256, f.bytes, f.rows) for p, f in found)
    fields = {n: getattr(old, n) for n in Manifest.__dataclass_fields__}
    made = Manifest(**(fields | {"files": files, "documents": total, "members": commitment}))
    (folder / "manifest.json").write_text(made.to_json(), encoding="utf-8")
    if card:
        data_cards.write(folder)
    seal(folder)


def forged(folder: Path) -> list[Finding]:
    """The findings in tables and rows, after everything but the card was made anew."""
    remade(folder, card=False)
    return verify(folder)


def edited(path: Path, change: Callable[[list[dict]], list[dict]]) -> None:
    table = pq.read_table(path, partitioning=None)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), table.schema), path)


def test_a_release_as_it_was_made_is_verified(whole: Path) -> None:
    assert checked(whole) == []
    done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=whole, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.heavy
@pytest.mark.parametrize(
    "at", [0.5, pytest.param(0.0, marks=pytest.mark.soak), pytest.param(1.0, marks=pytest.mark.soak)]
)
def test_one_flipped_byte_in_any_file_is_found_and_the_file_is_named(release: Path, at: float) -> None:
    paths = sorted(p for p in release.rglob("*") if p.is_file())
    assert len(paths) > 20
    for path in paths:
        good, name = path.read_bytes(), path.relative_to(release).as_posix()
        place = int((len(good) - 1) * at)
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        found = find_damage(release)
        assert any(name == f.path or name in f.says for f in found), (name, at, found)
        if path.parent == release or path.name.startswith("train-00000"):  # one of each kind is verified whole
            assert {(f.path, f.says) for f in found} <= {(f.path, f.says) for f in checked(release)}
        path.write_bytes(good)
    assert checked(release) == []


@pytest.mark.parametrize("left", [None, pytest.param(b"", marks=pytest.mark.soak)], ids=["missing", "empty"])
def test_any_missing_or_empty_file_is_found_and_named(release: Path, left: bytes | None) -> None:
    for path in sorted(p for p in release.rglob("*") if p.is_file()):
        good, name = path.read_bytes(), path.relative_to(release).as_posix()
        path.unlink()
        if left is not None:
            path.write_bytes(left)
        assert any(name == f.path for f in find_damage(release)), name
        path.write_bytes(good)


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("name", ["extra.txt", ".hidden", "data/redistribute/x.parquet", "audit/more.parquet"])
def test_an_extra_file_is_found_and_named(release: Path, name: str) -> None:
    (release / name).write_bytes(b"PAR1")
    assert any(f.path == name and "extra" in f.says for f in checked(release))


def test_a_link_is_found_and_cannot_be_sealed(release: Path) -> None:
    (release / "LICENSE.md").unlink()
    (release / "LICENSE.md").symlink_to("README.md")
    assert any(f.path == "LICENSE.md" for f in checked(release))
    with pytest.raises(StageError, match="plain files"):
        seal(release)


def test_two_swapped_shards_are_found_even_when_everything_else_is_made_anew(release: Path) -> None:
    one, two = sorted((release / "data/redistribute/LicenseRef-KOGL-1/general").iterdir())
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert {one.name, two.name} <= {Path(f.path).name for f in checked(release) if f.check in ("sums", "manifest")}
    remade(release)
    assert {Path(f.path).name for f in checked(release)} == {one.name, two.name}


DATA_CHANGES: list[tuple[str, str, Callable[[list[dict]], list[dict]]]] = [
    ("a changed text", "sha256", lambda rows: [rows[0] | {"text": rows[0]["text"] + "!"}, *rows[1:]]),
    ("a changed length", "code points", lambda rows: [rows[0] | {"n_chars": 1}, *rows[1:]]),
    ("rows out of order", "order", lambda rows: rows[::-1]),
    ("a removed row", "last stage kept", lambda rows: rows[1:]),
    ("a repeated row", "more than once", lambda rows: [rows[0], *rows]),
    ("a changed id", "evidence gives", lambda rows: [rows[0] | {"id": "ga/999"}, *rows[1:]]),
    ("a changed split", "another file", lambda rows: [rows[0] | {"split": "test"}, *rows[1:]]),
    ("a changed field", "another file", lambda rows: [rows[0] | {"domain": "law"}, *rows[1:]]),
    ("a changed use", "another file", lambda rows: [rows[0] | {"use": "train-only"}, *rows[1:]]),
    ("a changed attribution", "attribution", lambda rows: [rows[0] | {"attribution": ""}, *rows[1:]]),
    ("a forgotten redaction", "redacted", lambda rows: [r | {"pii": [{"kind": "email", "n": 1}]} for r in rows]),
    ("a changed cluster size", "cluster", lambda rows: [rows[0] | {"cluster_size": 9}, *rows[1:]]),
]
MORPHEME_CHANGES: list[tuple[str, str, Callable[[list[dict]], list[dict]]]] = [
    ("a morpheme outside the text", "outside", lambda rows: [_outside(rows[0]), *rows[1:]]),
    ("a sentence that starts outside the text", "outside", lambda rows: [_start_outside(rows[0]), *rows[1:]]),
    ("a removed analysis", "n_morphemes differ", lambda rows: [rows[0] | {"morphemes": None}, *rows[1:]]),
    ("a removed row", "where this file has", lambda rows: rows[1:]),
    ("a removed last row", "no row where this file has", lambda rows: rows[:-1]),
    ("a row too many", "more rows", lambda rows: [*rows, rows[-1]]),
    ("rows out of order", "where this file has", lambda rows: rows[::-1]),
]


def _outside(row: dict) -> dict:
    return row | {"morphemes": row["morphemes"] | {"start": [0, 60_000]}}


def _start_outside(row: dict) -> dict:
    return row | {"sentences": row["sentences"] | {"start": [60_000] * len(row["sentences"]["end"])}}


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize(("says", "change"), [c[1:] for c in DATA_CHANGES], ids=[c[0] for c in DATA_CHANGES])
def test_changed_data_are_found_even_when_everything_else_is_made_anew(
    release: Path, says: str, change: Callable[[list[dict]], list[dict]]
) -> None:
    edited(release / "data/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet", change)
    assert any(says in f.says for f in forged(release))


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(("says", "change"), [c[1:] for c in MORPHEME_CHANGES], ids=[c[0] for c in MORPHEME_CHANGES])
def test_changed_morphemes_are_found_even_when_everything_else_is_made_anew(
    release: Path, says: str, change: Callable[[list[dict]], list[dict]]
) -> None:
    edited(release / "morphemes/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet", change)
    assert any(says in f.says for f in forged(release))


def test_a_missing_or_an_extra_file_of_morphemes_is_found_even_when_everything_else_is_made_anew(release: Path) -> None:
    path = release / "morphemes/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet"
    path.rename(path.with_name("train-00002-of-00002.parquet"))
    names = {Path(f.path).name for f in forged(release) if "no counterpart" in f.says}
    assert names == {"train-00000-of-00002.parquet", "train-00002-of-00002.parquet"}


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("stages", "does not hold"),
        ("dropped", "dropped documents"),
        ("failed", "failed documents"),
        ("licence_evidence", "evidence gives"),
        ("attribution", "attribution"),
        ("personal_data", "redacted"),
        ("sources", "not declared"),
        ("clusters", "cluster"),
    ],
)
def test_a_row_taken_out_of_an_audit_table_is_found(release: Path, table: str, says: str) -> None:
    edited(release / "audit" / f"{table}.parquet", lambda rows: rows[1:])
    assert any(says in f.says for f in forged(release) if f.check in ("laws", "rights"))


Change = Callable[[list[dict]], list[dict]]
SHARD = "data/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet"
EVIDENCE, SIGNALS = "audit/licence_evidence.parquet", "audit/signals.parquet"


def first(**changed: object) -> Change:
    """Change the first row."""
    return lambda rows: [rows[0] | changed, *rows[1:]]


FORGED: list[tuple[str, str, str, Change]] = [
    ("a signal about nobody", SIGNALS, "neither in data/ nor dropped", first(id="ga/999")),
    ("a moved address", SHARD, "template of its source", first(url="https://elsewhere.example.kr/1")),
    ("another title", SHARD, "template of its source", first(title="다른 글")),
    ("another template", "audit/sources.parquet", "not those of the manifest", first(attribution="{title}")),
    ("an exchanged proof", EVIDENCE, "not from the record", first(record="urn:uuid:other")),
    ("a quote of another licence", EVIDENCE, "does not name", first(quote="공공누리 제2유형 조건에 따라")),
    ("a quote that names none", EVIDENCE, "does not name", first(quote="마음껏 쓰세요.")),
]


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(("path", "says", "change"), [c[1:] for c in FORGED], ids=[c[0] for c in FORGED])
def test_a_release_that_was_forged_as_a_whole_contradicts_itself(
    release: Path, path: str, says: str, change: Change
) -> None:
    edited(release / path, change)
    findings = forged(release)
    assert any(says in f.says and f.path == path for f in findings), findings


def test_an_exchanged_record_of_a_document_is_not_that_of_its_evidence(release: Path) -> None:
    edited(release / SHARD, first(record="urn:uuid:other"))
    remade(release)
    assert [f.path for f in checked(release) if "not from the record" in f.says] == [EVIDENCE]


def drop_for(release: Path, **why: str) -> None:
    """Say in all tables that na/107, which has an opt-out, was dropped for another reason."""
    for table in ("dropped", "stages"):
        edited(
            release / f"audit/{table}.parquet",
            lambda rows: [row | why if row["reason"] == "low-quality" else row for row in rows],
        )


def test_a_hidden_opt_out_is_found(release: Path) -> None:
    drop_for(release, filter="rights", reason="opt-out")
    remade(release)
    assert checked(release) == []
    edited(release / SIGNALS, lambda rows: [row for row in rows if row["id"] != "na/107"])
    remade(release)
    assert [(f.path, "no signal states" in f.says) for f in checked(release)] == [(SIGNALS, True)]


def test_a_drop_by_the_rights_filter_that_conceals_an_opt_out_is_found(release: Path) -> None:
    drop_for(release, filter="rights", reason="no-licence")
    remade(release)
    assert ["for another reason" in f.says for f in checked(release)] == [True]


def change_redacted(release: Path, change: Callable[[dict], dict]) -> None:
    """Change one document with redacted values, and the table that repeats their counts."""
    shards = sorted(release.glob("data/*/*/*/*.parquet"))
    path = next(one for one in shards if any(row["pii"] for row in pq.read_table(one, partitioning=None).to_pylist()))
    edited(path, lambda rows: [change(row) if n == _first_redacted(rows) else row for n, row in enumerate(rows)])
    held = [row for one in shards for row in pq.read_table(one, partitioning=None).to_pylist()]
    found = sorted(({"id": row["id"], **one} for row in held for one in row["pii"]), key=lambda row: row["id"])
    edited(release / "audit/personal_data.parquet", lambda _: found)


def _first_redacted(rows: list[dict]) -> int:
    return next(n for n, row in enumerate(rows) if row["pii"])


def unmask(row: dict) -> dict:
    """Put words of the same length where the placeholder was."""
    text = row["text"].replace("[전화번호1]", "안내문에적음.")
    encoded = text.encode()
    return row | {"text": text, "text_sha256": hashlib.sha256(encoded).hexdigest(), "n_bytes": len(encoded)}


def test_a_replaced_value_without_a_placeholder_is_found(release: Path) -> None:
    change_redacted(release, unmask)
    remade(release)
    assert [("fewer than the" in f.says, f.path[:5]) for f in checked(release)] == [(True, "data/")]


def test_reserved_values_need_no_placeholder(release: Path) -> None:
    change_redacted(release, unmask)
    path = release / "manifest.json"
    made = json.loads(path.read_text(encoding="utf-8"))
    made["recipe"]["steps"] = [["curated", "redact", {"actions": [["phone", "surrogate"]]}]]
    path.write_text(canonical_json(made), encoding="utf-8")
    remade(release)
    assert checked(release) == []


def test_a_hidden_redaction_is_found(release: Path) -> None:
    change_redacted(release, lambda row: row | {"pii": []})
    remade(release)
    assert [f.path for f in checked(release) if "redactions of a source" in f.says] == ["audit/edits.parquet"]


def test_a_note_that_passes_for_the_words_of_a_rights_holder_is_found(release: Path) -> None:
    path = release / "audit/licence_evidence.parquet"
    edited(path, lambda rows: [rows[0] | {"kind": "claim", "place": "note.txt"}, *rows[1:]])
    assert any("`by` of evidence" in f.says for f in forged(release))


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("value", [25, "24", 24.0, None, [24]])
def test_an_edited_card_number_is_found_even_with_the_sums_rewritten(release: Path, value: object) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["numbers"]["documents"]["value"] = value
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")
    seal(release)
    assert any(f.check == "card" and "documents" in f.says for f in checked(release))


def test_an_edited_card_table_and_an_edited_root_are_found(release: Path) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["tables"]["by_licence"]["rows"][0][2] += 1
    card["root"] = "0" * 64
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")
    seal(release)
    found = checked(release)
    assert any("by_licence" in f.says for f in found)
    assert any(f.check == "root" for f in found)


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1000000",
        "SELECT count(*) FROM read_csv('/etc/passwd')",
        "CREATE TABLE x AS SELECT 1",
        "SELECT 1; SELECT 24",
        "COPY (SELECT 1) TO 'x.csv'",
        "not sql",
    ],
)
def test_a_card_that_asks_something_else_is_found_and_does_no_harm(release: Path, sql: str) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["numbers"]["documents"] |= {"sql": sql, "value": 1000000}
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")
    seal(release)
    assert any(f.path == "card.json" for f in checked(release))


@pytest.mark.one_case_in(2)
@pytest.mark.parametrize("name", ["README.md", "index.html"])
def test_an_edited_rendering_is_found(release: Path, name: str) -> None:
    path = release / name
    path.write_text(path.read_text(encoding="utf-8").replace("24", "42", 1), encoding="utf-8")
    seal(release)
    assert [(f.check, f.path) for f in checked(release)] == [("render", name)]


@pytest.mark.one_case_in(12)
@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"files": [{}]}', '{"files": 3, "recipe": 1}', "\udcff"])
@pytest.mark.parametrize("name", ["manifest.json", "card.json", "SHA256SUMS"])
def test_nonsense_gives_findings_and_no_traceback(release: Path, name: str, text: str) -> None:
    (release / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert any(f.path == name for f in checked(release))


def test_a_manifest_that_points_outside_is_found(release: Path) -> None:
    path = release / "manifest.json"
    text = path.read_text(encoding="utf-8").replace("audit/edits.parquet", "../edits.parquet")
    path.write_text(text, encoding="utf-8")
    assert any(f.path == "../edits.parquet" for f in checked(release))


def test_an_empty_or_missing_folder_gives_findings(tmp_path: Path) -> None:
    assert verify(tmp_path)
    assert verify(tmp_path / "none")


def test_a_folder_whose_name_looks_like_a_pattern_is_read_as_it_is(release: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a[1]*?"
    shutil.copytree(release, odd)
    shutil.copytree(release, tmp_path / "a1xy")
    assert checked(odd) == []


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("name", ["x.txt", ".hidden", "data/x.txt", "LICENSES/x.txt"])
def test_a_file_that_is_none_of_ours_is_found_though_the_sums_name_it(release: Path, name: str) -> None:
    (release / name).parent.mkdir(exist_ok=True)
    (release / name).write_text("x", encoding="utf-8")
    seal(release)
    assert [(f.check, f.path) for f in checked(release)] == [("licences", name)]


def test_words_added_to_the_licences_and_an_empty_folder_are_found(release: Path) -> None:
    with (release / "LICENSE.md").open("a", encoding="utf-8") as page:
        page.write("Do what you want.\n")
    (release / "data" / "empty").mkdir()
    seal(release)
    assert {f.path for f in checked(release)} == {"LICENSE.md", "data/empty"}
