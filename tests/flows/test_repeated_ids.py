"""An entry that two captures show is one document of a release: pages of an interface move while they are read."""

import io
import json
import random
from pathlib import Path

import pytest

from flows.collect import collect
from flows.console import SafeConsole
from flows.curate import curate
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.release import release
from flows.run import recipe_of
from malmoi.archive.capture import warc_record
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.storage import shard
from malmoi.workspace import Workspace

BASE = "https://data.example/list?page="
SOURCE = """
import json
from pathlib import Path
from malmoi.document import LicenceEvidence
from malmoi.source import Item, LicenceRule, Source, Warc
SOURCE = Source("moving", "견본", "발행처", Warc((Path({place!r}),)),
    rule=LicenceRule(("field",), fields=("이용조건",), expected=("LicenseRef-KOGL-1",)))


def items(capture):
    for entry in json.loads(capture.body):
        words = "공공누리 제1유형"
        proof = LicenceEvidence("LicenseRef-KOGL-1", "field", "item", words, "이용조건", capture.record)
        yield Item(entry["no"], capture.url, entry["본문"], "text/plain", "", capture.record, evidence=(proof,))
"""
WORDS = (
    "가을 들판에서 농부들이 벼를 베고 아이들은 메뚜기를 잡으며 논두렁을 뛰어다녔다 장터에서는 상인이 과일을 팔았고 "
    "할머니는 오래된 사진을 꺼내 이야기를 들려주었다 강가의 물레방아는 천천히 돌았으며 저녁 무렵 마을에 연기가 올랐다 "
    "도서관의 사서는 낡은 책을 고치고 목수는 새 의자를 다듬었다 바다로 떠난 배는 등대의 불빛을 따라 항구로 돌아왔다"
).split()


def entry(number: int, seed: object = "") -> dict[str, str]:
    choice = random.Random(f"{number}{seed}").choice
    sentences = (" ".join(choice(WORDS) for _ in range(9)) + " 일을 마쳤다." for _ in range(12))
    return {"no": f"e{number}", "본문": " ".join(sentences)}


def write(folder: Path, *pages: list[dict[str, str]]) -> str:
    (folder / "warc").mkdir()
    kind = (("Content-Type", "application/json"),)
    records = [
        warc_record(f"{BASE}{n}", f"2030-01-02T03:04:0{n}Z", 200, kind, json.dumps(page).encode())
        for n, page in enumerate(pages, 1)
    ]
    (folder / "warc" / "a.warc").write_bytes(b"".join(records))
    path = folder / "moving.py"
    path.write_text(SOURCE.format(place=str(folder / "warc")), encoding="utf-8")
    return str(path)


def publish(folder: Path, name: str) -> tuple[dict[str, str], str]:
    """Return the released documents (id → text), and the words of the run."""
    said = io.StringIO()
    progress = Progress(SafeConsole(file=said, width=2_000))
    workspace = Workspace.open(folder / "w")
    collect(workspace, name, progress)
    worker_pool.close()
    recipe = recipe_of("general")
    done = curate(workspace, recipe, [name], thread_mapper(1), progress)
    made = release(workspace, recipe, [name], done, thread_mapper(1), progress)
    files = sorted(made.folder.glob("data/**/*.parquet"))
    rows = [row for file in files for row in shard.read(file, ["id", "text"]).to_pylist()]
    return {row["id"]: row["text"] for row in rows}, said.getvalue()


def test_an_entry_of_two_pages_is_released_once(tmp_path: Path) -> None:
    name = write(tmp_path, [entry(1), entry(2), entry(3)], [entry(3), entry(4), entry(5)], [entry(5), entry(6)])
    found, said = publish(tmp_path, name)
    assert sorted(found) == [f"moving/e{n}" for n in range(1, 7)]
    assert "2 documents repeat the id of another, first moving/e3" in said


def test_of_an_entry_that_changed_the_latest_keeps_the_id_and_the_other_stays_beside_it(tmp_path: Path) -> None:
    name = write(tmp_path, [entry(1), entry(2)], [entry(2, "changed"), entry(3)])
    found, _ = publish(tmp_path, name)
    assert found["moving/e2"] == entry(2, "changed")["본문"]
    (other,) = set(found) - {f"moving/e{n}" for n in (1, 2, 3)}
    assert other.startswith("moving/e2#again-") and found[other] == entry(2)["본문"]


def test_an_entry_that_is_empty_on_one_page_does_not_cost_the_release(tmp_path: Path) -> None:
    name = write(tmp_path, [entry(1), entry(2)], [{"no": "e2", "본문": ""}, entry(3)])
    assert sorted(publish(tmp_path, name)[0]) == [f"moving/e{n}" for n in (1, 2, 3)]
    (folder,) = (tmp_path / "w" / "6-releases" / "general").glob("1.*")
    dropped = shard.read(folder / "audit" / "dropped.parquet", ["id", "reason"]).to_pylist()
    assert dropped == [{"id": "moving/e2#again", "reason": "empty"}], "not the id that is published"


def test_an_entry_twice_on_one_page_is_released_once(tmp_path: Path) -> None:
    name = write(tmp_path, [entry(1), entry(2), entry(2), entry(2)])
    assert len(publish(tmp_path, name)[0]) == 2


def test_a_withdrawn_entry_is_dropped_on_every_page(tmp_path: Path) -> None:
    name = write(tmp_path, [entry(1), entry(2), entry(3)], [entry(3, "changed"), entry(4)])
    home = Workspace.open(tmp_path / "w")
    tombstones.add(home.withdrawals, [Tombstone("id", "moving/e3", "2030-01-03", "요청")])
    assert sorted(publish(tmp_path, name)[0]) == [f"moving/e{n}" for n in (1, 2, 4)]


@pytest.mark.heavy
def test_a_withdrawal_after_a_release_reaches_every_page(tmp_path: Path) -> None:
    name = write(tmp_path, [entry(1), entry(2), entry(3)], [entry(3, "changed"), entry(4)])
    assert len(publish(tmp_path, name)[0]) == 5
    tombstones.add(Workspace(tmp_path / "w").withdrawals, [Tombstone("id", "moving/e3", "2030-01-03", "요청")])
    assert sorted(publish(tmp_path, name)[0]) == [f"moving/e{n}" for n in (1, 2, 4)]
