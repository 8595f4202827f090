"""Was my work used? Members and strangers are told apart, near copies found, and no forged statement passes."""

import base64
import copy
import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import data_cards
from filters.duplicates.index_lookup import sketch_texts
from flows import contains
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.releases import dsse, membership
from malmoi.releases.dsse import read_signer
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.releases.membership import Members, make_leaf, normalise_address
from malmoi.releases.publish import publish
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.storage import shard
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import document, documents, inputs, sealed
from tests.releases.test_signature import write_key

CHECKER = Path(__file__).parents[2] / "docs/check_statement.py"
THOUSAND = 1000
WORDS = (
    "가마 나루 다리 라면 마을 바다 사과 아침 자전거 차표 카메라 타자기 파도 하늘 거울 나무 두부 모래 보리 수건".split()
)


def write_text(draw: random.Random, words: int = 120) -> str:
    return " ".join(f"{draw.choice(WORDS)}{draw.choice('은는이가을를')}" for _ in range(words)) + "."


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic release of a thousand documents: its data/, the tables of members, and a manifest."""
    root, draw = tmp_path_factory.mktemp("large"), random.Random(7)
    small = sealed(root)
    rows = pq.read_table(next(small.glob("data/*/*/*/*.parquet")), partitioning=None)
    made = []
    for n in range(THOUSAND):
        text = write_text(draw)
        digest = hashlib.sha256(text.encode()).hexdigest()
        made.append({**rows.slice(0, 1).to_pylist()[0], "id": f"ga/m{n}", "text": text, "text_sha256": digest})
        made[-1]["url"] = f"https://ga.example.kr/board/view?no={n}"
    for path in small.glob("data/*/*/*/*.parquet"):
        path.unlink()
    for part in range(2):
        path = small / f"data/redistribute/LicenseRef-KOGL-1/general/train-0000{part}-of-00002.parquet"
        pq.write_table(pa.Table.from_pylist(made[part::2], rows.schema), path, row_group_size=200)
    held = {p.relative_to(small).as_posix(): p for p in small.glob("data/*/*/*/*.parquet")}
    files = tuple(ReleaseFile(n, shard.sha256_of(p), p.stat().st_size, THOUSAND // 2) for n, p in sorted(held.items()))
    members, commitment = membership.write(small, files, sketch_texts)
    old = Manifest.from_json((small / "manifest.json").read_text(encoding="utf-8"))
    fields = {n: getattr(old, n) for n in Manifest.__dataclass_fields__}
    new = Manifest(**fields | {"files": (*files, *members), "members": commitment, "documents": THOUSAND})
    (small / "manifest.json").write_text(new.to_json(), encoding="utf-8")
    return small


def rows_of(release: Path) -> list[dict[str, Any]]:
    return ds.dataset(release / "data", format="parquet").to_table(columns=["id", "url", "text"]).to_pylist()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_key(tmp_path_factory.mktemp("key"), "publisher")


@pytest.fixture(scope="module")
def checker() -> Any:
    """The checker as a module, to call it a thousand times."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("check_statement", CHECKER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_accepted(checker: Any, path: Path, options: dict[str, Any]) -> bool:
    """Whether the checker accepts a statement; any error refuses, as the exit status of its process does."""
    try:
        checker.main(path, options)
    except (Exception, SystemExit):
        return False
    return True


@pytest.mark.heavy
@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.soak)])
def test_a_thousand_members_and_a_thousand_strangers_are_told_apart(
    large: Path, checker: Any, tmp_path: Path, step: int
) -> None:
    draw, path = random.Random(8), tmp_path / "statement.json"
    options = {"--manifest": large / "manifest.json"}
    for row in rows_of(large)[::step]:
        for said in (contains.ask_address(large, row["url"]), contains.ask_text(large, row["text"])):
            assert said["predicate"]["answer"] == "yes"
            assert said["predicate"]["documents"][0]["id"] == row["id"]
            path.write_text(dsse.sign_statement(said, None).to_json(), encoding="utf-8")
            assert is_accepted(checker, path, options)
        stranger, number = write_text(draw), draw.randrange(THOUSAND, 10**9)
        for said in (
            contains.ask_address(large, f"https://ga.example.kr/board/view?no={number}"),
            contains.ask_text(large, stranger),
        ):
            assert said["predicate"]["answer"] == "no"
            assert len(json.dumps([said["predicate"].get(n) for n in ("left", "right")])) <= 2048
            path.write_text(dsse.sign_statement(said, None).to_json(), encoding="utf-8")
            assert is_accepted(checker, path, options)


