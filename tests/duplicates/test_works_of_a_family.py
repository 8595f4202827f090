"""Sources of one family give access to the same works: a release holds one document of each, and verifies."""

from pathlib import Path

from data_cards import render_card
from flows import run as runs
from flows.collect import collect
from flows.curate import curate
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from flows.release import release
from malmoi.releases.verification.verify import verify
from malmoi.workspace import Workspace
from tests.builders.small_papers import PLANT, VILLAGE, audit, data, paper, written


def second_source(root: Path, texts: dict[str, str]) -> str:
    """Another source of the same family, whose files have the same names."""
    folder = root / "second"
    folder.mkdir()
    for name, said in texts.items():
        (folder / f"{name}.txt").write_text(said + "\n", encoding="utf-8")
    (folder / "LICENCE.txt").write_text("CC BY 4.0으로 이용할 수 있다.\n", encoding="utf-8")
    code = (root / "papers.py").read_text("utf-8").replace(str(root / "papers"), str(folder))
    (root / "second.py").write_text(code.replace('name="papers"', 'name="second"'), encoding="utf-8")
    return str(root / "second.py")


def test_of_one_work_one_document_is_released_whatever_the_texts(tmp_path):
    source, recipe_name = written(tmp_path, {"1": paper(VILLAGE), "2": paper(PLANT)})
    (tmp_path / "papers.py").write_text(
        (tmp_path / "papers.py").read_text("utf-8").replace('publisher="시험"', 'publisher="시험", family="works"'),
        encoding="utf-8",
    )
    other = second_source(tmp_path, {"1": paper(PLANT[:4] + VILLAGE[:12]), "3": paper(VILLAGE[:4] + PLANT[:12])})
    home, quiet = Workspace.open(tmp_path / "w"), Progress(quiet=True)
    recipe = runs.recipe_of(recipe_name)
    worker_pool.configure(0)
    try:
        for one in (source, other):
            collect(home, one, quiet)
        curated = curate(home, recipe, (source, other), executors.thread_mapper(1), quiet)
        made = release(home, recipe, (source, other), curated, executors.thread_mapper(1), quiet)
    finally:
        worker_pool.configure(None)
    assert set(data(made.folder)["id"].to_pylist()) == {"papers/1.txt", "papers/2.txt", "second/3.txt"}
    dropped = [(row["id"], row["filter"], row["reason"]) for row in audit(made.folder, "dropped")]
    assert dropped == [("second/1.txt", "exact_duplicates", "same-work")]
    assert [(row["member"], row["keeper"], row["kind"]) for row in audit(made.folder, "clusters")] == [
        ("second/1.txt", "papers/1.txt", "exact")
    ]
    assert verify(made.folder, render=render_card) == []
