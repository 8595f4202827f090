"""(b) Was my work used? docs/was-my-work-used.md"""

import base64
import copy
import json
import random
import subprocess
import unicodedata
from pathlib import Path

import pytest
import world as w

CHECK = w.ROOT / "docs/check_statement.py"


def ask(release: Path, *words) -> dict:
    done = w.malmoi("contains", release, *words, "--json")
    return json.loads(base64.b64decode(json.loads(done.stdout)["payload"]))["predicate"]


def check(statement: Path, *words):
    return subprocess.run(
        ["/usr/bin/python3", "-I", CHECK, statement, *words], capture_output=True, text=True, check=False
    )


def text_of(release: Path, end: str) -> str:
    return next(r["text"] for r in w.rows(release) if r["id"].endswith(end))


# ---- addresses


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        ("https://www.example.kr/", "example.kr/"),
        ("http://example.kr", "example.kr/"),
        ("HTTPS://WWW.EXAMPLE.KR:443/", "example.kr/"),
        ("https://example.kr/#start", "example.kr/"),
        ("https://user:secret@example.kr/", "example.kr/"),
        ("https://example.kr/a?a=1&b=2", "b=2&a=1"),
        ("http://www.example.kr/a/?b=2&a=1#x", "b=2&a=1"),
        ("https://example.kr/글/봄", "%B4%84"),
        ("https://example.kr/%ea%b8%80/%eb%b4%84/", "%B4%84"),
        ("https://www.example.kr/" + unicodedata.normalize("NFC", "글") + "/%EB%B4%84", "%B4%84"),
        ("https://example.kr/port.html", "80/port.html"),
        ("https://archive.example.kr:8443/port.html", "8443/port.html"),
        ("https://example.kr/tilde/~user", "user"),
        ("https://example.kr/tilde/%7euser", "user"),
        ("https://example.kr/s?x=1", "x=1"),
        ("https://example.kr/s;jsessionid=FFFF?x=1", "x=1"),
        ("https://example.kr/Upper/Case.html", "Case.html"),
    ],
)
def test_an_equal_address_is_found(foreign, asked, end):
    said = ask(foreign, "--url", asked)
    assert said["answer"] == "yes" and [d["id"].endswith(end) for d in said["documents"]] == [True]


@pytest.mark.parametrize(
    "asked",
    [
        "https://example.kr/a?a=1&b=3",
        "https://example.kr/a?a=1",
        "https://example.kr/a?a=1&b=2&c=3",
        "https://example.kr/upper/case.html",
        "https://archive.example.kr/port.html",
        "https://example.kr:8443/port.html",
        "https://blog.example.kr/",
        "https://example.kr.evil.example/",
        "https://example.kr/tilde",
        "https://example.kr/index.html",
        "https://example.kr/a?a=2&b=1",
    ],
)
def test_another_address_is_not_found(foreign, asked):
    assert ask(foreign, "--url", asked)["answer"] == "no"


@pytest.mark.parametrize(
    "asked", ["", "no address", "ftp://example.kr/", "http://", "http://[", "https://example.kr/" + "a" * 100_000]
)
def test_what_is_no_address_gets_a_clear_error(foreign, asked):
    assert w.malmoi("contains", foreign, "--url", asked, status=None).returncode == 2


def test_every_member_is_found_by_its_address(release):
    for row in w.rows(release)[:20]:
        said = ask(release, "--url", row["url"])
        assert said["answer"] == "yes" and said["documents"][0]["id"] == row["id"]


def test_every_member_is_found_by_its_text(release, tmp_path):
    for row in w.rows(release)[20:]:
        (tmp_path / "t.txt").write_text(row["text"], "utf-8")
        said = ask(release, "--text", tmp_path / "t.txt")
        assert said["answer"] == "yes" and row["id"] in {d["id"] for d in said["documents"]}


