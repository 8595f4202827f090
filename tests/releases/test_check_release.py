"""The checker for auditors, run as they run it: a Python with DuckDB alone, a release, and what was done to it."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from malmoi.canonical_json import canonical_json
from malmoi.releases.verification.sha256sums import seal
from malmoi.storage.shard import sha256_of
from tests.builders.small_release import sealed
from tests.releases.test_verify import edited, remade

CHECKER = Path(__file__).resolve().parents[2] / "docs" / "check_release.py"
SHARD = "data/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet"
MORPHEMES = SHARD.replace("data/", "morphemes/", 1)
OTHER = "data/redistribute/LicenseRef-KOGL-1/general/train-00001-of-00002.parquet"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with DuckDB alone."""
    folder, spec = tmp_path_factory.mktemp("bare"), find_spec("duckdb")
    assert spec is not None
    packages = Path(str(spec.origin)).parents[1]
    for found in (*packages.glob("duckdb*"), *packages.glob("_duckdb*")):
        (folder / found.name).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def check(bare: Path, *arguments: object) -> tuple[int, list[str]]:
    """Run the checker with the standard library and DuckDB alone; return its exit status and its faults."""
    code = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    call = [sys.executable, "-I", "-S", "-c", f"import sys; sys.argv[0] = 'check'; {code}", bare, CHECKER, *arguments]
    done = subprocess.run(
        list(map(str, call)), capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": os.environ["PATH"]}, cwd=bare,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    lines = done.stdout.splitlines() + done.stderr.splitlines()
    return done.returncode, [line for line in lines if not line.startswith("ok ")]


def test_a_release_as_it_was_made_has_no_fault_and_every_number_and_file_is_named(bare: Path, whole: Path) -> None:
    status, said = check(bare, whole)
    assert (status, len(said)) == (0, 1)
    assert said[0].endswith(" checks, 0 faults")
    card = json.loads((whole / "card.json").read_text(encoding="utf-8"))
    files = [p for p in whole.rglob("*") if p.is_file()]
    assert int(said[0].split()[0]) > len(files) + len(card["numbers"]) + len(card["tables"])


def test_the_bare_python_has_duckdb_and_nothing_of_ours(bare: Path) -> None:
    code = f"import sys; sys.path.append({str(bare)!r}); import duckdb\nfor name in ('pyarrow', 'malmoi', 'numpy'):\n"
    code += "    try:\n        __import__(name)\n    except ImportError:\n        continue\n    sys.exit(name)"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=bare)


