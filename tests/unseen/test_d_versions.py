"""(d) Versions, comparison, publication: docs/releases.md#versions, docs/publish.md."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import world as w
from conftest import run

SITE = f"village/{w.HOST}"


@pytest.fixture(scope="module")
def pair(two) -> tuple[Path, Path]:
    releases = two / "ws/6-releases/general"
    return releases / "1.0.0", releases / "1.1.0"


@pytest.fixture(scope="module")
def compared(pair) -> dict:
    return json.loads(w.malmoi("diff", *pair, "--json").stdout)


def test_diff_names_added_removed_and_changed_documents(compared):
    assert compared["added_ids"] and {d if isinstance(d, str) else d["id"] for d in compared["added_ids"]} == {
        f"{SITE}/new/1.html",
        f"{SITE}/new/2.html",
    }
    assert f"{SITE}/essay/06.html" in json.dumps(compared["removed_ids"]) and len(compared["removed_ids"]) == 1
    assert f"{SITE}/essay/05.html" in json.dumps(compared["changed_ids"]) and '"text"' in json.dumps(
        compared["changed_ids"]
    )
    assert (compared["added"], compared["removed"]) == (2, 1)


def test_diff_says_why_the_document_is_gone(compared):
    assert "gone" in json.dumps(compared["reasons"])


def test_diff_the_other_way_round_swaps_added_and_removed(pair, compared):
    back = json.loads(w.malmoi("diff", pair[1], pair[0], "--json").stdout)
    assert (back["added"], back["removed"]) == (compared["removed"], compared["added"])
    assert back["changed"] == compared["changed"]


def test_diff_of_a_version_with_itself_is_empty(pair):
    same = json.loads(w.malmoi("diff", pair[0], pair[0], "--json").stdout)
    assert same["added"] == same["removed"] == 0 and not same["changed_ids"] and not same["files"].get("changed")


def test_diff_is_the_same_each_time_and_has_sorted_keys(pair, compared):
    again = w.malmoi("diff", *pair, "--json").stdout
    assert json.loads(again) == compared and list(compared) == sorted(compared) and compared["format"] == 1


def test_diff_agrees_with_the_changelog(compared):
    assert compared["changelog"] == "agrees"


def test_diff_counts_equal_those_of_a_hand_made_query(pair, compared):
    a, b = ({r["id"]: r for r in w.rows(v)} for v in pair)
    assert compared["added"] == len(b.keys() - a.keys()) and compared["removed"] == len(a.keys() - b.keys())
    assert sum(x["n_chars"] for x in b.values()) - sum(x["n_chars"] for x in a.values()) == compared["after"].get(
        "characters",
        compared["after"].get("size", {}).get("characters", 0)
        if isinstance(compared["after"].get("size"), dict)
        else 0,
    ) - (
        compared["before"].get(
            "characters",
            compared["before"].get("size", {}).get("characters", 0)
            if isinstance(compared["before"].get("size"), dict)
            else 0,
        )
    ) or "characters" not in json.dumps(compared["before"])


def test_the_page_of_diff_uses_no_network_and_no_script(pair, tmp_path):
    w.malmoi("diff", *pair, "--html", tmp_path / "d.html")
    page = (tmp_path / "d.html").read_text("utf-8")
    assert "<script" not in page and not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "1.1.0" in page and "1.0.0" in page


def test_diff_takes_names_of_the_workspace(two):
    done = w.malmoi("diff", "general/1.0.0", "general/latest", "--workspace", "ws", cwd=two)
    assert "1.1.0" in done.out


@pytest.mark.parametrize("other", ["general/9.9.9", "nothing", "."])
def test_diff_with_what_is_no_release_gets_a_clear_error(two, other):
    assert w.malmoi("diff", "general/1.0.0", other, "--workspace", "ws", cwd=two, status=None).returncode in (1, 2)


def test_the_new_version_is_minor_and_latest_points_to_it(two):
    link = two / "ws/6-releases/general/latest"
    assert link.is_symlink() and not Path(os.readlink(link)).is_absolute() and link.resolve().name == "1.1.0"
    listed = json.dumps(json.loads((two / "ws/6-releases/general/releases.json").read_text("utf-8")))
    assert '"1.0.0"' in listed and '"1.1.0"' in listed


def test_releases_json_has_root_and_digest_of_the_sums(two):
    listed = (two / "ws/6-releases/general/releases.json").read_text("utf-8")
    for v in ("1.0.0", "1.1.0"):
        folder = two / "ws/6-releases/general" / v
        assert json.loads((folder / "manifest.json").read_text("utf-8"))["root"] in listed
        assert w.tree(folder)["SHA256SUMS"] in listed


def test_the_first_version_is_untouched(two, release):
    assert w.tree(two / "ws/6-releases/general/1.0.0") == w.tree(release)


def test_shards_without_change_keep_their_bytes(pair):
    a, b = (w.tree(v) for v in pair)
    assert all(a[p] == b[p] for p in a if p.startswith("data/redistribute/CC-BY-SA-4.0"))


def test_the_changelog_has_counts_and_no_ids(pair):
    text = (pair[1] / "CHANGELOG.md").read_text("utf-8")
    assert "1.1.0" in text and "/essay/" not in text and "/new/" not in text


def test_splits_stay_from_version_to_version(pair):
    a, b = ({r["id"]: r["split"] for r in w.rows(v)} for v in pair)
    assert all(b[i] == a[i] for i in a if i in b)


def test_a_run_without_news_makes_no_version(base, server, tmp_path):
    home = w.copy(base, tmp_path / "home")
    assert "nothing new" in run(home).out and w.latest(home / "ws").name == "1.0.0"


def test_two_workspaces_make_the_same_bytes(release, server, tmp_path):
    (tmp_path / "village.py").write_text(w.SOURCE, "utf-8")
    run(tmp_path)
    a, b = (
        {r["id"]: (r["text_sha256"], r["license"], r["split"]) for r in w.rows(v)}
        for v in (release, w.latest(tmp_path / "ws"))
    )
    assert a == b


@pytest.mark.parametrize("version", ["1.0.0", "0.9.0", "1.2", "one", "1.0.0-rc1", "01.2.0"])
def test_a_version_that_is_taken_lower_or_malformed_is_refused(two, tmp_path, version):
    home = w.copy(two, tmp_path / "home")
    done = w.malmoi(
        "release", "general", "--source", "village.py", "--workspace", "ws", "--version", version, cwd=home, status=None
    )
    assert done.returncode == 2 and w.latest(home / "ws").name == "1.1.0"


# ---- publish to a folder


def test_publish_copies_every_byte_and_moves_latest(pair, tmp_path):
    w.malmoi("publish", pair[0], tmp_path / "out")
    assert w.tree(tmp_path / "out/general/1.0.0") == w.tree(pair[0])
    w.malmoi("publish", pair[1], tmp_path / "out")
    assert (tmp_path / "out/general/latest").resolve().name == "1.1.0"
    w.malmoi("verify", tmp_path / "out/general/latest")


def test_publish_twice_is_no_error_and_changes_nothing(pair, tmp_path):
    w.malmoi("publish", pair[0], tmp_path / "out")
    before = w.tree(tmp_path / "out")
    w.malmoi("publish", pair[0], tmp_path / "out")
    assert w.tree(tmp_path / "out") == before


def test_latest_never_moves_back(pair, tmp_path):
    w.malmoi("publish", pair[1], tmp_path / "out")
    w.malmoi("publish", pair[0], tmp_path / "out")
    assert (tmp_path / "out/general/latest").resolve().name == "1.1.0"


def test_publish_by_name_of_the_workspace(two, tmp_path):
    w.malmoi("publish", "general/latest", tmp_path / "out", "--workspace", "ws", cwd=two)
    assert (tmp_path / "out/general/1.1.0/manifest.json").exists()


def test_a_version_with_other_bytes_at_the_target_is_refused_and_kept(pair, tmp_path):
    w.malmoi("publish", pair[0], tmp_path / "out")
    with (tmp_path / "out/general/1.0.0/README.md").open("a") as f:
        f.write("x")
    before = w.tree(tmp_path / "out")
    done = w.malmoi("publish", pair[0], tmp_path / "out", status=None)
    assert done.returncode == 1 and "README.md" in done.out and w.tree(tmp_path / "out") == before


@pytest.mark.parametrize("case", ["changed", "missing", "extra", "link"])
def test_a_damaged_release_is_not_published(pair, tmp_path, case):
    folder = w.copy(pair[0], tmp_path / "general/1.0.0")
    if case == "changed":
        (folder / "card.json").write_bytes((folder / "card.json").read_bytes() + b" ")
    if case == "missing":
        (folder / "index.html").unlink()
    if case == "extra":
        (folder / "x").write_text("x")
    if case == "link":
        (folder / "index.html").unlink()
        (folder / "index.html").symlink_to(pair[0] / "index.html")
    done = w.malmoi("publish", folder, tmp_path / "out", status=None)
    assert done.returncode == 1
    assert not (tmp_path / "out/general/1.0.0").exists() and not (tmp_path / "out/general/latest").exists()


@pytest.mark.parametrize("after", [0.3, 0.5, 0.7])
def test_an_interrupted_publication_is_invisible_and_continued(pair, tmp_path, after):
    process = subprocess.Popen(
        [w.MALMOI, "publish", pair[0], tmp_path / "out"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    target = tmp_path / "out/general/1.0.0"
    if target.exists():
        assert w.tree(target) == w.tree(pair[0])
    w.malmoi("publish", pair[0], tmp_path / "out")
    assert w.tree(target) == w.tree(pair[0]) and (tmp_path / "out/general/latest").resolve() == target
    assert {p.name for p in (tmp_path / "out/general").iterdir() if not p.name.startswith(".")} == {"1.0.0", "latest"}


def test_two_publishers_at_once_leave_one_whole_copy(pair, tmp_path):
    words = [w.MALMOI, "publish", pair[0], tmp_path / "out"]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    outs = [p.communicate(timeout=120)[0] for p in both]
    codes = sorted(p.returncode for p in both)
    assert codes[0] == 0 and codes[1] in (0, 1, 2, 3) and "Traceback" not in "".join(outs)
    assert w.tree(tmp_path / "out/general/1.0.0") == w.tree(pair[0])


def test_a_patch_after_an_erasure_is_published_beside_the_old_copy(base, tmp_path):
    home = w.copy(base, tmp_path / "home")
    w.malmoi("publish", home / "ws/6-releases/general/1.0.0", tmp_path / "out")
    w.malmoi("erase", "general", "--id", f"{SITE}/essay/05.html", "--reason", "r", "--workspace", "ws", cwd=home)
    w.malmoi("publish", home / "ws/6-releases/general/1.0.1", tmp_path / "out")
    assert (tmp_path / "out/general/latest").resolve().name == "1.0.1"
    w.malmoi("verify", tmp_path / "out/general/1.0.1")
