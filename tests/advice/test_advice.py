"""Each message names a remedy, and the remedy helps: every one is provoked, followed, and seen to succeed.

A case (tests/advice_*.py) is a generator: it yields the command that must fail with its message, does what the
message says, and yields the command that must succeed. The last test reads the
source and knows which messages have no case.
"""

import ast
import re
import shlex
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from flows.cli.main import app, run_guarded
from tests.advice import (
    advice_ablate,  # noqa: F401
    advice_calls,  # noqa: F401  # each registers its cases
    advice_erasure,  # noqa: F401
    advice_expectations,  # noqa: F401
    advice_export,  # noqa: F401
    advice_finds,  # noqa: F401
    advice_folders,  # noqa: F401
    advice_inspect,  # noqa: F401
    advice_probes,  # noqa: F401
    advice_reading,  # noqa: F401
    advice_releases,  # noqa: F401
    advice_repositories,  # noqa: F401
    advice_reviews,  # noqa: F401
    advice_rules,  # noqa: F401
    advice_sources,  # noqa: F401
    advice_try,  # noqa: F401
    advice_versions,  # noqa: F401
    advice_workspace,  # noqa: F401
)
from tests.advice.advice import CASES, Place
from tests.builders.small_corpus import make

ROOT = Path(__file__).resolve().parents[2]
WATCHED = (
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "flows").rglob("*.py")),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "malmoi/export").glob("*.py")),
    "malmoi/releases/sampling/__init__.py",
    "malmoi/workspace.py", "malmoi/storage/location.py", "malmoi/recipe.py",
    "malmoi/recipe_files.py", "malmoi/storage/checksummed_files.py", "malmoi/ledger.py",
    "crawlers/catalogue.py", "crawlers/local_files.py", "crawlers/collect.py",
    "crawlers/proofs.py", "crawlers/extract.py", "crawlers/licence_rules.py",
    "crawlers/rights/claims.py", "crawlers/tables.py", "malmoi/licensing/review_file.py",
)  # fmt: skip
ERRORS = {"CallError", "SourceError", "StageError", "DataError", "CaptureError", "TableError"}
# Messages without a case here, each with its reason.
ELSEWHERE = {
    "cannot listen on port {} of {} ({}); pass another --port, or leave it out for a free one.":
    "a server that does not end; tests/review/test_review_server.py",
    "{} is in use by another run ({}); wait for its end.": "needs a second run; tests/ablation/test_ablate.py",
    "--engine ray needs the package ray; install the extra: pip install 'malmoi[ray]'.": "tests have every extra",
    "--engine dask needs the package distributed; install the extra: pip install 'malmoi[dask]'.": "tests have it",
    "no Dask scheduler answers at {} ({}). Give --address as `dask scheduler` prints it, such as tcp://10.0.0.5:8786.":
    "needs a cluster; tests/flows/test_engines.py",
    "no Ray cluster answers at {} ({}). Give --address as `ray start --head` prints it, such as "
    "10.0.0.5:6379.": "needs a cluster; tests/flows/test_engines.py",
    "the Ray cluster at {} does not accept this machine: its token is missing or wrong here. Export "
    "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH=FILE with the token of the cluster, which `ray get-auth-token` prints "
    "on its head.": "needs a cluster with a token; tests/flows/test_engines.py",
    "--address {} names a cluster; say which by --engine ray or --engine dask.": "tests/flows/test_engines.py",
    "the Dask scheduler at {} has no workers; start `dask worker {}` first.": "tests/flows/test_engines.py",
    "the Dask cluster lost a task {} times or is gone ({}). Finished work is kept. Look at its dashboard and the "
    "memory of the workers, then run the same command again.": "tests/flows/test_engines.py",
    "the Ray cluster lost a task {} times or is gone ({}). Finished work is kept. Look at `ray status` and the memory "
    "of the nodes, then run the same command again.": "tests/flows/test_engines.py",
    "node {} has other software than this machine ({}), so its results could differ. Install the same version of "
    "malmoi and of its locked dependencies on every node.": "tests/flows/test_engines.py",
    "node {}: {}": "wraps a message that has a case of its own; tests/bucket/test_engines_in_bucket.py",
    "{} is not the local copy of a bucket.": "an invariant of a task",
    "MALMOI_ALERT_URL is not an http(s) address; export the webhook that alerts are posted to.": "test_alerts.py",
    "no Prefect server is named; export PREFECT_API_URL, and run again.": "tests/flows/test_alerts.py",
    "the Prefect server of {}, {}, refused or did not answer ({}: {}). Start it, or correct {}, and run again.":
    "tests/flows/test_alerts.py",
    "{}: other runs have held {} for {} hours. If none collects from there, free it: prefect global-concurrency-limit "
    "update LIMIT --active-slots 0": "needs a run that holds a host for hours",
    "{}: {} does not exist; correct the path in its file.": "tests/flows/test_alerts.py",
    "{}: {}": "wraps a message that has a case of its own (malmoi/recipe.py)",
    "{}: filter {}: {}": "wraps a message that has a case of its own",
    "{}: [{}]: {}": "wraps a message of pydantic; tests/releases/test_expectations.py, tests/cards/test_publisher.py",
    "{}: {} Run malmoi verify on it; move it away or restore it.": "test_a_damaged_release_is_moved_away",
    "{}: {}: {} ({}). The release is damaged. Restore its files from a copy of it, such as a place to which it was "
    "published; or move the folder (of a bucket: its objects) away and run again: the version is made anew, with what "
    "was collected since.": "test_a_damaged_release_is_never_called_current_and_can_be_made_again",
    "{}/{}: the object is missing, and the bucket has {} others of this release. Restore it from a copy of the "
    "release.": "tests/bucket/test_bucket_commands.py",
    "{} has schema {}, this version writes {}. Release again with this version, then erase: the earlier versions lose "
    "the documents too.": "needs a release of an earlier version of Malmoi",
    "the new release does not verify ({}); nothing was published. Run the same command again; if it says the same, "
    "report this line as a fault of Malmoi.": "an invariant",
    "{} {} is not the latest version, {}. Name {}: the patch is made of the latest version, and all earlier ones lose "
    "the documents too.": "needs a version of other documents; tests/releases/test_erasure.py",
    "{}: this erasure was stopped, and cannot be continued: {}": "wraps a message that has a case of its own",
    "survey of {}: {} has no sketch ({}). Nothing was written; look at its text with `malmoi why {} {}`, and lower "
    "`max_chars` of the length filter if it is too long.": "needs a text beyond the limits of a worker",
    "{}: has no ledger. Delete it and run again: it is created anew.": "an invariant of commit",
    "{}: {} is fetched over the network, not read from disk.": "an invariant: only Folder and Warc come here",
    "filters/{}.py has {}; a filter is one file with one of {}.": "for who writes a filter: no call of a user meets it",
    "filter {} and another give the survey {} different parameters.": "of the shipped filters one sets each survey",
    "{}: Python cannot load this file; check its name": "the name ends in .py, so Python can",
    "{} changed while it was read. Run the same command again.": "a race; tests/export/test_export.py",
    "{}: changed since the recipe was read. Start the run again.": "a race; tests/filters/test_evaluation_files.py",
    "{}: {}; it was there when the recipe was read.": "a race",
    "{} does not answer ({}: {}). Finished work is kept. {}": "tests/flows/test_prefect.py",
    "{}: the worker process ended each time ({}). Nothing was published. Look at the kernel's log for the OOM killer, "
    "give the machine more memory or use fewer `--workers`, then run the same command again.":
        "needs a machine without memory; tests/flows/test_worker_jobs.py",
    "MALMOI_HOME is {}, not an absolute path; export MALMOI_HOME=$PWD in the folder of your workspace, and deploy "
    "again.": "tests/flows/test_prefect.py",
    "{}: CSV that cannot be read ({}). Repair the file and collect again.": "no file is known to provoke it; "
    "tests/formats/test_formats_faults.py plays it",
    "{}, line {}: CSV that cannot be read ({}). Repair the file and collect again.": "no file is known to provoke it",
    "{}/{}: in = kept + dropped + failed does not hold: {}": "an invariant; tests/malmoi/test_ledger.py",
    "{}/{}: negative counts: {}": "an invariant; tests/malmoi/test_ledger.py",
    "{}: {}, on which a claim rests, cannot be read ({}); a claim needs its proof. Check it; name another page or "
    "file in the LicenceClaim, or retire the source.": "needs a site; tests/fetch/test_fetch_losses.py",
    "{} is the masked id of a published document, whose page may show personal data that the release replaced; a "
    "workspace uses the full id. Pass the folder of the release: `malmoi why RELEASE {}`.": "tests/flows/test_why.py",
    "workspace {} {}": "tests/malmoi/test_location.py",
    "{} is the local copy of a bucket at another address than AWS_ENDPOINT_URL names; set that variable as it was, or "
    "name the workspace as s3://BUCKET/PREFIX.": "tests/malmoi/test_location.py",
    "workspace {} cannot be used ({}: {}); name a folder that you may write to, or get the permission.":
        "tests/malmoi/test_location.py",
    "{}: the licence page {} could not be fetched in this run ({}); a claim needs its proof. Check the page; correct "
    "url of the LicenceClaim if it has moved, or retire the source.": "needs a site; test_collection.py",
    "{}: the licence file {} is not in the repository; a claim needs its proof. Check the repository; correct file of "
    "the LicenceClaim if it has moved, or retire the source.": "needs a repository; tests/fetch/test_git.py",
    "{}: no document has a host that can be asked; its sources are folders or dumps.": "the release stays as it is",
    "--contact is missing; the hosts must see whom to write to: a mail address or a page.":
        "needs a site; tests/fetch/test_policy_recheck.py",
    "nothing was requested: answer y, or give --yes to send these requests.": "needs a terminal; "
    "tests/fetch/test_policy_recheck.py",
    "{}: {} reserved since. Take them out with `malmoi erase` (--id, or --url-prefix for a host), or collect and "
    "release again.": "needs a site; tests/fetch/test_policy_recheck.py",
    "{} The next collect fetches this page again and keeps the other pages.": "needs a site; test_collection.py",
    "{}: its {} has {} entries, and had {} before, so no entry counts as gone. Look at the answers and collect again; "
    "if the loss is real, write expect=Expect(at_least=0) into the source file for one collection.":
        "needs a site; tests/fetch/test_attachments.py",
}  # fmt: skip