@pytest.mark.one_case_in(2)
@pytest.mark.parametrize("change", ["words", "spaces", "case and marks", "a sentence more"])
def test_near_copies_are_found_and_measured(large: Path, change: str) -> None:
    draw = random.Random(9)
    rows = rows_of(large)
    for row in draw.sample(rows, 25):
        words = row["text"].split()
        copies = {
            "words": " ".join("고래를" if n in (30, 80) else word for n, word in enumerate(words)),
            "spaces": "".join(words),
            "case and marks": "“" + ", ".join(words) + "”",
            "a sentence more": row["text"] + " 이 글은 옮겨 적은 것이다.",
        }
        said = contains.ask_text(large, copies[change])["predicate"]
        assert said["answer"] == "yes" and said["documents"][0]["id"] == row["id"]
        assert said["documents"][0]["found_by"] == "near copy" and 0.8 <= said["documents"][0]["similarity"] <= 1


def test_half_a_text_is_no_near_copy(large: Path) -> None:
    row = rows_of(large)[0]
    assert contains.ask_text(large, row["text"][: len(row["text"]) // 2])["predicate"]["answer"] == "no"
    assert contains.ask_text(large, "…")["predicate"]["answer"] == "no"


def test_an_answer_takes_less_than_a_second(large: Path) -> None:
    row = rows_of(large)[500]
    contains.ask_text(large, "첫 번째 물음은 표를 만든다.")
    start = time.process_time()
    contains.ask_address(large, row["url"])
    contains.ask_text(large, row["text"] + " 덧붙인 말.")
    assert time.process_time() - start < 1


# Forged statements.


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in nested JSON."""
    if isinstance(value, dict | list):
        for name, held in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves_of(held, (*path, name))
    else:
        yield path


def mutate(value: Any, path: tuple[Any, ...], draw: random.Random) -> Any:
    """The JSON with one value replaced by a similar one."""
    made = copy.deepcopy(value)
    place = made
    for name in path[:-1]:
        place = place[name]
    old = place[path[-1]]
    if isinstance(old, str) and old:
        at = draw.randrange(max(1, len(old) - 2))  # the last characters of base64 may have bits without meaning
        place[path[-1]] = old[:at] + draw.choice([c for c in "0123456789abcdefXYZ" if c != old[at]]) + old[at + 1 :]
    else:
        place[path[-1]] = old + draw.choice([-1, 1, 7]) if isinstance(old, int | float) else "x"
    return made


@pytest.mark.heavy
def test_two_hundred_forged_statements_are_refused(large: Path, key: Path, checker: Any, tmp_path: Path) -> None:
    """Every field of the payload and of the envelope is changed; the signature refuses each."""
    draw, path, row = random.Random(10), tmp_path / "forged.json", rows_of(large)[3]
    signer, options = read_signer(key, large), {"--key": key.with_name("publisher.pub")}
    asked = [contains.ask_address(large, row["url"]), contains.ask_text(large, "없는 글이다. " + write_text(draw))]
    tried = set()
    for n in range(200):
        said = asked[n % 2]
        envelope = dsse.sign_statement(said, signer)
        places = [("payload", one) for one in leaves_of(said)]
        places += [("envelope", one) for one in leaves_of(json.loads(envelope.to_json()))]
        kind, place = places[(n // 2) % len(places)]
        tried.add((n % 2, kind, place))
        forged = json.loads(envelope.to_json())
        if kind == "payload":
            forged["payload"] = base64.b64encode(dsse.spell(mutate(said, place, draw))).decode()
        else:
            forged = mutate(forged, place, draw)
        path.write_text(canonical_json(forged), encoding="utf-8")
        assert not is_accepted(checker, path, options), (kind, place)
        path.write_text(envelope.to_json(), encoding="utf-8")
        assert n > 3 or is_accepted(checker, path, options)
    assert len(tried) > 50


def test_the_tree_alone_refuses_what_it_can_prove(large: Path, checker: Any, tmp_path: Path) -> None:
    """Without a signature the manifest refuses another answer, question, proof, tree and release."""
    draw, path, row = random.Random(11), tmp_path / "forged.json", rows_of(large)[3]
    options = {"--manifest": large / "manifest.json"}
    publisher = {"documents", "compared"}  # the publisher's word, which only a key vouches for
    for said in (contains.ask_address(large, row["url"]), contains.ask_address(large, "https://none.example.kr/")):
        for place in leaves_of(said):
            if place[0] == "predicate" and place[1] in publisher:
                continue
            forged = dsse.sign_statement(mutate(said, place, draw), None)
            path.write_text(forged.to_json(), encoding="utf-8")
            assert not is_accepted(checker, path, options), place


def test_a_publisher_cannot_deny_a_member(large: Path, key: Path, checker: Any, tmp_path: Path) -> None:
    row, path, signer = rows_of(large)[3], tmp_path / "denied.json", read_signer(key, large)
    other = contains.ask_address(large, "https://none.example.kr/")
    own = contains.ask_address(large, row["url"])["predicate"]
    made = Manifest.from_json((large / "manifest.json").read_text(encoding="utf-8"))
    members = Members(large, made)
    _, index = members.find(make_leaf(members.salt, "url", normalise_address(row["url"])))
    spelt = membership._spell
    pairs = [(index - 1, index), (index, index + 1), (index - 1, index + 1), (index + 1, index + 2)]
    for left, right in pairs:
        said = copy.deepcopy(other)
        said["predicate"] |= {"question": own["question"]}
        said["predicate"] |= {"left": spelt(members.prove(left)), "right": spelt(members.prove(right))}
        path.write_text(dsse.sign_statement(said, signer).to_json(), encoding="utf-8")
        assert not is_accepted(checker, path, {"--key": key.with_name("publisher.pub")}), (left, right)
    for gone in ("left", "right"):
        said = copy.deepcopy(other)
        del said["predicate"][gone]
        path.write_text(dsse.sign_statement(said, signer).to_json(), encoding="utf-8")
        assert not is_accepted(checker, path, {"--key": key.with_name("publisher.pub")})


def run_bare(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The checker in a Python without site packages, environment or working folder."""
    command = [sys.executable, "-I", "-S", str(CHECKER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_checker_needs_a_bare_python(large: Path, key: Path, tmp_path: Path) -> None:
    row, path, public = rows_of(large)[5], tmp_path / "statement.json", key.with_name("publisher.pub")
    signed = dsse.sign_statement(contains.ask_text(large, row["text"]), read_signer(key, large))
    path.write_text(signed.to_json(), encoding="utf-8")
    work = tmp_path / "work.txt"
    work.write_text(f"\n{row['text']}\n", encoding="utf-8")
    done = run_bare(path, "--key", public, "--manifest", large / "manifest.json", "--text", work)
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "yes", "")
    assert run_bare(path).returncode == 1
    write_key(tmp_path, "stranger", seed=9)
    assert "not signed by this key" in run_bare(path, "--key", tmp_path / "stranger.pub").stderr
    work.write_text("another text", encoding="utf-8")
    assert "about another text" in run_bare(path, "--key", public, "--text", work).stderr
    assert len(CHECKER.read_text(encoding="utf-8").splitlines()) <= 100


# The tables.


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 100])
def test_every_leaf_of_a_tree_of_any_size_leads_to_the_root(count: int, checker: Any) -> None:
    leaves = [make_leaf(b"salt", "url", str(n)) for n in range(count)]
    root = membership.find_root(leaves)
    tree = {"root": membership.commit(b"s" * 32, count, root), "salt": (b"s" * 32).hex(), "leaves": count}
    for block in (4, 8, 128):
        tops = [membership.find_root(leaves[at : at + block]) for at in range(0, count, block)]
        assert membership.find_root(tops) == root
        for index in range(count):
            one, at = divmod(index, block)
            path = membership.find_path(leaves[one * block : (one + 1) * block], at)
            path += membership.find_path(tops, one)
            spelt = {
                name: base64.b64encode(v).decode() for name, v in (("leaf", leaves[index]), ("path", b"".join(path)))
            }
            assert checker.climb(tree, {"index": index, **spelt}) == leaves[index]


def test_a_proof_of_absence_stays_below_two_kilobytes_for_half_a_million_documents() -> None:
    levels = (1_000_000 - 1).bit_length()
    assert 2 * len(base64.b64encode(bytes(32 * levels))) + 2 * 44 + 100 <= 2048


def test_order_and_grouping_leave_no_trace(tmp_path: Path) -> None:
    made = []
    for n, (cuts, flip) in enumerate([(1, False), (3, True)]):
        (tmp_path / f"tmp{n}").mkdir()
        given = inputs(tmp_path / f"in{n}", documents(), cuts=cuts, flip=flip)
        manifest = publish(given, tmp_path / f"out{n}", tmp=tmp_path / f"tmp{n}", sketch=sketch_texts)
        tables = [(tmp_path / f"out{n}/audit/{name}.parquet").read_bytes() for name in ("members", "sketches")]
        made.append((tables, manifest.members, manifest.root))
    assert made[0] == made[1]


def test_a_patch_release_takes_the_sketches_of_the_version_before(tmp_path: Path) -> None:
    before = sealed(tmp_path)
    release = Path(shutil.copytree(before, tmp_path / "next"))
    path = min(release.glob("data/*/*/*/*.parquet"))
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.slice(1), path)
    files = Manifest.from_json((before / "manifest.json").read_text(encoding="utf-8")).files
    whole = membership.write(release, files, sketch_texts)
    never = lambda texts: pytest.fail("a text was sketched again")  # noqa: E731
    assert membership.write(release, files, never, earlier=before) == whole


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("case", ["a leaf", "a document", "the nodes", "fewer sketches"])
def test_tables_that_are_not_those_of_the_data_are_found(tmp_path: Path, case: str) -> None:
    release = sealed(tmp_path)
    name = "sketches" if case == "fewer sketches" else "members"
    path = release / f"audit/{name}.parquet"
    table = pq.read_table(path, partitioning=None)
    rows, schema = table.to_pylist(), table.schema
    if case == "a leaf":
        rows[5]["leaf"] = bytes(32)
    elif case == "a document":
        rows[5]["document"] += 1
    elif case == "the nodes":
        schema = schema.with_metadata({b"nodes": b"00" * 32})
    else:
        rows = rows[1:]
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    seal(release)
    found = verify(release, render=data_cards.render_card)
    assert any(f.check == "members" and f.path == f"audit/{name}.parquet" for f in found)


