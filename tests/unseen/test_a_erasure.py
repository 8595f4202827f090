"""(a) Erasure, as a right holder sees it: docs/erasure.md."""

import hashlib
import json
import os
import signal
import subprocess
import time
import unicodedata
from pathlib import Path

import duckdb
import pytest
import world as w
from conftest import run

SITE = f"village/{w.HOST}"
WHY = ("--reason", "request of the author")


def erase(home: Path, *words, stdin="", status=0, release="general"):
    return w.malmoi("erase", release, *words, *WHY, "--workspace", "ws", cwd=home, stdin=stdin, status=status)


def version(home: Path, number: str) -> Path:
    return home / "ws/6-releases/general" / number


def check_versions(home: Path, old="1.0.0", new="1.0.1"):
    """The new version verifies, the old one verifies as withdrawn in part, `latest` is the new one."""
    assert w.latest(home / "ws").name == new
    done = w.malmoi("verify", version(home, new))
    assert "verified" in done.out and "withdrawn in part" not in done.out
    done = w.malmoi("verify", version(home, old))
    assert "withdrawn in part" in done.out and new in done.out


def stored(home: Path, stage: str, end: str) -> dict:
    files = (home / "ws" / stage).glob("*/documents.parquet")
    return next(r for f in files for r in w.pq.read_table(f).to_pylist() if r["id"].endswith(end))


# ---- selectors


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        (("--id", f"{SITE}/essay/05.html"), {"/essay/05.html"}),
        (("--url", f"{w.HOST}/essay/05.html"), {"/essay/05.html"}),
        (("--url", f"{w.HOST}/essay/05.html#top"), {"/essay/05.html"}),
        (("--url", f"{w.HOST}/board/view?type=b&no=7"), {"/board/view?no=7&type=b"}),
        (("--url", f"{w.HOST}/글/가을.html"), {"/%EA%B8%80/%EA%B0%80%EC%9D%84.html"}),
        (("--url-prefix", f"{w.HOST}/series/a"), {f"/series/a/{n}.html" for n in (1, 2, 3)}),
        (("--url-prefix", f"{w.HOST}/series/a/"), {f"/series/a/{n}.html" for n in (1, 2, 3)}),
        (("--url-prefix", f"{w.HOST}/board/view?no=7"), {"/board/view?no=7&type=b"}),
        (("--id", f"{SITE}/essay/05.html", "--id", f"{SITE}/essay/07.html"), {"/essay/05.html", "/essay/07.html"}),
        (
            (
                "--id",
                f"{SITE}/essay/05.html",
                "--url",
                f"{w.HOST}/essay/08.html",
                "--url-prefix",
                f"{w.HOST}/series/ab",
            ),
            {"/essay/05.html", "/essay/08.html", "/series/ab/1.html"},
        ),
    ],
    ids=["id", "url", "fragment", "query order", "hangul", "prefix", "prefix/", "prefix query", "two ids", "mixed"],
)
def test_a_selector_takes_these_documents_and_no_other(home, words, gone):
    before = w.ids(version(home, "1.0.0"))
    erase(home, *words)
    assert before - w.ids(version(home, "1.0.1")) == {SITE + p for p in gone}
    check_versions(home)


@pytest.mark.parametrize("case", ["published", "stored", "upper case"])
def test_a_text_is_erased_by_its_sha256(home, case):
    if case == "stored":
        digest, end = (
            hashlib.sha256(stored(home, "4-judged", "/canary/phone.html")["text"].encode()).hexdigest(),
            "/canary/phone.html",
        )
    else:
        row = next(r for r in w.rows(version(home, "1.0.0")) if r["id"].endswith("/essay/05.html"))
        digest, end = row["text_sha256"], "/essay/05.html"
    erase(home, "--text-sha256", digest.upper() if case == "upper case" else digest)
    assert not any(i.endswith(end) for i in w.ids(version(home, "1.0.1")))
    check_versions(home)


