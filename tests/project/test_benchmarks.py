"""The comparison with datatrove: the same counting for both, its rules as published, and errors that say what to do."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks import measure, peer, profile, smoke
from benchmarks.peers import datatrove_stage as stage

CONFIG = Path(__file__).parents[3] / "shared" / "corpora" / "fineweb2-ko-wordlists" / "configs" / "kor_Hang.yml"


def written(folder: Path, name: str, *texts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": list(texts), "id": [str(i) for i in range(len(texts))]}), folder / name)
    return folder / name


def test_a_line_counts_once_over_all_files(tmp_path):
    files = [written(tmp_path, "a.parquet", "가나\n다", "가나"), written(tmp_path, "b.parquet", "다\n라마바")]
    assert measure.kept(files) == {"kept": 3, "kept_chars": 11, "kept_distinct_chars": 6}


def test_nothing_kept_is_counted_as_nothing():
    assert measure.kept([]) == {"kept": 0, "kept_chars": 0, "kept_distinct_chars": 0}


@pytest.mark.heavy
def test_what_a_command_prints_goes_to_its_log(tmp_path):
    usage = measure.run([sys.executable, "-c", "print('한 줄')"], {"PYTHONUTF8": "1"}, tmp_path / "log")
    assert (usage.status, (tmp_path / "log").read_text(encoding="utf-8")) == (0, "한 줄\n")


def test_the_thresholds_are_those_of_fineweb2():
    if not CONFIG.exists():
        pytest.skip("the corpus fineweb2-ko-wordlists is not here")
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    ours = {**stage.REPETITION, **stage.LINES, **stage.WORDS, "stopwords": stage.WORDS["stop_words"]}
    for name in config.keys() - {"language_score"}:
        value = ours[name]
        assert ([list(pair) for pair in value] if name.endswith("n_grams") else value) == config[name], name


def test_every_version_of_the_peer_is_exact():
    lines = [line for line in peer.REQUIREMENTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert {"datatrove==0.10.1", "kiwipiepy==0.21.0", "trafilatura==2.3.1"} <= set(lines)
    assert all(line.count("==") == 1 and " " not in line and "/" not in line for line in lines)


def test_the_peer_can_be_left_out(monkeypatch):
    monkeypatch.setenv("BENCH_PEER", "none")
    assert peer.python() is None


def test_a_peer_that_is_not_there_is_said_so(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_PEER", str(tmp_path / "python"))
    with pytest.raises(peer.PeerError, match="where no Python is; name one, or BENCH_PEER=none"):
        peer.python()


def test_an_environment_is_made_once_and_anew_when_its_versions_change(monkeypatch, tmp_path):
    calls = []

    class Finished:
        returncode = 0

    def noted(command, *, check):
        calls.append(command[2])
        peer.HOME.mkdir(exist_ok=True)
        return Finished()

    monkeypatch.delenv("BENCH_PEER", raising=False)
    monkeypatch.setattr(peer.subprocess, "run", noted)
    monkeypatch.setattr(peer, "HOME", tmp_path / "peer")
    monkeypatch.setattr(peer, "REQUIREMENTS", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("a==1\n")
    peer.python()
    peer.python()
    assert calls == ["venv", "pip"]
    (tmp_path / "requirements.txt").write_text("a==2\n")
    assert peer.python() == tmp_path / "peer" / "bin" / "python"
    assert calls == ["venv", "pip", "venv", "pip"]


STUB = """
import sys, pathlib, shutil
name, before, out = sys.argv[1:]
if name == {broken!r}: sys.exit("no such model")
pathlib.Path(out, "text").mkdir(parents=True)
if name == "sign": shutil.copy({texts!r}, pathlib.Path(out, "text"))
else: assert name == "extract" or pathlib.Path(before).name == "extract"
"""


def stub(monkeypatch, folder: Path, broken: str = "") -> None:
    texts = written(folder, "texts.parquet", "가\n가", "나")
    (folder / "stub.py").write_text(STUB.format(broken=broken, texts=str(texts)))
    monkeypatch.setattr(peer, "SCRIPT", folder / "stub.py")


@pytest.mark.heavy
def test_the_stages_of_the_peer_run_one_behind_the_other_and_yield_the_keys_of_ours(monkeypatch, tmp_path):
    stub(monkeypatch, tmp_path)
    found = peer.run(Path(sys.executable), tmp_path / "x.warc.gz", tmp_path / "peer", 4)
    assert list(found["stages"]) == ["extract", "quality", "sign"]
    assert (found["pages"], found["kept"], found["kept_chars"], found["kept_distinct_chars"]) == (4, 2, 4, 2)
    assert found["cpu_ms_per_page"] == pytest.approx(250 * sum(found["stages"].values()))
    assert peer.table(found, found).row_count == 9


@pytest.mark.heavy
def test_a_stage_of_the_peer_that_fails_is_named_with_the_end_of_its_log(monkeypatch, tmp_path):
    stub(monkeypatch, tmp_path, broken="quality")
    with pytest.raises(peer.PeerError, match=r"stage quality ended with status 1:\nno such model"):
        peer.run(Path(sys.executable), tmp_path / "x.warc.gz", tmp_path / "peer", 4)


GRAPH = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:fg="http://github.com/jonhoo/inferno"><svg id="frames">
<g><title>all (9 samples, 100%)</title><rect y="0" fg:x="0" fg:w="9"/></g>
<g><title>walk (malmoi/apply.py:7) (9 samples, 100.00%)</title><rect y="16" fg:x="0" fg:w="9"/></g>
<g><title>make.&lt;locals&gt;.read (crawlers/a.py:1) (4 samples, 44.44%)</title><rect y="32" fg:x="2" fg:w="4"/></g>
</svg></svg>"""