def test_strangers_are_not_found_and_each_no_is_proven(release, tmp_path):
    for n in range(12):
        (tmp_path / "t.txt").write_text("\n".join(w.write_prose(f"stranger {n}")), "utf-8")
        words = ("--text", tmp_path / "t.txt") if n % 2 else ("--url", f"{w.HOST}/essay/{n + 90}.html")
        done = w.malmoi("contains", release, *words, "--json")
        (tmp_path / "s.json").write_text(done.stdout, "utf-8")
        checked = check(tmp_path / "s.json", "--manifest", release / "manifest.json")
        assert checked.returncode == 0 and checked.stdout.startswith("no "), checked.stderr
        said = json.loads(base64.b64decode(json.loads(done.stdout)["payload"]))["predicate"]
        assert len(json.dumps([said.get("left"), said.get("right")])) <= 2048


# ---- texts


@pytest.mark.parametrize(
    "form",
    [
        "crlf",
        "nfd",
        "one line",
        "double blanks",
        "tabs",
        "upper",
        "no punctuation",
        "bom",
        "cp949",
        "trailing blanks",
        "no blanks",
    ],
)
def test_an_equal_text_in_another_form_is_found(release, tmp_path, form):
    text = text_of(release, "/essay/05.html")
    made = {
        "crlf": text.replace("\n", "\r\n"),
        "nfd": unicodedata.normalize("NFD", text),
        "one line": " ".join(text.split()),
        "double blanks": text.replace(" ", "  "),
        "tabs": text.replace(" ", "\t"),
        "upper": text.upper(),
        "no punctuation": text.replace(".", "").replace(",", ""),
        "bom": "\ufeff" + text,
        "cp949": text,
        "trailing blanks": "\n\n" + text.replace("\n", "   \n") + "\n\n",
        "no blanks": "".join(text.split()),
    }[form]
    (tmp_path / "t.txt").write_bytes(made.encode("cp949" if form == "cp949" else "utf-8"))
    said = ask(release, "--text", tmp_path / "t.txt")
    assert said["answer"] == "yes" and said["documents"][0]["id"].endswith("/essay/05.html")


@pytest.mark.parametrize(
    ("path", "name"), [("/essay/05.html", "a.html"), ("/canary/a.docx", "a.docx"), ("/canary/a.pdf", "a.pdf")]
)
def test_the_file_of_the_work_is_found(release, server, tmp_path, path, name):
    (tmp_path / name).write_bytes(server.files[path][1])
    said = ask(release, "--text", tmp_path / name)
    assert said["answer"] == "yes" and said["documents"][0]["id"].endswith(path)


def shingles(text: str) -> set[str]:
    letters = "".join(c for c in unicodedata.normalize("NFC", text).lower() if unicodedata.category(c)[0] in "LNM")
    return {letters[i : i + 5] for i in range(max(len(letters) - 4, 1))}


def similarity(a: str, b: str) -> float:
    x, y = shingles(a), shingles(b)
    return len(x & y) / len(x | y)


@pytest.mark.parametrize("words_changed", [1, 2, 3, 5, 8, 12, 20, 40])
def test_a_changed_text_is_found_exactly_if_it_is_similar_enough(release, tmp_path, words_changed):
    text = text_of(release, "/essay/08.html")
    draw = random.Random(words_changed)
    words = text.split(" ")
    for at in draw.sample(range(len(words)), words_changed):
        words[at] = draw.choice(["갑자기", "느릿느릿", "처음부터", "도무지"])
    changed = " ".join(words)
    (tmp_path / "t.txt").write_text(changed, "utf-8")
    said = ask(release, "--text", tmp_path / "t.txt")
    expected = similarity(text, changed) >= 0.8
    assert (said["answer"] == "yes") is expected
    if expected:
        assert said["documents"][0]["id"].endswith("/essay/08.html")


def test_a_passage_inside_a_longer_text_is_not_claimed(release, tmp_path):
    (tmp_path / "t.txt").write_text(text_of(release, "/essay/08.html")[:200], "utf-8")
    assert ask(release, "--text", tmp_path / "t.txt")["answer"] == "no"