def test_a_commitment_to_another_tree_is_found(tmp_path: Path) -> None:
    release = sealed(tmp_path)
    text = (release / "manifest.json").read_text(encoding="utf-8")
    made = Manifest.from_json(text).members
    (release / "manifest.json").write_text(text.replace(made, "0" * 64), encoding="utf-8")
    assert any(f.check == "members" and f.path == "manifest.json" for f in verify(release))


def test_pages_that_still_show_a_value_are_not_found_by_their_address(tmp_path: Path) -> None:
    from dataclasses import replace

    from malmoi.document import Note

    shown = replace(document("ga", 1), trail=(Note("redact", "mend", "1", "pii:card", 1.0),))
    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", [shown, document("na", 3)]), tmp_path / "out", tmp=tmp_path / "tmp")
    assert contains.ask_address(tmp_path / "out", shown.provenance.url)["predicate"]["answer"] == "no"
    assert contains.ask_address(tmp_path / "out", "https://ga.example.kr/")["predicate"]["answer"] == "no"
    said = contains.ask_text(tmp_path / "out", shown.text)["predicate"]
    assert said["answer"] == "yes" and said["documents"][0]["id"].startswith("ga/page-")
    other = contains.ask_text(tmp_path / "out", "다른 글")["predicate"]
    assert other["compared"] == "the exact text alone"  # this release has no sketches