def test_a_dry_run_lists_and_writes_nothing(home):
    before = w.tree(home)
    done = erase(home, "--url-prefix", f"{w.HOST}/series/a", "--dry-run")
    assert all(f"/series/a/{n}.html" in done.out for n in (1, 2, 3)) and "/series/ab/" not in done.out
    assert {k: v for k, v in w.tree(home).items() if not k.endswith(".lock")} == {
        k: v for k, v in before.items() if not k.endswith(".lock")
    }


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("--id", "village/http://nobody.example/1"), ""),
        (("--value",), "가나다라마\n"),
        (("--value",), "- - - -\n"),
        (("--value",), ""),
        (("--text-sha256", "abc"), ""),
        (("--url", "not an address"), ""),
        ((), ""),
    ],
    ids=["unknown id", "short value", "no letters", "no value", "bad digest", "bad url", "no selector"],
)
def test_a_wrong_call_changes_nothing(home, words, stdin):
    done = erase(home, *words, stdin=stdin, status=None)
    assert done.returncode == 2, done.out
    assert not version(home, "1.0.1").exists()
    assert (
        not (home / "ws/withdrawals.parquet").exists() or not w.pq.read_table(home / "ws/withdrawals.parquet").num_rows
    )


def test_an_empty_reason_is_refused(home):
    done = w.malmoi(
        "erase", "general", "--id", f"{SITE}/essay/05.html", "--reason", " ", "--workspace", "ws", cwd=home, status=None
    )
    assert done.returncode == 2 and not version(home, "1.0.1").exists()


def test_the_same_command_again_makes_no_further_version(home):
    erase(home, "--id", f"{SITE}/essay/05.html")
    erase(home, "--id", f"{SITE}/essay/05.html", status=None)
    assert w.latest(home / "ws").name == "1.0.1"


def test_another_reason_for_the_same_tombstone_is_refused(home):
    erase(home, "--id", f"{SITE}/essay/05.html")
    words = ("--id", f"{SITE}/essay/05.html", "--reason", "something else", "--workspace", "ws")
    assert w.malmoi("erase", "general", *words, cwd=home, status=None).returncode == 2


# ---- values: canaries in every file


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("body", w.CANARY["body"]),
        ("title", w.CANARY["title"]),
        ("author", w.CANARY["author"]),
        ("url", w.CANARY["url"]),
        ("docx", w.CANARY["docx"]),
        ("pdf", w.CANARY["pdf"]),
        ("nfd", w.CANARY["nfd"]),
        ("nfd", unicodedata.normalize("NFD", w.CANARY["nfd"])),
        ("fullwidth", w.CANARY["fullwidth"]),
        ("fullwidth", "zqxjvkw"),
        ("phone", "010 0000 8642"),
        ("phone", "01000008642"),
        ("phone", "０１０－００００－８６４２"),
        ("name", w.CANARY["name"]),
        ("name", "촬뉴봉두메바람골"),
        ("body", " ".join(w.CANARY["body"])),
    ],
)
def test_a_value_is_in_no_file_after_its_erasure_nor_after_a_new_crawl(home, site, kind, said):
    canary = w.CANARY[kind]
    assert w.places(home / "ws", canary)
    erase(home, "--value", stdin=said + "\n")
    assert w.places(home / "ws", canary) == []
    check_versions(home)
    run(home)
    assert w.places(home / "ws", canary) == []
    w.malmoi("verify", w.latest(home / "ws"))


def test_many_values_on_standard_input_go_at_once(home):
    erase(home, "--value", stdin="".join(w.CANARY[k] + "\n" for k in ("body", "title", "author", "docx")))
    assert w.places(home / "ws", *(w.CANARY[k] for k in ("body", "title", "author", "docx"))) == []
    assert w.latest(home / "ws").name == "1.0.1"


def test_the_list_shows_no_value_and_no_plain_digest_of_it(home):
    erase(home, "--value", stdin=w.CANARY["phone"] + "\n")
    done = w.malmoi("withdrawals", "list", "--workspace", "ws", cwd=home)
    assert w.WHY and "request of the author" in done.out
    for spelled in (w.CANARY["phone"], "01000008642"):
        for algorithm in ("md5", "sha1", "sha256", "blake2b"):
            digest = hashlib.new(algorithm, spelled.encode()).hexdigest()
            assert w.places(home / "ws", digest) == []
    assert (home / "ws/erasure.key").stat().st_mode & 0o077 == 0