def flip(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def edit_card(release: Path, change: Callable[[dict], None]) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    change(card)
    (release / "card.json").write_text(canonical_json(card), encoding="utf-8")
    seal(release)


def change_rows(release: Path, name: str, change: Callable[[list[dict]], list[dict]]) -> None:
    edited(release / name, change)
    remade(release)


def swap(release: Path) -> None:
    one, two = (release / SHARD).read_bytes(), (release / OTHER).read_bytes()
    (release / SHARD).write_bytes(two)
    (release / OTHER).write_bytes(one)


def link(release: Path) -> None:
    (release / "LICENSE.md").unlink()
    (release / "LICENSE.md").symlink_to("/etc/hostname")


def query(sql: str, value: object = 24) -> Callable[[Path], None]:
    return lambda r: edit_card(r, lambda card: card["numbers"]["documents"].update({"sql": sql, "value": value}))


def change_layer(layer: str, **lists: object) -> Callable[[Path], None]:
    """Replace lists of the analysis of the first document."""
    return lambda r: change_rows(r, MORPHEMES, lambda rows: [rows[0] | {layer: rows[0][layer] | lists}, *rows[1:]])


TAMPERED: list[tuple[str, str, Callable[[Path], None]]] = [
    ("a flipped bit", f"sum: {SHARD}", lambda r: flip(r / SHARD)),
    ("an edited page", "sum: README.md", lambda r: (r / "README.md").write_text("x")),
    ("a removed file", f"sum: {OTHER}: is missing", lambda r: (r / OTHER).unlink()),
    ("an extra file", "sum: data/more.txt: is extra", lambda r: (r / "data/more.txt").write_text("x")),
    ("swapped shards", f"manifest: {OTHER}: sha256, rows or bytes", lambda r: (swap(r), seal(r))),
    ("a link", "sum: LICENSE.md: is not a plain file", link),
    ("a file that is no Parquet", f"manifest: {SHARD}", lambda r: ((r / SHARD).write_bytes(b"PAR1"), seal(r))),
    ("no sums", "sums: SHA256SUMS", lambda r: (r / "SHA256SUMS").unlink()),
    ("a path outside", "manifest: ../edits.parquet",
     lambda r: _replace(r / "manifest.json", "audit/edits", "../edits")),
    ("another root", "root: manifest.json", lambda r: _replace(r / "manifest.json", '"root":', '"root": "00", "r":')),
    ("an edited number", "number documents: card.json: differs: the data give 24",
     lambda r: edit_card(r, lambda card: card["numbers"]["documents"].update(value=25))),
    ("a number of another type", "number documents: card.json: differs",
     lambda r: edit_card(r, lambda card: card["numbers"]["documents"].update(value="24"))),
    ("an edited table", "table by_licence: card.json: differs",
     lambda r: edit_card(r, lambda card: card["tables"]["by_licence"]["rows"][0].__setitem__(2, 9))),
    ("a query that reads nothing", "number documents: card.json: the query does not read", query("SELECT 24")),
    ("a query that reads another file", "number documents: card.json: the query could not be run",
     query("SELECT count(*) FROM read_text('/etc/hostname') -- data", 1)),
    ("a query that writes", "number documents: card.json: the query could not be run",
     query("COPY (SELECT 1 FROM data) TO 'x.csv'")),
    ("a changed text", "text_sha256: data: 1 violations",
     lambda r: change_rows(r, SHARD, lambda rows: [rows[0] | {"text": rows[0]["text"] + "!"}, *rows[1:]])),
    ("a changed length", "lengths: data: 1 violations",
     lambda r: change_rows(r, SHARD, lambda rows: [rows[0] | {"n_chars": 7}, *rows[1:]])),
    ("a repeated document", "ids are unique: data: 1 violations",
     lambda r: change_rows(r, SHARD, lambda rows: [rows[0], *rows])),
    ("morphemes in another order", "ids of morphemes: morphemes: ",
     lambda r: change_rows(r, MORPHEMES, lambda rows: [rows[1], rows[0], *rows[2:]])),
    ("morphemes of fewer documents", f"pair: {MORPHEMES}: data/ and morphemes/",
     lambda r: change_rows(r, MORPHEMES, lambda rows: rows[:-1])),
    ("no morphemes of a file", f"pair: {MORPHEMES}: data/ and morphemes/",
     lambda r: ((r / MORPHEMES).unlink(), remade(r))),
    ("a tag too few", "lists of morphemes: morphemes: 1 violations", change_layer("morphemes", tag=["SL"])),
    ("no sentences", "lists of morphemes: morphemes: 1 violations", change_layer("sentences", start=[], end=[])),
    ("a sentence that ends outside its text", "places of morphemes: morphemes: 1 violations",
     change_layer("sentences", end=[4000])),
    ("a sentence that ends before it starts", "places of morphemes: morphemes: 1 violations",
     change_layer("sentences", start=[4], end=[3])),
    ("a morpheme outside its text", "places of morphemes: morphemes: 1 violations",
     change_layer("morphemes", start=[0, 4_294_967_295])),
    ("a long morpheme", "places of morphemes: morphemes: 1 violations", change_layer("morphemes", length=[2, 65_535])),
    ("a removed proof", "licence evidence: audit/licence_evidence.parquet: 1 violations",
     lambda r: change_rows(r, "audit/licence_evidence.parquet", lambda rows: rows[1:])),
    ("a hidden drop", "in = kept + dropped + failed: audit/stages.parquet",
     lambda r: change_rows(r, "audit/stages.parquet", lambda rows: [x for x in rows if x["reason"] != "too-short"])),
]  # fmt: skip


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.one_case_in(10)
@pytest.mark.parametrize(("says", "tamper"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED])
def test_tampering_is_found_with_the_file(
    bare: Path, release: Path, says: str, tamper: Callable[[Path], object]
) -> None:
    tamper(release)
    status, said = check(bare, release)
    assert status == 1
    assert any(line.startswith(f"FAULT {says}") for line in said), said


def test_no_text_is_printed(bare: Path, release: Path) -> None:
    edit_card(release, lambda card: [fact.update(rows=[]) for fact in card["tables"].values()])
    said = "\n".join(check(bare, release)[1])
    assert "FAULT table by_source" in said
    assert "가나부" not in said


@pytest.mark.heavy
def test_a_release_that_was_rebuilt_as_a_whole_has_another_root_than_the_publisher_says(
    bare: Path, release: Path, whole: Path
) -> None:
    root = json.loads((whole / "manifest.json").read_text(encoding="utf-8"))["root"]
    assert check(bare, whole, "--root", root)[0] == 0
    change_rows(release, "audit/sources.parquet", lambda rows: [row | {"note": "forged"} for row in rows])
    assert check(bare, release)[0] == 0
    status, said = check(bare, release, "--root", root)
    assert (status, said[0].startswith("FAULT root: --root")) == (1, True)


def test_a_folder_that_is_no_release_is_a_wrong_call(bare: Path, tmp_path: Path) -> None:
    status, said = check(bare, tmp_path)
    assert (status, "name the folder of one version" in said[-1]) == (2, True)


def sign(release: Path, folder: Path, *, digest: str = "") -> Path:
    """Sign a release as docs/releases.md says; return the public key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    names = ("manifest.json", "SHA256SUMS")
    subjects = [{"name": name, "digest": {"sha256": digest or sha256_of(release / name)}} for name in names]
    kind, payload = "application/vnd.in-toto+json", json.dumps({"subject": subjects}).encode()
    key = Ed25519PrivateKey.generate()
    made = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload))
    envelope = {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(made).decode()}],
    }
    (release / "manifest.dsse.json").write_text(json.dumps(envelope), encoding="utf-8")
    public = folder / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


@pytest.mark.heavy
def test_a_signature_is_checked_without_a_library(bare: Path, release: Path, tmp_path: Path) -> None:
    key = sign(release, tmp_path)
    assert check(bare, release, "--key", key)[0] == 0
    change_rows(release, "audit/sources.parquet", lambda rows: [row | {"note": "forged"} for row in rows])
    status, said = check(bare, release, "--key", key)
    assert status == 1
    assert any(line.startswith("FAULT signed sum: manifest.json") for line in said)
    (tmp_path / "other").mkdir()
    other = sign(release, tmp_path / "other")
    assert check(bare, release, "--key", other)[0] == 0
    assert any("is not by this key" in line for line in check(bare, release, "--key", key)[1])
    (release / "manifest.dsse.json").unlink()
    assert any("signature: manifest.dsse.json: is missing" in line for line in check(bare, release, "--key", key)[1])
