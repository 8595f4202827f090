"""A forecast draws what each access point can give, and leaves nothing of the sample behind."""

import json

import pytest

from crawlers.fetch import git_collector as git
from crawlers.fetch.job import Job, read_job
from flows.collect import collect
from flows.engine.progress import Progress
from flows.probing.forecast import CPU, forecast
from malmoi.archive import collection
from malmoi.errors import CallError, SourceError
from malmoi.statistics import Sample, read_strata
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_repository import serve as serve_repository
from tests.builders.small_site import Answer, serve
from tests.fetch.test_git import LICENCE, Definition, Git, source

FILES = """
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source("files", "견본", "발행처", Folder(Path({folder!r}), include=("*.txt",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),), rule=LicenceRule(("licence-file",)))
"""
BOARD = """
from crawlers.platforms import boards
import re
from malmoi.source import LicenceRule, Manners, Site, Source
BOARD = boards.Board(re.compile(r"/view\\?no=(\\d+)"), "{base}/view?no={{}}", re.compile("/list"), "page")
SOURCE = Source("board", "견본", "발행처", Site(("{base}/list?page=1",), ("{base}/",)),
    rule=LicenceRule(("rel-license",), selector=(("{base}/", "footer"),)),
    manners=Manners(delay=0.0, loopback=("{host}",)))
def follow(capture):
    return boards.follow(BOARD, capture)
def items(capture):
    return boards.items(BOARD, capture)
"""
DUMP = """
from pathlib import Path
from malmoi.source import Dump, LicenceClaim, LicenceRule, Source
SOURCE = Source("lines", "견본", "발행처", Dump(path=Path({path!r}), record="line"))
"""
PROSE = (
    "종이를 접는 사람들은 창가에 앉아 학을 접었다. 바람이 불면 학은 조금 흔들렸고, 아이들은 그것을 오래 바라보았다. "
)


def write_files(folder, count=80):
    """Texts of which every fourth is too short."""
    data = folder / "data"
    data.mkdir()
    (data / "LICENCE").write_text("CC BY 4.0")
    for n in range(count):
        (data / f"{n:03}.txt").write_text(f"{n} 번째 글. " + PROSE * (n % 4 * 3), "utf-8")
    path = folder / "files.py"
    path.write_text(FILES.format(folder=str(data)), "utf-8")
    return str(path)


def test_a_folder_is_foretold_from_some_of_its_files(home, tmp_path, recipe):
    path = write_files(tmp_path)
    found = forecast(home, path, recipe, Sample(40), Progress(quiet=True))
    assert (found.units, found.certainty, found.sampled) == (80, "counted", 40)
    kept = found.totals["kept characters"]
    collect(home, path, Progress(quiet=True))
    whole = sum(len(f"{n} 번째 글. " + PROSE * (n % 4 * 3)) for n in range(80) if n % 4)
    assert kept.low <= whole <= kept.high and kept.value == pytest.approx(whole, rel=0.1)
    short = found.totals["dropped: length: too-short"]
    assert short.low <= 20 <= short.high
    assert found.totals["licence: CC-BY-4.0"].value == pytest.approx(kept.value, rel=0.01)
    assert found.totals[CPU].value > 0 and found.totals["disk bytes"].value > 0
    assert forecast(home, path, recipe, Sample(40), Progress(quiet=True)).totals["kept characters"] == kept


def test_nothing_of_a_sample_stays_in_the_workspace(home, tmp_path, recipe):
    forecast(home, write_files(tmp_path, 10), recipe, Sample(5), Progress(quiet=True))
    assert not list(home.tmp.iterdir()) and not home.captures("files").exists()