def test_a_flame_graph_is_read_back_as_samples_of_functions(tmp_path, capsys):
    (tmp_path / "graph.svg").write_text(GRAPH, encoding="utf-8")
    drawn = profile.frames(tmp_path / "graph.svg")
    own, whole = profile.count_samples(drawn)
    walk, read = "walk (malmoi/apply.py)", "make.<locals>.read (crawlers/a.py)"
    assert (own, whole) == ({walk: 5, read: 4}, {walk: 9, read: 4})
    profile.table(drawn, cpu=1.5)
    assert "1.5 s of CPU, 9 samples" in (told := capsys.readouterr().out)
    assert "malmoi 56%  crawlers 44%" in told


def test_a_profile_without_its_corpus_says_what_to_name(monkeypatch, capsys):
    monkeypatch.setattr(profile, "find_archive", lambda: None)
    assert profile.main("profile.svg") == 2
    assert "BENCH_CORPUS" in capsys.readouterr().err


def test_every_benchmark_is_run_on_its_smallest_input():
    """A module with a command is a case of `make bench-smoke`, or a part that a case runs in a process of its own."""
    commands = {
        path.relative_to(smoke.HERE).with_suffix("").as_posix().replace("/", ".")
        for path in smoke.HERE.rglob("*.py")
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    }
    parts = {"drive", "parts", "smoke", "orchestration.counted_run", "orchestration.empty_tasks"}
    others = {
        "dump",
        "mutations",
        "formats.pdf_layouts",
        "formats.write_hanyang_letters",
    }  # tools, and what needs an office
    peers = {name for name in commands if name.startswith("peers.")}  # in environments of their own
    assert {case.module for case in (*smoke.CASES, *smoke.LONG)} == commands - parts - others - peers


@pytest.mark.heavy
def test_the_long_benchmarks_run(capfd):
    assert smoke.main(smoke.LONG) == 0, capfd.readouterr().out


def test_a_benchmark_that_fails_is_named_with_its_last_lines(tmp_path):
    case = smoke.Case("spam", "spam {folder}/nowhere.jsonl")
    ((ended, status, _),) = smoke.run_all([case], tmp_path, {"folder": str(tmp_path)})
    assert (ended, status) == (case, 1)
    assert "nowhere.jsonl" in (tmp_path / "spam.log").read_text(encoding="utf-8")