def test_words_of_a_link_to_an_erased_page_are_masked(home):
    erase(home, "--id", f"{SITE}/canary/title.html")
    assert w.places(home / "ws/1-captures", w.CANARY["link"], w.CANARY["title"]) == []
    assert any(i.endswith("/canary/links.html") for i in w.ids(version(home, "1.0.1")))


def test_the_bytes_of_an_erased_pdf_leave_the_archive(home, site):
    body = site.files["/canary/a.pdf"][1]
    part = body[body.index(b"stream\n") + 7 :][:60]
    packed = [d for p in (home / "ws/1-captures").rglob("*.gz") for _, d in w.unpack("x", p.read_bytes())]
    assert any(part in d for d in packed)
    erase(home, "--url", f"{w.HOST}/canary/a.pdf")
    packed = [d for p in (home / "ws").rglob("*") if p.is_file() for _, d in w.unpack("x", p.read_bytes())]
    assert not any(part in d for d in packed)


def test_an_erased_address_is_in_no_file_but_the_tombstones(home):
    erase(home, "--url", f"{w.HOST}/canary/{w.CANARY['url']}.html")
    left = w.places(home / "ws", w.CANARY["url"])
    assert {p.split("!")[0] for p in left} <= {"withdrawals.parquet"}


# ---- it does not come back


def test_a_changed_page_at_an_erased_address_stays_out(home, site):
    erase(home, "--url", f"{w.HOST}/essay/05.html")
    site.essay("/essay/05.html", "a new version", title="새로 쓴 글")
    run(home)
    assert not any(i.endswith("/essay/05.html") for i in w.ids(w.latest(home / "ws")))


def test_a_new_page_below_an_erased_prefix_stays_out(home, site):
    erase(home, "--url-prefix", f"{w.HOST}/series/a")
    site.essay("/series/a/4.html", "series a 4", title="연재 갑 4회")
    site.essay("/series/abc/4.html", "series abc 4", title="연재 병 4회")
    run(home)
    found = w.ids(w.latest(home / "ws"))
    assert not any("/series/a/" in i for i in found) and any("/series/abc/4" in i for i in found)


def test_an_erased_text_at_a_new_address_stays_out(home, site):
    row = next(r for r in w.rows(version(home, "1.0.0")) if r["id"].endswith("/essay/05.html"))
    erase(home, "--text-sha256", row["text_sha256"])
    site.put("/moved/05.html", site.files["/essay/05.html"][1])
    run(home)
    assert row["text_sha256"] not in {r["text_sha256"] for r in w.rows(w.latest(home / "ws"))}


@pytest.mark.parametrize("said", ["010-0000-8642", "０１０ ００００ ８６４２", "010.0000.8642"])
def test_a_new_page_with_an_erased_value_is_dropped_as_withdrawn(home, site, said):
    erase(home, "--value", stdin=w.CANARY["phone"] + "\n")
    site.essay("/later/phone.html", "later phone", title="나중 글", extra=f"연락은 {said} 로 한다.")
    run(home)
    assert not any("/later/" in i for i in w.ids(w.latest(home / "ws")))
    dropped = [r for r in w.rows(w.latest(home / "ws"), "dropped") if r["reason"] == "withdrawn"]
    assert dropped and not any("/later/" in r["id"] or "/canary/" in r["id"] for r in dropped)


def test_a_run_on_unchanged_pages_after_an_erasure_makes_no_new_version(home, site):
    erase(home, "--id", f"{SITE}/essay/05.html")
    done = run(home)
    assert w.latest(home / "ws").name == "1.0.1", done.out[-500:]