def _replace_by_folder(path: Path) -> None:
    """The superuser may read every file; a folder no one can read as a file."""
    path.unlink()
    path.mkdir()


# What happens between two commands of a first step.
MEANWHILE: dict[str, Callable[[Place], None]] = {
    "changed": lambda place: place.edit("pages/a.txt", "한 줄", "두 줄"),
    "gone": lambda place: (place.folder / "pages" / "b.txt").unlink(),
    "closed": lambda place: _replace_by_folder(place.folder / "pages" / "b.txt"),
    "changed inputs": lambda place: place.edit("half.jsonl", "가", "나"),
    "renamed": lambda place: place.edit("own.py", '"LICENCE"', '"COPYING"'),
}


def called(command: str) -> int:
    arguments = shlex.split(command)
    return run_guarded(lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value"))


def pattern(message: str) -> str:
    return ".*".join(re.escape(part) for part in message.split("{}"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A workspace with one release, made once."""
    root = tmp_path_factory.mktemp("advice")
    make(root, pages=12)
    assert called(f"run general --source {root}/small.py --workspace {root}/w --workers 1") == 0
    return root


@pytest.fixture
def place(tmp_path, corpus, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def released() -> Path:
        shutil.copy(corpus / "small.py", tmp_path)
        shutil.copytree(corpus / "w", tmp_path / "w")
        return tmp_path / "w"

    return Place(tmp_path, released)


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.steps.__name__)
def test_the_remedy_that_a_message_names_helps(case, place, capsys):
    with closing(case.steps(place)) as steps:  # a case that fails must give back what it has taken or patched too
        _follow(case.message, steps, place, capsys)


def _follow(expected, steps, place, capsys):
    *before, wrong = next(steps).split("; ")
    for one in before:
        meanwhile = MEANWHILE.get(one)
        assert called(one) == 0 if meanwhile is None else meanwhile(place) is None
    assert called(wrong) in (1, 2, 3, 4)
    message = capsys.readouterr().err
    assert re.search(pattern(expected), message, re.S), message
    assert "internal error" not in message
    advised = re.search(r"`malmoi (.*?)`", message)
    for step in steps:
        command, _, filled = step.partition(" SOURCE=")
        if command == "{advised}":
            assert advised, message
            command = advised[1].replace("SOURCE", filled)
        assert called(command) == 0, (command, capsys.readouterr().err)


def test_a_damaged_release_is_moved_away(place, capsys):
    w = place.released()
    release = w / "6-releases" / "general" / "1.0.0"
    manifest = (release / "manifest.json").read_text(encoding="utf-8")
    (release / "manifest.json").write_text("{", encoding="utf-8")
    command = "release general --source small.py --workspace w --workers 1"
    assert called(command) == 1
    assert "Run malmoi verify on it; move it away or restore it." in capsys.readouterr().err
    assert called(f"verify {release}") == 1
    (release / "manifest.json").write_text(manifest, encoding="utf-8")
    assert called(command) == 0
    (release / "manifest.json").write_text("{", encoding="utf-8")
    release.rename(place.folder / "damaged")
    assert called(command) == 0
    assert (release / "manifest.json").read_text(encoding="utf-8") == manifest


def test_a_damaged_release_is_never_called_current_and_can_be_made_again(place, capsys):
    w = place.released()
    release, note = w / "6-releases/general/1.0.0", w / "6-releases/made-from.json"
    command = "release general --source small.py --workspace w --workers 1"
    for name in ("data/**/*.parquet", "README.md", "SHA256SUMS"):
        path = next(release.glob(name))
        content = path.read_bytes()
        for damaged in (content[:-1] + bytes([content[-1] ^ 1]), content[:9], None):
            path.unlink() if damaged is None else path.write_bytes(damaged)
            assert called(command) == (2 if (name, damaged) == ("SHA256SUMS", None) else 1)
            error = capsys.readouterr()
            assert str(release) in error.err and "current" not in error.out, name
            path.write_bytes(content)
    next(release.glob("data/**/*.parquet")).unlink()
    note.unlink()  # without it the release is made once more, and compared with the one that is there
    assert called(command) == 1
    sums = (release / "SHA256SUMS").read_bytes()
    release.rename(place.folder / "damaged")
    assert called(command) == 0 and (release / "SHA256SUMS").read_bytes() == sums
    assert called(command) == 0 and "nothing new; this release is current" in capsys.readouterr().out


def test_a_run_that_keeps_nothing_says_why_and_where_to_look(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, pages=4)
    text = (tmp_path / "small.py").read_text(encoding="utf-8")
    (tmp_path / "small.py").write_text(re.sub(r"    claim=.*\n", "", text), encoding="utf-8")
    assert called("run general --source small.py --workspace 'my ws' --workers 1") == 3
    said = capsys.readouterr().err
    counted = re.search(r"no document is left to publish of (\d+): (.*?)\. `malmoi sources probe small\.py` says", said)
    assert counted and "rights: no-licence" in counted[2], said
    assert sum(int(n) for n in re.findall(r" (\d+)(?:,|$)", counted[2])) == int(counted[1])
    look = re.search(r"See how one of them was dropped: malmoi (.*)", said)
    assert look and called(look[1]) == 0
    assert "dropped by" in capsys.readouterr().out
    assert called("status --workspace 'my ws'") == 0
    told = capsys.readouterr().out
    assert "2-documents not kept: extract: " in told and "3-clean not kept: rights: no-licence" in told
    assert look[1] in told


def messages() -> dict[str, str]:
    """Every message that the watched files raise, with {} for what is filled in, and where."""
    found: dict[str, str] = {}
    for name in WATCHED:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                found[_literal(node.args[0])] = f"{name}:{node.lineno}"
    del found[""]  # joined from messages, or made by a function: these are provoked by tests of their own
    return found


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return ""


def test_every_message_has_a_case():
    known = {case.message for case in CASES.values()} | ELSEWHERE.keys()
    missing = {where: message for message, where in messages().items() if message not in known}
    assert not missing
    assert not ELSEWHERE.keys() - messages().keys(), "messages that are raised no more"
