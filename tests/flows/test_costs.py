"""Cost of a workspace: noted by step, summed beside each release and outside its root."""

import json

import pytest

from flows.engine import costs
from malmoi.ledger import File, Ledger
from malmoi.workspace_layout import Layout
from tests.builders.small_corpus import make, malmoi_in_process


def note(layout: Layout, step: str, cpu: float, wall: float) -> None:
    """Note a step as `costs.note` does, with seconds that the test knows."""
    layout.costs.parent.mkdir(parents=True, exist_ok=True)
    line = {"step": step, "cpu_seconds": cpu, "wall_seconds": wall, "machine": {"processor": "P", "cores": 2}}
    with layout.costs.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def test_steps_are_summed_since_the_release_before_and_since_the_beginning(tmp_path):
    layout = Layout(tmp_path)
    for step, cpu, wall in (("2-documents", 4.0, 2.5), (costs.RELEASED, 0.5, 0.0), ("2-documents", 1.0, 1.0)):
        note(layout, step, cpu, wall)
    note(layout, "6-release", 2.0, 1.5)
    with layout.costs.open("a", encoding="utf-8") as lines:
        lines.write('{"step": "2-docu')  # the machine went down
    made = Ledger("2-documents", "a", {}, {}, {}, files=(File("documents.parquet", "", 1, 700), File("b", "", 0, 5)))
    found = costs.sum_steps(layout, [("2-documents", [made])])
    assert found == [
        {"step": "2-documents", "bytes": 705, "cpu_seconds": 1.0, "wall_seconds": 1.0, "whole_cpu_seconds": 5.0},
        {"step": "6-release", "bytes": None, "cpu_seconds": 2.0, "wall_seconds": 1.5, "whole_cpu_seconds": 2.0},
    ]


def test_the_cost_of_a_release_stands_beside_it_with_its_root_and_its_machine(tmp_path):
    layout = Layout(tmp_path)
    note(layout, "4-judged", 30.0, 15.0)
    release = {"name": "general", "version": "1.0.0", "root": "ab" * 32, "characters": 1_500_000}
    costs.write(layout, release, [])
    said = json.loads((tmp_path / "6-releases" / "general" / "costs" / "1.0.0.json").read_text(encoding="utf-8"))
    assert {key: said[key] for key in release} == release
    assert (said["whole_cpu_seconds"], said["cpu_seconds_per_million_characters"]) == (30.0, 20.0)
    assert said["machines"] == [{"processor": "P", "cores": 2}]
    assert costs.sum_steps(layout, [])[0]["cpu_seconds"] == 0  # the next version costs what comes from here on


def test_a_run_notes_what_it_made_and_a_run_without_news_costs_no_line(tmp_path):
    source, workspace = make(tmp_path, pages=6), tmp_path / "w"
    assert malmoi_in_process("run", "general", "--source", source, "--workspace", workspace).returncode == 0
    lines = [json.loads(line) for line in (workspace / "reports" / "costs.jsonl").read_text("utf-8").splitlines()]
    steps = [line["step"] for line in lines]
    assert steps[0].startswith("collect ") and steps[-2:] == ["6-release", costs.RELEASED]
    assert {"2-documents", "3-clean", "4-judged", "5-curated"} <= set(steps)
    assert sum(line["cpu_seconds"] for line in lines) > 0 and lines[0]["machine"]["cores"] >= 1
    card = json.loads((workspace / "6-releases/general/1.0.0/card.json").read_text(encoding="utf-8"))
    said = json.loads((workspace / "6-releases/general/costs/1.0.0.json").read_text(encoding="utf-8"))
    assert (said["root"], said["characters"]) == (card["root"], card["numbers"]["characters"]["value"])
    assert "costs/1.0.0.json" in (workspace / "6-releases/general/1.0.0/index.html").read_text(encoding="utf-8")
    assert "2-documents" in (workspace / "reports/curation.html").read_text(encoding="utf-8")
    assert malmoi_in_process("run", "general", "--source", source, "--workspace", workspace).returncode == 0
    assert len((workspace / "reports" / "costs.jsonl").read_text("utf-8").splitlines()) == len(lines)


def test_a_step_costs_what_was_spent_since_the_one_before(tmp_path, monkeypatch):
    file, spent = tmp_path / "reports" / "costs.jsonl", iter((10.0, 12.5))
    monkeypatch.setattr(costs, "_noted", 4.0)
    monkeypatch.setattr(costs, "cpu_seconds", lambda: next(spent))
    costs.note(file, "one", 1.0)
    costs.note(file, "two", 2.0)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["cpu_seconds"] for line in lines] == pytest.approx([6.0, 2.5])
