"""What people do with the index: ask what is a copy of them, and read it with other tools."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.duplicates.duplicate_schema import SIGNATURE
from filters.duplicates.index_lookup import Texts, find_near_copies
from flows import release_index
from flows.cli import main
from malmoi.erasure import tombstones
from malmoi.errors import CallError
from tests.builders.small_index import LONG, MARKET, NEW, OLD, SNOW, World, stub
from tests.builders.withdrawn import withdraw


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    stub(monkeypatch)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "w")


class TestWithdrawal:
    """A file of the workspace that only grows."""

    def test_the_same_again_changes_nothing_and_another_reason_is_refused(self, world):
        world.publish(OLD)
        withdraw(world.workspace, ["ga/1"], "요청", "2026-7", day="2026-11-24")
        assert withdraw(world.workspace, ["ga/1"], "요청", "") == []
        content = world.workspace.withdrawals.read_bytes()
        with pytest.raises(CallError, match=r"id ga/1 was withdrawn on 2026-11-24: '요청', request '2026-7'"):
            withdraw(world.workspace, ["ga/2", "ga/1"], "오류", "")
        assert world.workspace.withdrawals.read_bytes() == content

    @pytest.mark.parametrize(("reason", "day"), [("", "2026-11-24"), ("  ", "2026-11-24"), ("요청", "gestern")])
    def test_a_withdrawal_needs_a_reason_and_a_date(self, world, reason, day):
        world.publish(OLD)
        with pytest.raises(CallError, match="othing was written"):
            withdraw(world.workspace, ["ga/1"], reason, "", day=day)

    def test_a_file_that_is_none_is_named(self, world):
        world.workspace.withdrawals.write_text("id,date", encoding="utf-8")
        with pytest.raises(CallError, match=r"withdrawals\.parquet: not readable as withdrawals"):
            tombstones.read(world.workspace.withdrawals)


class TestQuery:
    """Which published documents a text is a near copy of."""

    def test_a_near_copy_is_found_with_release_version_and_similarity(self, world):
        world.publish(OLD)
        asked = [("q1", (LONG * 12).replace(" ", "") + "끝."), ("q2", "아무도 쓰지 않은 글이다. " * 9), ("q3", "")]
        first, second, third = release_index.ask(world.workspace, asked, 0.8)
        assert [(c["id"], c["release"], c["version"]) for c in first["copies"]] == [("ga/1", "small", "1.0.0")]
        assert first["copies"][0]["similarity"] >= 0.8
        assert (second, third) == ({"id": "q2", "copies": []}, {"id": "q3", "copies": []})

    def test_neither_withdrawn_documents_nor_replaced_texts_are_found(self, world):
        world.publish(OLD)
        world.publish(OLD | {"ga/2": "고친 글에서는 " + SNOW * 2 + LONG * 15})
        withdraw(world.workspace, ["ga/3"], "요청", "")
        asked = [("market", MARKET * 12), ("snow", SNOW * 12)]
        assert [answer["copies"] for answer in release_index.ask(world.workspace, asked, 0.8)] == [[], []]

    def test_the_near_duplicates_of_a_withdrawn_document_are_listed(self, world):
        near = {"na/5": LONG * 12 + "끝."}
        world.publish(OLD | near | {"na/1": LONG * 12})
        withdraw(world.workspace, ["ga/1"], "요청", "")
        found = release_index.find_copies_of_documents(world.workspace, ["ga/1"], 0.8)
        assert [(copy.id, copy.version) for copy in found["ga/1"]] == [("na/5", "1.0.0")]
        assert release_index.find_cluster_pairs(world.workspace, "ga/1") == [("na/1", "ga/1", "exact", 1.0)]

    def test_every_pair_that_agrees_enough_is_found_whatever_the_threshold(self, tmp_path):
        draw = np.random.default_rng(5)
        rows = draw.integers(0, 2**32, (200, 128), dtype=np.uint32)
        texts = rows.copy()
        for i in range(200):
            texts[i, draw.permutation(128)[: i % 64]] += 1
        letters = np.full(200, 900)
        columns = {
            "id": [str(i) for i in range(200)],
            "release": ["r"] * 200,
            "version": ["1.0.0"] * 200,
            "letters": letters,
            "signature": pa.array([row.tobytes() for row in rows], SIGNATURE),
        }
        pq.write_table(pa.table(columns), tmp_path / "documents.parquet")
        for threshold in (0.5, 0.65, 0.8, 0.95, 1.0):
            found = find_near_copies(tmp_path / "documents.parquet", Texts(texts, letters), threshold)
            expected = [i for i in range(200) if (rows[i] == texts[i]).mean() >= threshold]
            assert [copy.text for copy in found if copy.id == str(copy.text)] == expected

    @pytest.mark.parametrize(
        ("line", "says"),
        [(b"[]", "a.jsonl:1"), (b'{"id": "x"}', "'text'"), (b'{"text": 1}', "is not a string"), (b"\xff", "a.jsonl:1")],
    )
    def test_a_line_that_cannot_be_asked_is_named(self, tmp_path, line, says):
        (tmp_path / "a.jsonl").write_bytes(line)
        with pytest.raises(CallError, match=says):
            list(release_index.read_texts((), tmp_path / "a.jsonl"))

    def test_without_an_index_it_says_what_to_do(self, world):
        with pytest.raises(CallError, match="has no index yet"):
            list(release_index.ask(world.workspace, [("q", LONG)], 0.8))


class TestCommands:
    """What people type, and what the page of the docs shows."""

    def said(self, capsys, *arguments: object) -> tuple[int, str, str]:
        given = list(map(str, arguments))
        status = main.run_guarded(
            lambda: main.app(given, exit_on_error=False, print_error=False, result_action="return_value")
        )
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    def test_the_index_is_listed_with_what_does_not_count_and_why(self, world, capsys):
        world.publish(OLD)
        withdraw(world.workspace, ["ga/1"], "요청", "")
        world.publish(OLD | NEW, stop="release")
        status, out, _ = self.said(capsys, "index", "--workspace", world.workspace.root)
        assert status == 0
        assert [cell.strip() for cell in next(line for line in out.splitlines() if "1.0.0" in line).split("│")][
            1:5
        ] == [
            "copies",
            "small",
            "1.0.0",
            "3",
        ]
        assert "inactive: copies/small/1.1.0-" in out
        assert "its run was stopped" in out
        assert release_index.summary(world.workspace).startswith("index: 1 segments, 3 documents, 1 masked")

    def test_a_query_prints_one_object_a_text_in_input_order(self, world, tmp_path, capsys):
        world.publish(OLD)
        lines = [{"id": "a", "text": "다른 글이다. " * 9}, {"text": SNOW * 12}]
        path = tmp_path / "texts.jsonl"
        path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
        status, out, _ = self.said(capsys, "index", "query", "--jsonl", path, "--workspace", world.workspace.root)
        first, second = map(json.loads, out.splitlines())
        assert (status, first) == (0, {"id": "a", "copies": []})
        copy = {"id": "ga/3", "release": "small", "version": "1.0.0", "similarity": 1.0}
        assert second == {"id": "2", "copies": [copy]}

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("query",), "give either files or --jsonl"),
            (("query", "nowhere.txt"), "nowhere.txt: No such file"),
        ],
    )
    def test_a_wrong_call_says_what_and_what_next(self, world, capsys, arguments, says):
        world.publish(OLD)
        status, _, error = self.said(capsys, "index", *arguments, "--workspace", world.workspace.root)
        assert status == 2
        assert says in error

    def test_no_workspace_is_made_by_asking(self, tmp_path, capsys):
        for arguments in ((), ("query", "x.txt")):
            status, _, error = self.said(capsys, "index", *arguments, "--workspace", tmp_path / "w")
            assert (status, "is not a workspace" in error) == (2, True)
        assert not (tmp_path / "w").exists()

    def test_the_example_of_the_docs_finds_what_malmoi_finds(self, tmp_path):
        world = World(tmp_path / "workspace", "general")
        world.publish(OLD)
        text = (SNOW * 12).replace(" ", "") + "끝. İ"
        (tmp_path / "page.txt").write_text(text, encoding="utf-8")
        page = (Path(__file__).parents[2] / "docs" / "release-index.md").read_text(encoding="utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
        assert not re.search(r"^(from|import) (malmoi|filters|flows)", code, re.M)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (answer,) = release_index.ask(world.workspace, [("q", text)], 0.5)
        (copy,) = answer["copies"]
        assert done.stdout.split()[:2] == [copy["id"], copy["version"]]
        assert abs(float(done.stdout.split()[2]) - copy["similarity"]) < 0.02