def test_a_run_after_an_erasure_keeps_the_texts_of_all_others(home, site):
    before = {r["id"]: r["text_sha256"] for r in w.rows(version(home, "1.0.0"))}
    erase(home, "--id", f"{SITE}/essay/05.html")
    run(home)
    after = {r["id"]: r["text_sha256"] for r in w.rows(w.latest(home / "ws"))}
    assert after == {k: v for k, v in before.items() if not k.endswith("/essay/05.html")}


# ---- copies


def test_with_copies_the_copy_of_an_erased_document_stays_out(home, site):
    erase(home, "--id", f"{SITE}/copy/altered.html", "--copies")
    run(home)
    assert not any("/copy/" in i for i in w.ids(w.latest(home / "ws")))


def test_without_copies_the_next_run_names_the_copy_that_returns(home, site):
    done = erase(home, "--id", f"{SITE}/copy/altered.html")
    assert "/copy/original.html" in done.out
    done = run(home)
    assert any("/copy/original.html" in i for i in w.ids(w.latest(home / "ws")))
    assert "/copy/original.html" in done.out


def test_a_document_that_no_release_has_is_erased_from_the_stages(home, site):
    erase(home, "--id", f"{SITE}/copy/original.html")
    assert not [p for p in w.places(home / "ws", "/copy/original.html") if not p.startswith("withdrawals")]
    run(home)
    assert not [p for p in w.places(home / "ws", "/copy/original.html") if not p.startswith("withdrawals")]


# ---- the list of tombstones


def exported(home: Path) -> Path:
    w.malmoi("withdrawals", "export", "tombstones.jsonl", "--workspace", "ws", cwd=home)
    return home / "tombstones.jsonl"


def test_exported_tombstones_keep_documents_out_of_another_workspace(home, site, tmp_path):
    row = next(r for r in w.rows(version(home, "1.0.0")) if r["id"].endswith("/essay/09.html"))
    erase(
        home,
        "--id",
        f"{SITE}/essay/05.html",
        "--url",
        f"{w.HOST}/essay/06.html",
        "--url-prefix",
        f"{w.HOST}/series/a",
        "--text-sha256",
        row["text_sha256"],
    )
    file = exported(home)
    other = tmp_path / "other"
    other.mkdir()
    (other / "village.py").write_text(w.SOURCE, "utf-8")
    w.malmoi("withdrawals", "import", file, "--workspace", "ws", cwd=other)
    run(other)
    assert w.ids(w.latest(other / "ws")) == w.ids(version(home, "1.0.1"))
    assert not [p for p in w.places(other / "ws/1-captures", "/essay/05.html", "/essay/06.html") if "pages" in p]


def test_values_are_refused_by_a_workspace_with_another_key(home, site, base, tmp_path):
    erase(home, "--value", stdin=w.CANARY["body"] + "\n")
    file = exported(home)
    assert w.CANARY["body"] not in file.read_text("utf-8")
    other = w.copy(base, tmp_path / "other")
    erase(other, "--value", stdin=w.CANARY["name"] + "\n")
    assert w.malmoi("withdrawals", "import", file, "--workspace", "ws", cwd=other, status=None).returncode == 2


def test_an_import_into_the_same_workspace_twice_changes_nothing(home):
    erase(home, "--id", f"{SITE}/essay/05.html")
    file = exported(home)
    before = w.pq.read_table(home / "ws/withdrawals.parquet").to_pylist()
    w.malmoi("withdrawals", "import", file, "--workspace", "ws", cwd=home)
    assert w.pq.read_table(home / "ws/withdrawals.parquet").to_pylist() == before


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"kind": "planet", "key": "x", "reason": "y"}',
        '{"kind": "id", "key": "", "reason": "y"}',
        '{"kind": "id", "key": "a/b"}',
        '{"kind": "url", "key": "nowhere", "reason": "y"}',
        '{"kind": "text-sha256", "key": "zz", "reason": "y"}',
        '{"kind": "id", "key": "a/b", "reason": "y", "date": "yesterday"}',
        "[" * 100_000,
    ],
    ids=["no json", "kind", "empty key", "no reason", "url", "digest", "date", "deep"],
)
def test_a_bad_line_is_named_and_nothing_is_imported(home, line):
    file = home / "bad.jsonl"
    file.write_text('{"kind": "id", "key": "village/ok", "reason": "y"}\n' + line + "\n", "utf-8")
    done = w.malmoi("withdrawals", "import", file, "--workspace", "ws", cwd=home, status=None)
    assert done.returncode == 2 and "2" in done.out
    table = home / "ws/withdrawals.parquet"
    assert not table.exists() or not w.pq.read_table(table).num_rows


