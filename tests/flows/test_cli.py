"""The command line: what is wrong is said in one sentence with its exit status, never in a traceback."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from flows.cli.options import NEXT_VERSION
from malmoi.errors import CallError
from tests.builders.small_corpus import make, malmoi, malmoi_in_process, sums


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    root = tmp_path_factory.mktemp("cli")
    source = make(root, pages=12)
    done = malmoi_in_process("run", "general", "--source", source, "--workspace", root / "w")
    assert done.returncode == 0, done.stderr
    return source, root / "w", root / "w" / "6-releases" / "general" / "1.0.0"


def refused(status: int, says: str, *arguments: object, run=malmoi_in_process) -> None:
    done = run(*arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert says in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def warc_source(folder: Path, archive: Path) -> Path:
    path = folder / "archive.py"
    path.write_text(
        "from pathlib import Path\nfrom malmoi.source import LicenceClaim, Source, Warc\n"
        f"SOURCE = Source('archive', 'a', 'b', Warc((Path({str(archive)!r}),)))\n",
        encoding="utf-8",
    )
    return path


def test_an_unknown_option_is_a_wrong_call():
    refused(2, "--bogus", "run", "--bogus", run=malmoi)


def test_no_source_is_collected_where_another_is_unknown_or_stands_twice(tmp_path):
    source = make(tmp_path, 2)
    for other, says in (("nope", "no source is called 'nope'"), (source, "name each source once")):
        refused(2, says, "collect", source, other, "--workspace", tmp_path / "w")
        assert not (tmp_path / "w").exists()


def test_a_missing_source_names_those_there_are(tmp_path):
    refused(2, "sample", "collect", "nowhere", "--workspace", tmp_path / "w")


def test_an_unknown_key_of_a_recipe_is_named_with_its_filter(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'name = "r"\npurpose = "p"\nunredacted = "x"\n[[clean]]\nfilter = "rights"\nuse = 1\n', encoding="utf-8"
    )
    refused(2, "filter 'rights': unknown key 'use'", "run", recipe, "--workspace", tmp_path / "w")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no record"),
        (b"not an archive", "not a WARC file"),
        (gzip.compress(b"WARC/1.0\r\n", mtime=0), "WARC"),  # the same name of the case in every process
    ],
)
def test_an_archive_that_is_none_stops_its_source_and_says_why(tmp_path, content, says):
    archive = tmp_path / "a.warc.gz"
    archive.write_bytes(content)
    refused(3, says, "collect", warc_source(tmp_path, archive), "--workspace", tmp_path / "w")


def test_nothing_collected_says_what_to_run(tmp_path):
    refused(2, "malmoi collect", "curate", "general", "--source", make(tmp_path, 2), "--workspace", tmp_path / "w")


def test_a_licence_file_without_the_words_stops_the_source(tmp_path):
    source = make(tmp_path, 2)
    (tmp_path / "pages" / "LICENCE.txt").write_text("모든 권리를 보유함", encoding="utf-8")
    refused(3, "LICENCE.txt", "collect", source, "--workspace", tmp_path / "w")


def test_the_open_web_is_not_touched_without_a_contact_and_a_terms_check(tmp_path):
    path = tmp_path / "web.py"
    path.write_text(
        "from malmoi.source import Site, Source\n"
        "SOURCE = Source('web', 'a', 'b', Site(('https://web.example/',), ('https://web.example/',)))\n",
        encoding="utf-8",
    )
    refused(2, "contact", "collect", path, "--workspace", tmp_path / "w")


def test_a_version_that_stands_is_not_made_again(released):
    source, workspace, _ = released
    refused(2, "never edited", "release", "general", "--source", source, "--workspace", workspace, "--version", "1.0.0")


@pytest.mark.parametrize("version", ["v2", "1.2", "../../../evil", "01.0.0", "0.9.0"])
def test_a_version_that_is_none_or_lower_is_refused_before_anything_is_written(released, version):
    source, workspace, folder = released
    refused(2, version, "release", "general", "--source", source, "--workspace", workspace, "--version", version)
    assert sorted(p.name for p in folder.parent.iterdir()) == ["1.0.0", "costs", "latest"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--version", "banana"), "version 'banana' is not MAJOR.MINOR.PATCH"),
        (("--version", "1.0.0-rc1"), "version '1.0.0-rc1'"),
        (("--version", "1.0.0 "), "version '1.0.0 '"),
        (("--contact", "me"), "contact 'me' is not an address"),
        (("--contact", "https://"), "contact 'https://' is not an address"),
        (("--contact", "담당자@example.kr"), "is not an address"),
        (("--source", "{source}"), "name each source once"),
        (("--source", "{folder}/../{name}/small.py"), "name each source once"),
        (("--source", "nope"), "no source is called 'nope'"),
    ],
)
def test_a_run_that_can_only_fail_is_refused_before_it_makes_anything(tmp_path, options, says):
    source = make(tmp_path, 2)
    options = [one.format(source=source, folder=tmp_path, name=tmp_path.name) for one in options]
    refused(2, says, "run", "general", "--source", source, "--workspace", tmp_path / "w", *options)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("recipe", ["gnral", "/etc/passwd", "../recipes/general", "", "general.toml"])
def test_an_unknown_recipe_is_refused_before_anything_is_made(tmp_path, recipe):
    refused(2, recipe, "run", recipe, "--source", make(tmp_path, 2), "--workspace", tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_the_history_keeps_every_recipe(released, tmp_path):
    source, workspace, _ = released
    text = (Path(__file__).parents[2] / "flows" / "recipes" / "general.toml").read_text(encoding="utf-8")
    recipe = tmp_path / "other.toml"
    recipe.write_text(text.replace('name = "general"', 'name = "other"'), encoding="utf-8")
    done = malmoi_in_process("release", recipe, "--source", source, "--workspace", workspace)
    assert done.returncode == 0, done.stderr
    history = json.loads((workspace / "6-releases" / "releases.json").read_text(encoding="utf-8"))
    assert {name: entry["latest"] for name, entry in history.items()} == {"general": "1.0.0", "other": "1.0.0"}


def test_a_source_that_fails_does_not_stop_the_others_but_nothing_is_released_without_it(tmp_path):
    good = make(tmp_path / "good", 3)
    bad = make(tmp_path / "bad", 3)
    bad.write_text(bad.read_text(encoding="utf-8").replace('name="small"', 'name="bad"'), encoding="utf-8")
    (tmp_path / "bad" / "pages" / "broken.csv").write_text('id,본문\n1,"a\n', encoding="utf-8")
    bad.write_text(bad.read_text(encoding="utf-8").replace('"*.csv"', '"*.csv", "broken.csv"'), encoding="utf-8")
    done = malmoi_in_process("run", "general", "--source", good, "--source", bad, "--workspace", tmp_path / "w")
    assert done.returncode == 3 and "broken.csv" in done.stderr and "Traceback" not in done.stderr
    assert list((tmp_path / "w" / "2-documents").glob("*/ledger.json"))
    assert not (tmp_path / "w" / "6-releases").exists()


def test_a_fault_of_our_own_has_its_own_sentence_and_status(capsys):
    from flows.cli.main import run_guarded

    def fail() -> None:
        raise KeyError("x")

    assert run_guarded(fail) == 3
    assert "internal error (KeyError in test_cli.py" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_stopped_run_says_so_and_goes_on_from_there(tmp_path):
    import signal
    import time

    source = make(tmp_path, 12)
    command = [
        sys.executable,
        "-m",
        "flows.cli.main",
        "run",
        "general",
        "--source",
        source,
        "--workspace",
        tmp_path / "w",
    ]

    def listen() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell may start its jobs deaf to Ctrl-C

    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, preexec_fn=listen)
    while not list((tmp_path / "w").glob("1-captures/*/*/run.json")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 3 and "Finished work is kept" in said and "Traceback" not in said
    assert malmoi_in_process("run", "general", "--source", source, "--workspace", tmp_path / "w").returncode == 0


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_is_none_is_refused(tmp_path, limit):
    refused(2, "--limit", "collect", "sample", "--workspace", tmp_path / "w", f"--limit={limit}")


@pytest.mark.heavy
def test_a_maximum_file_size_is_said_and_leaves_nothing_half_done(released, tmp_path):
    source, _, _ = released
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from flows.cli.main import main; main()"
    )
    command = [sys.executable, "-c", code, "run", "general", "--source", source, "--workspace", tmp_path / "w"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3, done.stderr
    assert "a file has reached the maximum size (" in done.stderr and "Traceback" not in done.stderr
    assert "Partial output does not count" in done.stderr and "disk" not in done.stderr
    again = malmoi_in_process("run", "general", "--source", source, "--workspace", tmp_path / "w")
    assert again.returncode == 0, again.stderr


LOST = "general 1.0.0 holds {} documents of sources that this call does not name (small {}); the next version would be"


def test_documents_of_sources_that_a_call_leaves_out_are_not_lost_without_a_word(released, tmp_path, monkeypatch):
    source, workspace, folder = released
    count = json.loads((folder / "manifest.json").read_text("utf-8"))["documents"]
    lost = LOST.format(count, count)
    other = tmp_path / "other.py"
    other.write_text(source.read_text("utf-8").replace('name="small"', 'name="other"'), encoding="utf-8")
    place = ("--source", other, "--workspace", workspace)
    for options in (("run", "general"), ("run", "general", "--dry-run"), ("release", "general")):
        refused(2, f"{lost} without them. Nothing was started. Name these sources too, or", *options, *place)
    for allowed in (("--replace",), ("--source", source)):
        assert malmoi_in_process("run", "general", *place, *allowed, "--dry-run").returncode == 0

    questions = []
    monkeypatch.setattr(main, "ask", lambda question: questions.append(question) or True)
    chosen = (workspace, "general", [str(other)], NEXT_VERSION)
    assert main._confirm_replacement(*chosen, ask_person=True) is True and lost in questions[0]
    monkeypatch.setattr(main, "_confirm_replacement", lambda *_, **__: False)  # as before another run has released
    refused(2, lost, "run", "general", *place)
    assert not (workspace / "1-captures" / "other").exists()


@pytest.mark.parametrize("flow", ["run", "release", "refresh"])
def test_a_flow_refuses_to_lose_documents_and_names_the_parameter(released, tmp_path, flow):
    from flows import prefect_flows

    source, workspace, _ = released
    other = tmp_path / "other.py"
    other.write_text(source.read_text("utf-8").replace('name="small"', 'name="other"'), encoding="utf-8")
    with pytest.raises(CallError, match=r"general 1\.0\.0 holds .* \(small .*set `replace`"):
        getattr(prefect_flows, flow).fn("general", [str(other)], workspace=str(workspace))
    assert not (workspace / "1-captures" / "other").exists()


def redirected(redirect: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", f'"$0" -m flows.cli.main "$@" {redirect}', sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("redirect", "says"),
    [
        ("<&- >&- 2>&-", ""),
        ("> /dev/full", "standard output cannot be written (No space left on device); the rest of it is lost."),
    ],
)
def test_output_that_is_closed_or_full_ends_no_run(tmp_path, released, redirect, says):
    source, workspace, _ = released
    shutil.copytree(workspace, tmp_path / "w")
    (tmp_path / "w" / "6-releases" / "made-from.json").unlink()  # so that the release is computed again
    done = redirected(redirect, "run", "general", "--source", source, "--workspace", tmp_path / "w")
    assert done.returncode == 0 and says in done.stderr and done.stderr.count("malmoi: ") == bool(says), done.stderr
    assert (tmp_path / "w" / "6-releases" / "made-from.json").exists()


def test_a_result_that_cannot_be_written_is_a_failure_of_standard_output_and_not_of_the_disk():
    done = redirected("> /dev/full", "--version")
    assert done.returncode == 3 and done.stderr == (
        "malmoi: standard output cannot be written (No space left on device); the rest of it is lost.\n"
    )


def test_an_edited_shard_does_not_verify(released, tmp_path):
    _, _, folder = released
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert malmoi_in_process("verify", copy).returncode == 0
    shard = next(copy.glob("data/**/*.parquet"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    done = malmoi("verify", copy)
    assert done.returncode == 1
    assert shard.name in done.stdout and "Traceback" not in done.stderr


def test_verify_of_something_else_is_a_wrong_call(tmp_path):
    refused(2, "not a release", "verify", tmp_path)


def test_a_dry_run_writes_nothing(released, tmp_path):
    source, _, _ = released
    done = malmoi_in_process("run", "general", "--source", source, "--workspace", tmp_path / "new", "--dry-run")
    assert done.returncode == 0 and "small" in done.stdout
    assert not (tmp_path / "new").exists()


def test_status_shows_captures_stages_and_releases(released):
    source, workspace, _ = released
    done = malmoi_in_process("status", "--workspace", workspace, "--source", source)
    assert done.returncode == 0
    assert "5-curated" in done.stdout and "release general 1.0.0" in done.stdout and "0 of" in done.stdout


def test_why_tells_a_documents_path_in_workspace_and_release(released):
    _, workspace, folder = released
    dropped = malmoi_in_process("why", workspace, "small/rows.csv#1")
    assert dropped.returncode == 0 and "LICENCE.txt" in dropped.stdout
    kept = next(line for line in sums(workspace).splitlines() if "data/" in line)
    import pyarrow.parquet as pq

    doc_id = pq.read_table(folder / kept.split("  ")[1], columns=["id"], partitioning=None)["id"][0].as_py()
    done = malmoi_in_process("why", folder, doc_id)
    assert done.returncode == 0 and "CC-BY-4.0" in done.stdout
    refused(2, "no document", "why", workspace, "small/none")


@pytest.mark.parametrize(
    ("stage", "row", "field"),
    [
        ("extract", {"id": "a", "url": "https://a.example/", "html": "<p>" + "글이 있다. " * 40 + "</p>"}, "text"),
        ("language", {"id": "a", "text": "한국어 문장입니다."}, "hangul_share"),
        ("clean", {"id": "a", "text": "두  칸"}, "edits"),
        ("judge", {"id": "a", "text": "짧다."}, "reason"),
        ("segment", {"id": "a", "text": "밥을 먹었다. 잠을 잔다."}, "morphemes"),
        ("pii", {"id": "a", "text": "전화 010-0000-1234로 연락하세요."}, "found"),
        ("duplicates", {"id": "a", "text": "하나뿐이다."}, "cluster"),
        (
            "rights",
            {"id": "a", "html": '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC</a>'},
            "use",
        ),
    ],
)
def test_try_prints_one_object_a_line(tmp_path, stage, row, field):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    done = malmoi_in_process("try", stage, "--jsonl", path)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    answer = json.loads(line)
    assert answer["id"] == "a" and field in answer


def test_try_names_the_line_that_is_no_utf8(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes('{"id": "a", "text": "가"}\n'.encode("cp949"))
    refused(2, ":1: not a JSON object in UTF-8", "try", "language", "--jsonl", path)


def test_try_names_the_line_that_is_no_json(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "가"}\n{broken\n', encoding="utf-8")
    refused(2, ":2: not a JSON object", "try", "language", "--jsonl", path)


def test_the_catalogue_is_shown():
    done = malmoi("sources", env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0 and "sample" in done.stdout
