"""The demo, end to end with the real crawler: every trap of the sample site ends as docs/sample-site.md says."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawlers.extract import load_capture
from crawlers.rights.claims import readable_text
from flows.demo import command_prefix
from malmoi.archive.collection import resolve_row, runs
from malmoi.licensing.licence_words import fold
from malmoi.url_privacy import digest_id
from tests.builders.small_corpus import malmoi
from tests.releases.test_left_out import everything

KOGL1, CC = "LicenseRef-KOGL-1", "CC-BY-4.0"
KEPT = {
    "news/2026-01": KOGL1, "law/contract-reading": KOGL1, "law/lease-checklist": KOGL1, "tale/paper-boat": KOGL1,
    "minutes/2026-02": KOGL1, "news/2026-02": "LicenseRef-KOGL-0", "encyclopedia/tides": CC,
    "encyclopedia/farm-calendar": "CC-BY-SA-4.0", "qa/bicycle-repair": KOGL1, "law/type-marks": KOGL1,
    "encyclopedia/hanji": KOGL1, "encyclopedia/rare-syllables": KOGL1, "encyclopedia/jamo": KOGL1,
    "encyclopedia/crystal": KOGL1, "tale/tiger": KOGL1, "about/print-guide": KOGL1, "law/petition-refund": KOGL1,
    "encyclopedia/numbers": KOGL1,
}  # fmt: skip
DROPPED = {
    "law/small-claims": "rights", "law/ordinance": "rights", "news/2026-05": "rights", "essay/market": "rights",
    "news/2026-06": "rights", "news/2026-04": "rights", "about/terms": "rights", "about/old-poster": "rights",
    "news/2026-08": "rights", "news/lucky-event": "spam", "about/english": "language", "about/map": "extract",
    "about/short": "length", "qa/library-rules": "repetition", "law/petition-phone": "quarantine",
}  # fmt: skip
COPIES = {
    frozenset({"news/2026-03", "notices/2026-03-kitchen", "notices/2026-03-kitchen-note"}),
    frozenset({"encyclopedia/ondol", "archive/ondol"}),
}
REFUND = "sample/law/petition-refund.html"  # prints an account and a card
NEVER = ("private/memo", "private/draft", "news/2019-removed")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The workspace of a demo on a free port, and what it printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = tmp_path_factory.mktemp("demo") / "w"
    env = {**os.environ, "MALMOI_SAMPLE_PORT": str(port), "COLUMNS": "160"}
    done = malmoi("demo", "--workspace", root, env=env)
    assert done.returncode == 0, done.stderr
    return root, done.stdout, env


@pytest.fixture(scope="module")
def release(demo) -> Path:
    (folder,) = (demo[0] / "6-releases" / "general").glob("*.*.*")
    return folder


@pytest.fixture(scope="module")
def kept(release) -> dict[str, dict]:
    tables = [pq.read_table(p, partitioning=None) for p in release.glob("data/**/*.parquet")]
    layers = [pq.read_table(p, partitioning=None) for p in release.glob("morphemes/**/*.parquet")]
    beside = {row["id"]: row for row in pa.concat_tables(layers).to_pylist()}
    rows = [row | beside[row["id"]] for row in pa.concat_tables(tables).to_pylist()]
    plain = {digest_id(f"sample/{path}.html"): f"sample/{path}.html" for path in KEPT}
    return {plain.get(row["id"], row["id"]).removeprefix("sample/").removesuffix(".html"): row for row in rows}


@pytest.fixture(scope="module")
def dropped(demo) -> dict[str, str]:
    """As the workspace knows them: a release does not name pages with resident numbers."""
    paths = demo[0].glob("[2-5]-*/*/dropped.parquet")
    rows = pa.concat_tables(
        [pq.read_table(path, columns=["id", "by"], partitioning=None) for path in paths]
    ).to_pylist()
    return {row["id"].removeprefix("sample/").removesuffix(".html"): row["by"] for row in rows}


def test_what_must_be_kept_is_kept_under_its_licence(kept):
    assert {path: kept[path]["license"] for path in KEPT if path in kept} == KEPT


def test_what_must_be_dropped_is_dropped_by_the_right_filter(kept, dropped):
    assert {path: dropped.get(path) for path in DROPPED} == DROPPED
    assert not set(DROPPED) & set(kept)


def test_of_copies_one_is_kept(kept, dropped):
    for group in COPIES:
        assert len(group & set(kept)) == 1, group
        assert all(dropped[path] in ("exact_duplicates", "near_duplicates") for path in group - set(kept))


def test_what_is_forbidden_or_gone_is_nowhere(demo, kept, dropped):
    assert not {*NEVER} & {*kept, *dropped}
    blocked = next((demo[0] / "1-captures" / "sample").glob("*/blocked.jsonl")).read_text(encoding="utf-8")
    assert blocked.count("/private/") == 2


def test_ordinary_pages_are_kept(kept):
    assert len(kept) >= 60
    assert {row["id"].split("/")[1] for row in kept.values()} >= {"semiconductor", "manufacturing", "content", "qa"}


def test_texts_are_whole_and_right(kept):
    assert all(word in kept["encyclopedia/rare-syllables"]["text"] for word in "펲뷁똠")
    assert not any("\u1100" <= c <= "\u11ff" for c in kept["encyclopedia/jamo"]["text"])
    for row in kept.values():
        assert "공유하기" not in row["text"] and "All Rights Reserved" not in row["text"], row["id"]
        layer = row["morphemes"]
        assert len(layer["form"]) == len(layer["start"]) > 50
        assert max(s + n for s, n in zip(layer["start"], layer["length"], strict=True)) <= len(row["text"])


def test_every_quote_stands_verbatim_in_the_archived_page(demo, release):
    pages = [load_capture(resolve_row(run, row)) for run in runs(demo[0] / "1-captures" / "sample") for row in run.rows]
    by_record = {page.record: page for page in pages}
    rows = pq.read_table(release / "audit" / "licence_evidence.parquet").to_pylist()
    assert len(rows) > 60
    for row in rows:
        hidden = row["id"] == digest_id(REFUND)  # its record is withheld: the page prints an account
        page = next(p for p in pages if p.url.endswith("petition-refund.html")) if hidden else by_record[row["record"]]
        text = fold(readable_text(page.body, "text/html", page.charset))
        if row["kind"] in ("kogl-block", "link", "image", "rel-license"):  # facts: sentences, addresses, file names
            source = fold(page.body.decode(page.charset or "utf-8", "replace"))
            assert all(part in source or part in text for part in row["quote"].split(" ")), row
        else:
            assert row["quote"] in text, row
    titles = [row["quote"] for row in rows if "「" in row["quote"]]
    assert titles and not [quote for quote in titles if "「」" in quote]


@pytest.mark.heavy
def test_an_auditor_gets_the_passage_of_each_mark_and_a_review_that_check_reads(demo, release, tmp_path):
    draw = ["review", "sample", release, "--seed", "may", "--workspace", demo[0], "--out"]
    for out in ("a", "b"):
        done = malmoi(*draw, tmp_path / out, "--size", 200)
        assert done.returncode == 0, done.stderr
    pack = (tmp_path / "a" / "evidence.md").read_text(encoding="utf-8")
    assert pack == (tmp_path / "b" / "evidence.md").read_text(encoding="utf-8")
    rows = pq.read_table(release / "audit" / "licence_evidence.parquet").num_rows
    withheld = pack.count("**record withheld")
    assert pack.count("**verbatim in the ") + withheld == rows and withheld < 6 and "NOT " not in pack
    assert "010-0000-" not in pack
    few = malmoi(*draw, tmp_path / "few", "--size", 3)
    assert "evidence.md and review.csv, 3 documents of 2 strata." in few.stdout
    judged = (tmp_path / "few" / "review.csv").read_text(encoding="utf-8")
    assert set(judged.splitlines()) < set((tmp_path / "a" / "review.csv").read_text(encoding="utf-8").splitlines())
    (tmp_path / "few" / "review.csv").write_text(judged.replace(",,,,\n", ",right,,,\n").replace("right", "wrong", 1))
    (tmp_path / "own.toml").write_text(
        'extends = "general"\nname = "own"\npurpose = "a"\n[expect]\nmax_wrong_grants = 0.05\n', encoding="utf-8"
    )
    done = malmoi("check", release, "--recipe", tmp_path / "own.toml", "--review", tmp_path / "few" / "review.csv")
    assert done.returncode == 1 and re.search(r"max_wrong_grants is 0\.\d+ \(1 of 3, 95 % interval 0\.", done.stderr)


def test_no_planted_number_survives_in_any_file_of_the_release(release):
    planted = [b"010-0000-", b"@example.", b"0000-0000-0000", b"991332", b"000-00-0000"]
    for path in sorted(p for p in release.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            content = "\n".join(map(str, pq.read_table(path, partitioning=None).to_pylist())).encode()
        else:
            content = path.read_bytes()
        assert not [mark for mark in planted if mark in content], path.name
    refund = next(p for p in release.glob("audit/personal_data.parquet"))
    kinds = {row["kind"] for row in pq.read_table(refund).to_pylist() if row["id"] == digest_id(REFUND)}
    assert kinds >= {"account", "card", "phone", "email", "brn"}


def test_no_page_with_a_resident_number_or_an_account_is_named_in_the_release(release):
    said = everything(release)
    assert "petition-phone" not in said and "petition-refund" not in said
    assert "law/contract-reading" in said


def test_the_demo_prints_funnel_reasons_and_places(demo):
    _, said, _ = demo
    for words in (
        "Stages",
        "5-curated",
        "Dropped documents by reason",
        "spam",
        "released and verified",
        "index.html",
        "reports/collection.html",
    ):
        assert words in said


@pytest.mark.heavy
def test_the_release_verifies_and_a_later_edition_of_the_site_is_followed(demo, kept):
    root, _, env = demo
    server = subprocess.Popen(
        [sys.executable, "-m", "crawlers.sample.site", "--port", env["MALMOI_SAMPLE_PORT"], "--edition", "2"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None and "http://" in server.stdout.readline()
        done = malmoi("run", "general", "--source", "sample", "--workspace", root, env=env)
    finally:
        server.terminate()
        server.wait(timeout=20)
    assert done.returncode == 0, done.stderr
    later = root / "6-releases" / "general" / "1.1.0"
    assert malmoi("verify", later).returncode == 0
    tables = [pq.read_table(p, columns=["id", "text"], partitioning=None) for p in later.glob("data/**/*.parquet")]
    rows = {r["id"]: r["text"] for r in pa.concat_tables(tables).to_pylist()}
    assert "sample/news/2026-09.html" in rows and "sample/news/2026-07.html" not in rows
    assert "sample/encyclopedia/stone-wall.html" not in rows  # type 1 became type 4
    assert rows["sample/qa/kimchi.html"] != kept["qa/kimchi"]["text"]


def test_nobody_but_the_operator_can_read_the_workspace(demo):
    root = demo[0]
    open_to_others = {
        path.relative_to(root).as_posix(): f"{path.lstat().st_mode & 0o777:o}"
        for path in (root, *root.rglob("*"))
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    }
    assert open_to_others == {}


def test_the_commands_that_the_demo_prints_can_be_pasted_without_an_environment(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    done = subprocess.run(
        f"{command_prefix()} --version", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0 and done.stdout.strip()
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    assert command_prefix() == "malmoi"