@pytest.mark.heavy
def test_a_board_is_sampled_by_its_lists(home, tmp_path, recipe):
    with serve() as site:
        base = site.base
        mark = '<footer><a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY</a></footer>'
        html = {"Content-Type": "text/html; charset=utf-8"}
        for page in range(1, 6):
            links = "".join(f'<a href="/view?no={page * 100 + n}">글</a>' for n in range(20))
            site.answers[f"/list?page={page}"] = Answer(f"<html><body>{links}</body></html>".encode(), headers=html)
            for n in range(20):
                text = f"<html><body><article><p>{page * 100 + n} {PROSE * 5}</p></article>{mark}</body></html>"
                site.answers[f"/view?no={page * 100 + n}"] = Answer(text.encode(), headers=html)
        path = tmp_path / "board.py"
        path.write_text(BOARD.format(base=base, host=base.removeprefix("http://")), "utf-8")
        found = forecast(home, str(path), recipe, Sample(20), Progress(quiet=True))
        asked = sum(count for path, count in site.hits.items() if path.startswith("/view"))
    sizes = {one.name.partition("/")[2]: one.units for one in found.strata}
    assert sizes == {"list?page": 6, "view?no": 100} and found.certainty == "counted" and asked <= 22
    whole = sum(len(f"{page * 100 + n} {PROSE * 5}".strip()) for page in range(1, 6) for n in range(20))
    assert found.totals["kept characters"].value == pytest.approx(whole, rel=0.05)
    assert found.totals["seconds of fetching"].value >= 0


def test_blocks_of_a_dump_are_drawn_from_the_whole_of_it(tmp_path, home):
    (tmp_path / "lines.txt").write_text("".join(f"{n} {PROSE * 40}\n" for n in range(2000)), "utf-8")
    path = tmp_path / "lines.py"
    path.write_text(DUMP.format(path=str(tmp_path / "lines.txt")), "utf-8")
    collect(home, str(path), Progress(quiet=True), sample=Sample(5))
    (run,) = collection.runs(home.captures("lines"))
    how, (blocks,) = read_strata(run.facts)
    assert blocks.units > 10 and blocks.bytes == (tmp_path / "lines.txt").stat().st_size
    assert len(blocks.chosen) == len(run.rows) == 5 and {row.url for row in run.rows} == set(blocks.chosen)
    assert "the whole dump was read" in how and not run.facts["gone"]


def test_files_of_a_repository_are_drawn_and_its_licence_is_kept(tmp_path):
    with serve_repository(tmp_path / "served") as served:
        served.commit(LICENCE | {f"ko/{n}.md": b"#" * (n + 1) for n in range(30)})
        given = source(served, Git(served.url, include=("ko/**/*.md",)))
        git.collect(Job("small", tmp_path / "run", sample=Sample(6)), Definition(given), given.access)
        stats = json.loads((tmp_path / "run" / "stats.json").read_text())
    _, strata = read_strata(stats)
    assert sum(one.units for one in strata) == 30 and stats["fetched"] == 7 and not stats["gone"]
    assert all(url.startswith(f"{served.url}/blob/main/ko/") for one in strata for url in one.chosen)


@pytest.mark.heavy
def test_the_command_prints_intervals_and_the_size_of_a_better_sample(tmp_path, recipe_file):
    path = write_files(tmp_path)
    words = ("sources", "forecast", path, "--sample", "12", "--recipe", recipe_file)
    done = malmoi_in_process(*words, "--workspace", str(tmp_path / "w"))
    assert done.returncode == 0, done.stderr
    for said in ("drawn    files at random", "whole    80 files", "kept characters", "CC-BY-4.0", "Intervals: 95 %"):
        assert said in done.stdout, done.stdout
    said = json.loads(malmoi_in_process(*words, "--json", "--workspace", str(tmp_path / "w")).stdout)
    whole = {"units": 80, "of": "files", "counted": "counted", "sampled": 12, "expected": None, "most": None}
    assert said["whole"] == whole and said["shares"]["licence: CC-BY-4.0"]["value"] == 1.0
    assert said["totals"]["kept characters"]["low"] < said["totals"]["kept characters"]["high"]


def test_a_source_that_gives_nothing_is_not_foretold(home, tmp_path, recipe):
    with serve() as site, pytest.raises(SourceError):
        path = tmp_path / "board.py"
        path.write_text(BOARD.format(base=site.base, host=site.base.removeprefix("http://")), "utf-8")
        forecast(home, str(path), recipe, Sample(5), Progress(quiet=True))


@pytest.mark.parametrize("sample", [3, {"size": 0, "seed": ""}, {"size": 3}, {"size": "3", "seed": ""}])
def test_a_wrong_sample_of_a_job_is_refused(tmp_path, sample):
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"source": "a", "run_dir": "b", "sample": sample}))
    with pytest.raises(CallError, match="sample"):
        read_job(path)
    path.write_text(json.dumps({"source": "a", "run_dir": "b", "sample": {"size": 3, "seed": "x"}}))
    assert read_job(path).sample == Sample(3, "x")