def test_a_page_with_an_imported_tombstone_is_never_fetched(site, tmp_path):
    (tmp_path / "village.py").write_text(w.SOURCE, "utf-8")
    (tmp_path / "t.jsonl").write_text(
        json.dumps({"kind": "url", "key": f"{w.HOST}/canary/body.html", "reason": "r"}) + "\n", "utf-8"
    )
    w.malmoi("withdrawals", "import", "t.jsonl", "--workspace", "ws", cwd=tmp_path)
    asked, answer = [], site.answer
    site.answer = lambda path: (asked.append(path), answer(path))[1]
    try:
        run(tmp_path)
    finally:
        del site.answer
    assert "/canary/body.html" not in asked and "/canary/name.html" in asked


def test_a_revoked_tombstone_lets_the_document_return_and_stays_in_the_list(home, site):
    erase(home, "--id", f"{SITE}/essay/05.html")
    w.malmoi("withdrawals", "revoke", f"{SITE}/essay/05.html", "--workspace", "ws", cwd=home)
    run(home)
    assert f"{SITE}/essay/05.html" in w.ids(w.latest(home / "ws"))
    assert f"{SITE}/essay/05.html" in w.malmoi("withdrawals", "--workspace", "ws", cwd=home).out
    w.malmoi("verify", w.latest(home / "ws"))


def test_an_unknown_key_cannot_be_revoked(home):
    erase(home, "--id", f"{SITE}/essay/05.html")
    assert (
        w.malmoi("withdrawals", "revoke", "village/nobody", "--workspace", "ws", cwd=home, status=None).returncode == 2
    )


def test_without_its_key_the_workspace_stops_until_it_is_back(home, site):
    erase(home, "--value", stdin=w.CANARY["body"] + "\n")
    key = home / "ws/erasure.key"
    key.rename(home / "away.key")
    done = run(home, status=None)
    assert done.returncode in (2, 3) and "erasure.key" in done.out
    (home / "away.key").rename(key)
    run(home)
    assert w.places(home / "ws", w.CANARY["body"]) == []


# ---- proof, old versions, bystanders


def test_the_proof_names_files_before_and_after_and_no_document(home):
    old = w.tree(version(home, "1.0.0"))
    erase(home, "--url", f"{w.HOST}/canary/{w.CANARY['url']}.html")
    new = version(home, "1.0.1")
    proof = (new / "erasure_proof.json").read_text("utf-8")
    assert w.CANARY["url"] not in proof and w.HOST not in proof
    digests = set(old.values())
    named = {d for d in digests if d in proof}
    changed = {p for p, d in w.tree(new).items() if p.endswith(".parquet") and old.get(p) != d}
    assert {old[p] for p in changed if p.startswith("data/")} <= named
    query = next(v for v in walk(json.loads(proof)) if isinstance(v, str) and v.lstrip().upper().startswith("SELECT"))
    os.chdir(new)
    found = duckdb.sql(query).fetchall()
    assert not found or found == [(0,)]


def walk(value):
    if isinstance(value, dict):
        for v in value.values():
            yield from walk(v)
    elif isinstance(value, list):
        for v in value:
            yield from walk(v)
    else:
        yield value


def test_untouched_shards_are_the_same_files(home):
    old = w.tree(version(home, "1.0.0"))
    erase(home, "--id", f"{SITE}/essay/03.html")  # CC-BY-SA-4.0
    new = version(home, "1.0.1")
    same = [p for p in old if p.startswith("data/") and "CC-BY-4.0" in p]
    assert same and all((new / p).stat().st_ino == (version(home, "1.0.0") / p).stat().st_ino for p in same)