@pytest.mark.parametrize(
    "other",
    [
        "https://www.a.kr/b/%EA%B0%80?x=2&y=1",
        "http://A.KR:80/b/가/?y=1&x=2#part",
        "https://user@a.kr/b/%ea%b0%80;jsessionid=0A?x=2&y=1",
        " https://a.kr/b/가?x=2&y=1&\n",
    ],
)
def test_spellings_of_one_address_have_one_key(other: str) -> None:
    assert normalise_address(other) == normalise_address("https://a.kr/b/가?x=2&y=1")


def test_other_addresses_have_other_keys() -> None:
    spelt = [
        "http://a.kr/가",
        "http://a.kr/%B0%A1",
        "http://a.kr/%B0%A2",
        "http://한글.kr/",
        "http://a.kr/?a=1",
        "folder:a",
    ]
    assert len({normalise_address(one) for one in spelt}) == len(spelt)


# The command.


def test_the_command_answers_and_signs(large: Path, key: Path, tmp_path: Path) -> None:
    row = rows_of(large)[7]
    said = malmoi_in_process("contains", large, "--url", row["url"])
    assert said.returncode == 0 and said.stdout.startswith("yes: ")
    assert row["id"] in said.stdout and f"malmoi erase {large} --id {row['id']}" in said.stdout
    (tmp_path / "work.txt").write_text("아무 데도 없는 글이다.", encoding="utf-8")
    said = malmoi_in_process("contains", large, "--text", tmp_path / "work.txt")
    assert said.returncode == 0 and said.stdout.startswith("no: ")
    signed = malmoi_in_process("contains", large, "--text", tmp_path / "work.txt", "--key", key)
    (tmp_path / "s.json").write_text(signed.stdout, encoding="utf-8")
    assert run_bare(tmp_path / "s.json", "--key", key.with_name("publisher.pub")).returncode == 0
    page = tmp_path / "work.html"
    page.write_text(f"<html><body><main><p>{row['text']}</p></main></body></html>", encoding="utf-8")
    assert malmoi_in_process("contains", large, "--text", page).stdout.startswith("yes: ")
    assert malmoi_in_process("contains", large).returncode == 2
    shutil.copytree(large, tmp_path / "old")
    (tmp_path / "old/audit/members.parquet").unlink()
    with pytest.raises(CallError, match="publish it again"):
        contains.ask_address(tmp_path / "old", "https://a.kr/")