def test_a_yes_names_licence_and_its_proof(release):
    said = ask(release, "--url", f"{w.HOST}/essay/03.html")["documents"][0]
    assert said["license"] == "CC-BY-SA-4.0" and "creativecommons.org/licenses/by-sa/4.0" in json.dumps(
        said["evidence"]
    )
    done = w.malmoi("contains", release, "--url", f"{w.HOST}/essay/03.html")
    assert "CC-BY-SA-4.0" in done.stdout and "erase" in done.stdout


@pytest.mark.parametrize(
    "content",
    [b"", b"   \n\n", b"\x00" * 1000, b"%PDF-1.7 broken", b"PK\x03\x04 broken"],
    ids=["empty", "blank", "binary", "pdf", "zip"],
)
def test_a_file_without_text_gets_a_clear_error(release, tmp_path, content):
    (tmp_path / "t.txt").write_bytes(content)
    assert w.malmoi("contains", release, "--text", tmp_path / "t.txt", status=None).returncode == 2


def test_neither_or_a_missing_file_or_release_gets_a_clear_error(release, tmp_path):
    assert w.malmoi("contains", release, status=None).returncode == 2
    assert w.malmoi("contains", release, "--text", tmp_path / "none.txt", status=None).returncode == 2
    assert w.malmoi("contains", tmp_path, "--url", "https://a.example/", status=None).returncode in (1, 2)


def test_two_releases_answer_with_other_digests(two):
    a, b = (ask(two / "ws/6-releases/general" / v, "--url", f"{w.HOST}/essay/01.html") for v in ("1.0.0", "1.1.0"))
    assert a["answer"] == b["answer"] == "yes" and a["member"]["leaf"] != b["member"]["leaf"]


def test_asking_twice_gives_the_same_bytes(release):
    words = ("contains", release, "--url", f"{w.HOST}/essay/01.html", "--json")
    assert w.malmoi(*words).stdout == w.malmoi(*words).stdout


# ---- statements and forgers