def test_files_of_the_old_version_are_gone_and_listed(home):
    old = set(w.tree(version(home, "1.0.0")))
    erase(home, "--id", f"{SITE}/essay/03.html")
    now = set(w.tree(version(home, "1.0.0")))
    listed = json.loads((version(home, "1.0.0") / "withdrawn.json").read_text("utf-8"))
    assert old - now and all(p in json.dumps(listed) for p in old - now)
    assert w.places(version(home, "1.0.0"), "/essay/03.html") == []


def test_three_erasures_in_a_row_leave_one_whole_version(home):
    for n, end in enumerate(("/essay/03.html", "/essay/04.html", "/canary/a.docx"), 1):
        erase(home, "--id", SITE + end)
        assert w.latest(home / "ws").name == f"1.0.{n}"
    for n in range(3):
        assert "withdrawn in part" in w.malmoi("verify", version(home, f"1.0.{n}")).out
    w.malmoi("verify", version(home, "1.0.3"))
    assert w.places(home / "ws/6-releases", "/essay/03.html", "/essay/04.html", w.CANARY["docx"]) == []


def test_a_licence_of_which_nothing_is_left_leaves_the_release(home):
    sa = [r["id"] for r in w.rows(version(home, "1.0.0")) if r["license"] == "CC-BY-SA-4.0"]
    erase(home, *(x for i in sa for x in ("--id", i)))
    new = version(home, "1.0.1")
    assert not (new / "data/redistribute/CC-BY-SA-4.0").exists() and "CC-BY-SA" not in (new / "LICENSE.md").read_text(
        "utf-8"
    )
    check_versions(home)


def test_erasing_every_document_ends_well(home):
    done = erase(home, "--url-prefix", f"{w.HOST}/", status=None)
    assert done.returncode in (0, 1, 2, 3)
    if done.returncode == 0:
        w.malmoi("verify", w.latest(home / "ws"))
        assert w.places(home / "ws/6-releases", *(w.CANARY[k] for k in ("body", "title", "author"))) == []
    else:
        assert "nothing" in done.out or "every" in done.out or "no document" in done.out


def test_two_versions_both_lose_the_document(two, tmp_path):
    home = w.copy(two, tmp_path / "home")
    erase(home, "--value", stdin=w.CANARY["body"] + "\n")
    assert w.latest(home / "ws").name == "1.1.1"
    assert w.places(home / "ws", w.CANARY["body"]) == []
    for old in ("1.0.0", "1.1.0"):
        assert "withdrawn in part" in w.malmoi("verify", version(home, old)).out
    w.malmoi("verify", version(home, "1.1.1"))


def test_a_version_of_long_ago_loses_a_document_that_the_latest_does_not_have(two, tmp_path):
    home = w.copy(two, tmp_path / "home")  # essay/06 is in 1.0.0 only
    erase(home, "--id", f"{SITE}/essay/06.html")
    assert w.places(home / "ws/6-releases", "/essay/06.html") == []
    w.malmoi("verify", w.latest(home / "ws"))


def test_the_changelog_of_the_patch_counts_the_erasure_without_an_id(home):
    erase(home, "--url", f"{w.HOST}/canary/{w.CANARY['url']}.html")
    text = (version(home, "1.0.1") / "CHANGELOG.md").read_text("utf-8")
    assert "1.0.1" in text and w.CANARY["url"] not in text and w.HOST not in text


