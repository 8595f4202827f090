"""The rights of a release are decided again by the rules that made it; one of earlier rules is not called broken."""

import json
import shutil
from pathlib import Path

import pytest

import data_cards
from flows.cli import main
from malmoi.canonical_json import canonical_json
from malmoi.licensing.rights_decision import RULES_VERSION
from malmoi.releases import manifest
from malmoi.releases.verification import invariants
from malmoi.releases.verification.verify import verify
from tests.builders.small_release import sealed
from tests.releases.test_verify import edited, remade

EARLIER = {"kogl-block": "kogl-sentence", "rel-license": "mark-link"}  # kinds of rules 1 that permit nothing now


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def earlier(whole: Path, tmp_path: Path) -> Path:
    """The release as the rules before the closed list of proofs made it: other kinds, and no version of the rules."""
    folder = Path(shutil.copytree(whole, tmp_path / "release"))
    path = folder / "audit" / "licence_evidence.parquet"
    edited(path, lambda rows: [row | {"kind": EARLIER[row["kind"]]} for row in rows])
    written = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert written.pop("rights_version") == RULES_VERSION
    (folder / "manifest.json").write_text(canonical_json(written), encoding="utf-8")
    remade(folder)
    return folder


def test_a_release_names_the_version_of_its_rules_and_one_without_it_is_of_the_first(
    whole: Path, earlier: Path
) -> None:
    assert manifest.read(whole).rights_version == RULES_VERSION and invariants.describe_rights(whole) == ""
    assert manifest.read(earlier).rights_version == 1
    assert "rights_version" not in (earlier / "manifest.json").read_text(encoding="utf-8")


def test_a_release_of_earlier_rules_is_verified_but_for_its_rights_and_a_note_says_so(earlier: Path, capsys) -> None:
    assert verify(earlier, render=data_cards.render_texts) == []
    assert (
        main.run_guarded(
            lambda: main.app(
                ["verify", str(earlier)], exit_on_error=False, print_error=False, result_action="return_value"
            )
        )
        == 0
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "verified." in said and f"decided by version 1 of the rules; this Malmoi has version {RULES_VERSION}" in said


def test_the_same_evidence_under_the_rules_of_today_is_a_fault(earlier: Path) -> None:
    path = earlier / "manifest.json"
    written = json.loads(path.read_text(encoding="utf-8")) | {"rights_version": RULES_VERSION}
    path.write_text(canonical_json(written), encoding="utf-8")
    remade(earlier)
    found = verify(earlier, render=data_cards.render_texts)
    assert {one.check for one in found} == {"rights"} and any("their evidence gives" in one.says for one in found)
    assert invariants.describe_rights(earlier) == ""


@pytest.mark.heavy
def test_only_the_rights_are_left_out_for_a_release_of_earlier_rules(earlier: Path) -> None:
    path = earlier / "audit" / "licence_evidence.parquet"
    edited(path, lambda rows: [rows[0] | {"quote": "공공누리 제4유형"}, *rows[1:]])
    remade(earlier)
    assert {one.check for one in verify(earlier, render=data_cards.render_texts)} == {"evidence"}