@pytest.fixture(scope="module")
def statements(release, keys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("statements")
    (folder / "work.txt").write_text(text_of(release, "/essay/05.html"), "utf-8")
    asked = {
        "yes": ("--url", f"{w.HOST}/essay/01.html"),
        "no": ("--url", f"{w.HOST}/nothing"),
        "text": ("--text", folder / "work.txt"),
    }
    for name, words in asked.items():
        done = w.malmoi("contains", release, *words, "--json", "--key", keys["publisher"][0])
        (folder / f"{name}.json").write_text(done.stdout, "utf-8")
    return folder


@pytest.mark.parametrize("name", ["yes", "no", "text"])
def test_a_true_statement_is_accepted(statements, release, keys, name):
    words = ["--key", keys["publisher"][1], "--manifest", release / "manifest.json"]
    words += ["--text", statements / "work.txt"] if name == "text" else []
    done = check(statements / f"{name}.json", *words)
    assert done.returncode == 0 and done.stdout.split()[0] == ("no" if name == "no" else "yes"), done.stderr


FORGERIES = {
    "answer": lambda s: s["predicate"].update(answer="no" if s["predicate"]["answer"] == "yes" else "yes"),
    "question": lambda s: s["predicate"]["question"].update(key="127.0.0.1:8777/essay/02.html"),
    "kind": lambda s: s["predicate"]["question"].update(kind="text"),
    "leaves": lambda s: s["predicate"]["tree"].update(leaves=s["predicate"]["tree"]["leaves"] + 1),
    "salt": lambda s: s["predicate"]["tree"].update(salt="00" * 32),
    "tree root": lambda s: s["predicate"]["tree"].update(root="00" * 32),
    "release root": lambda s: s["predicate"]["release"].update(root="00" * 32),
    "release version": lambda s: s["predicate"]["release"].update(version="9.9.9"),
    "release name": lambda s: s["predicate"]["release"].update(name="other"),
    "subject": lambda s: s["subject"][0]["digest"].update(sha256="00" * 32),
    "index": lambda s: [
        s["predicate"][k].update(index=s["predicate"][k]["index"] ^ 1)
        for k in ("member", "left")
        if s["predicate"].get(k)
    ],
    "negative index": lambda s: [
        s["predicate"][k].update(index=-1) for k in ("member", "left") if s["predicate"].get(k)
    ],
    "leaf": lambda s: [
        s["predicate"][k].update(leaf=base64.b64encode(bytes(32)).decode())
        for k in ("member", "left")
        if s["predicate"].get(k)
    ],
    "path": lambda s: [
        s["predicate"][k].update(path=s["predicate"][k]["path"][:-8])
        for k in ("member", "left")
        if s["predicate"].get(k)
    ],
    "long path": lambda s: [
        s["predicate"][k].update(
            path=base64.b64encode(base64.b64decode(s["predicate"][k]["path"]) + bytes(32)).decode()
        )
        for k in ("member", "left")
        if s["predicate"].get(k)
    ],
    "no proof": lambda s: [s["predicate"].pop(k, None) for k in ("member", "left", "right")],
    "one neighbour": lambda s: [s["predicate"].pop(k, None) for k in ("member", "left")],
    "predicate type": lambda s: s.update(predicateType="urn:malmoi:release:1"),
    "statement type": lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
    "no subject": lambda s: s.update(subject=[]),
}


@pytest.mark.parametrize("name", ["yes", "no"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_statement_is_refused_with_the_manifest_and_with_the_key(
    statements, release, keys, tmp_path, name, forgery
):
    envelope = json.loads((statements / f"{name}.json").read_text("utf-8"))
    said = json.loads(base64.b64decode(envelope["payload"]))
    before = copy.deepcopy(said)
    FORGERIES[forgery](said)
    assert said != before
    envelope["payload"] = base64.b64encode(json.dumps(said, sort_keys=True).encode()).decode()
    (tmp_path / "s.json").write_text(json.dumps(envelope), "utf-8")
    assert check(tmp_path / "s.json", "--manifest", release / "manifest.json").returncode != 0
    assert check(tmp_path / "s.json", "--key", keys["publisher"][1]).returncode != 0


def test_neighbours_that_are_not_neighbours_are_refused(statements, release, tmp_path):
    """A denier proves the gap between two true leaves that are not side by side."""
    other = json.loads(w.malmoi("contains", release, "--url", f"{w.HOST}/else", "--json").stdout)
    a, b = (
        json.loads(base64.b64decode(e["payload"])) for e in (json.loads((statements / "no.json").read_text()), other)
    )
    if a["predicate"].get("right") == b["predicate"].get("right"):
        pytest.skip("both fall into one gap")
    a["predicate"]["right"] = b["predicate"]["right"]
    envelope = json.loads((statements / "no.json").read_text()) | {
        "payload": base64.b64encode(json.dumps(a).encode()).decode()
    }
    (tmp_path / "s.json").write_text(json.dumps(envelope), "utf-8")
    assert check(tmp_path / "s.json", "--manifest", release / "manifest.json").returncode != 0


def test_a_statement_about_another_release_is_refused(statements, two):
    assert (
        check(statements / "no.json", "--manifest", two / "ws/6-releases/general/1.1.0/manifest.json").returncode != 0
    )


@pytest.mark.parametrize("case", ["other key", "no signature", "nothing given", "garbled", "licence", "other text"])
def test_a_statement_that_nobody_vouches_for_is_refused(statements, release, keys, tmp_path, case):
    envelope = json.loads((statements / "text.json").read_text("utf-8"))
    words = ["--key", keys["publisher"][1]]
    if case == "other key":
        words = ["--key", keys["stranger"][1]]
    if case == "no signature":
        envelope["signatures"] = []
    if case == "nothing given":
        words = []
    if case == "garbled":
        envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    if case == "licence":
        said = json.loads(base64.b64decode(envelope["payload"]))
        said["predicate"]["documents"][0]["license"] = "CC0-1.0"
        envelope["payload"] = base64.b64encode(json.dumps(said, sort_keys=True).encode()).decode()
    if case == "other text":
        (tmp_path / "t.txt").write_text("다른 글", "utf-8")
        words += ["--text", tmp_path / "t.txt"]
    (tmp_path / "s.json").write_text(json.dumps(envelope), "utf-8")
    assert check(tmp_path / "s.json", *words).returncode != 0