def test_an_erased_document_is_not_contained_and_the_statement_holds(home, tmp_path):
    erase(home, "--url", f"{w.HOST}/essay/05.html")
    new = version(home, "1.0.1")
    done = w.malmoi("contains", new, "--url", f"{w.HOST}/essay/05.html", "--json")
    (tmp_path / "s.json").write_text(done.stdout, "utf-8")
    checked = subprocess.run(
        [
            "/usr/bin/python3",
            "-I",
            w.ROOT / "docs/check_statement.py",
            tmp_path / "s.json",
            "--manifest",
            new / "manifest.json",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0 and checked.stdout.startswith("no url")


def test_the_index_does_not_find_an_erased_text(home, site):
    text = next(r["text"] for r in w.rows(version(home, "1.0.0")) if r["id"].endswith("/essay/05.html"))
    (home / "t.txt").write_text(text, "utf-8")
    assert "/essay/05.html" in w.malmoi("index", "query", "t.txt", "--workspace", "ws", cwd=home).out
    erase(home, "--id", f"{SITE}/essay/05.html")
    assert "/essay/05.html" not in w.malmoi("index", "query", "t.txt", "--workspace", "ws", cwd=home).out


@pytest.mark.parametrize("command", ["publish", "export", "diff", "contains"])
def test_other_commands_on_a_version_withdrawn_in_part_show_nothing_erased(home, tmp_path, command):
    erase(home, "--value", stdin=w.CANARY["body"] + "\n")
    old, out = version(home, "1.0.0"), tmp_path / "out"
    words = {
        "publish": ("publish", old, out),
        "export": ("export", old, out),
        "diff": ("diff", old, version(home, "1.0.1"), "--json"),
        "contains": ("contains", old, "--url", f"{w.HOST}/canary/body.html"),
    }[command]
    done = w.malmoi(*words, status=None)
    assert "/canary/body.html" not in done.out.replace(f"{w.HOST}/canary/body.html does", "")
    if command in ("publish", "diff"):
        assert done.returncode in (1, 2)
    assert not out.exists() or w.places(out, w.CANARY["body"]) == []


def test_a_signed_version_still_proves_its_publisher_after_an_erasure(home, keys):
    w.malmoi("sign", version(home, "1.0.0"), "--key", keys["publisher"][0])
    erase(home, "--id", f"{SITE}/essay/05.html")
    done = w.malmoi("verify", version(home, "1.0.0"), "--public-key", keys["publisher"][1])
    assert "withdrawn in part" in done.out


def test_a_page_that_still_shows_a_value_is_erased_by_its_id(demo, tmp_path):
    home = tmp_path / "home"
    w.copy(demo, home / "ws")
    number = next(r["id"] for r in w.rows(version(home, "1.0.0")) if r["id"].startswith("sample/page-"))
    erase(home, "--id", number)
    assert number not in w.ids(version(home, "1.0.1"))
    w.malmoi("verify", version(home, "1.0.1"))
    assert w.places(home / "ws/6-releases", number) == []


@pytest.mark.parametrize("after", [0.8, 1.6, 2.4])
def test_a_killed_erasure_is_completed_by_the_same_command(home, after):
    words = [w.MALMOI, "erase", "general", "--value", *WHY, "--workspace", "ws"]
    process = subprocess.Popen(
        words,
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    process.stdin.write(w.CANARY["body"] + "\n")
    process.stdin.close()
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    erase(home, "--value", stdin=w.CANARY["body"] + "\n")
    assert w.places(home / "ws", w.CANARY["body"]) == []
    check_versions(home)


def test_an_own_file_is_named_and_left(tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "LICENCE.txt").write_text("이 글은 CC BY 4.0으로 이용할 수 있다.\n", "utf-8")
    for n in (1, 2):
        (folder / f"{n}.txt").write_text(
            "\n".join(w.write_prose(f"own {n}")) + f"\n{w.CANARY['body'] if n == 1 else ''}\n", "utf-8"
        )
    (tmp_path / "village.py").write_text(
        '"""Own files."""\nfrom pathlib import Path\nfrom malmoi.source import Folder, LicenceClaim, Source\n'
        f'SOURCE = Source(name="books", title="책", publisher="우리", access=Folder(Path({str(folder)!r})),\n'
        '  claim=(LicenceClaim("CC-BY-4.0", quote="CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),), register="essay")\n',
        "utf-8",
    )
    run(tmp_path)
    done = erase(tmp_path, "--value", stdin=w.CANARY["body"] + "\n")
    assert str(folder / "1.txt") in done.out and (folder / "1.txt").exists()
    run(tmp_path)
    assert w.ids(w.latest(tmp_path / "ws")) == {"books/2.txt"} and w.places(tmp_path / "ws", w.CANARY["body"]) == []
