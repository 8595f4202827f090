"""Traps: pages, texts, headers and files of a host, each with the one use that may be made of it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import try_stage, try_worker
from flows.run import recipe_of
from malmoi.licensing.rights_decision import LICENCES

DATA = Path(__file__).parents[1] / "data" / "rights" / "traps.jsonl"
TRAPS: list[dict[str, Any]] = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
PROSE = "바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. 아이들은 갯벌에 나가 조개를 캐고 물때를 배운다."
FREE = [trap for trap in TRAPS if trap["use"] == "redistribute"]


def row(trap: dict[str, Any]) -> dict[str, Any]:
    """The object that `malmoi try rights` reads of a trap."""
    given: dict[str, Any] = {name: trap[name] for name in ("headers", "robots", "well_known") if name in trap}
    given |= {"id": trap["id"], "url": trap.get("url", "https://a.example.kr/1")}
    if "text" in trap:
        return given | {"base64": base64.b64encode(trap["text"].encode()).decode()}
    body = trap["html"].replace("{prose}", f"<p>{PROSE}</p>").replace("{text}", PROSE)
    head = f"<meta charset=utf-8><title>글</title>{trap.get('head', '')}"
    return given | {"html": f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("traps")
    given = folder / "traps.jsonl"
    given.write_text("".join(json.dumps(row(t), ensure_ascii=False) + "\n" for t in TRAPS), encoding="utf-8")
    with (folder / "said.jsonl").open("w", encoding="utf-8") as out:
        try_stage.run("rights", [], given, "general", out)
    said = [json.loads(line) for line in (folder / "said.jsonl").read_text(encoding="utf-8").splitlines()]
    return {one["id"]: one for one in said}


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap["id"])
def test_a_trap_is_told_from_a_licence(trap: dict[str, Any], answers: dict[str, dict[str, Any]]) -> None:
    said = answers[trap["id"]]
    assert said["use"] == trap["use"], (trap["why"], said["evidence"], said["signals"])
    assert said["licence"] == trap.get("licence", said["licence"]), (trap["why"], said["evidence"])


def test_no_trap_is_ever_falsely_redistributed(answers: dict[str, dict[str, Any]]) -> None:
    wrong = [t["id"] for t in TRAPS if t["use"] != "redistribute" and answers[t["id"]]["use"] == "redistribute"]
    assert wrong == []
    assert len(TRAPS) >= 650 and len({trap["id"] for trap in TRAPS}) == len(TRAPS) and all(t["why"] for t in TRAPS)


def test_what_is_free_is_found_and_said_to_be_under_a_known_licence(answers: dict[str, dict[str, Any]]) -> None:
    found = [answers[trap["id"]] for trap in FREE if answers[trap["id"]]["use"] == "redistribute"]
    assert len(FREE) >= 200 and len(found) >= 0.95 * len(FREE)
    assert all(LICENCES[one["licence"]].use == "redistribute" and one["evidence"] for one in found)


def test_every_answer_carries_what_it_was_made_from(answers: dict[str, dict[str, Any]]) -> None:
    for trap in TRAPS:
        said = answers[trap["id"]]
        assert all(e["place"] and e["kind"] for e in said["evidence"]), trap["id"]
        assert all(s["name"] and s["place"] for s in said["signals"]), trap["id"]


def test_free_pages_stay_free_only_while_nothing_speaks_against_them() -> None:
    page = next(trap for trap in FREE if trap["id"] == "gov-egov-board")
    against: list[dict[str, Any]] = [
        {"headers": {"TDM-Reservation": "1"}},
        {"headers": {"X-Robots-Tag": "noai"}},
        {"robots": "User-agent: *\nDisallow: /\n"},
        {"robots": "User-agent: *\nContent-Signal: ai-train=no\n"},
        {"robots": "License: https://a.example.kr/terms.xml\n"},
        {"well_known": {"tdmrep.json": '[{"location":"/","tdm-reservation":1}]'}},
        {"well_known": {"ai.txt": "User-Agent: *\nDisallow: /\n"}},
    ]
    one_by_one = try_worker._rights_stage(recipe_of("general"))
    said = [one_by_one(given) for given in (row(page), *({**row(page), **one} for one in against))]
    assert [one["use"] for one in said] == ["redistribute"] + ["exclude"] * len(against)
    assert all(one["conflicts"] for one in said[1:])
