"""Signing: with the public key of the publisher, whatever is changed in a release is found, though all is remade."""

import base64
import hashlib
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as other_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import data_cards
from malmoi.errors import CallError
from malmoi.releases import dsse
from malmoi.releases.dsse import PASSPHRASE, read_public_key, read_signer
from malmoi.releases.manifest import Manifest
from malmoi.releases.verification import release_statement, sha256sums
from malmoi.releases.verification.verify import verify
from tests.builders.small_corpus import make, malmoi_in_process
from tests.builders.small_release import sealed
from tests.releases.test_verify import edited, remade

NAME = "manifest.dsse.json"
PRIVATE = (pem.Encoding.PEM, pem.PrivateFormat.PKCS8)
PUBLIC = (pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)


def write_key(folder: Path, name: str, passphrase: str = "", seed: int = 1) -> Path:
    """A key file and its public half, `<name>.pub`."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    lock = pem.BestAvailableEncryption(passphrase.encode()) if passphrase else pem.NoEncryption()
    path = folder / name
    path.touch(0o600)
    path.write_bytes(key.private_bytes(*PRIVATE, lock))
    (folder / f"{name}.pub").write_bytes(key.public_key().public_bytes(*PUBLIC))
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    write_key(folder, "publisher")
    write_key(folder, "stranger", seed=2)
    write_key(folder, "locked", "fictional words", seed=3)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Path:
    made = sealed(tmp_path_factory.mktemp("whole"))
    release_statement.sign(made, read_signer(keys / "publisher", made))
    return made


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def find_with_key(folder: Path, keys: Path, name: str = "publisher") -> list[tuple[str, str]]:
    found = verify(folder, again=False, public=read_public_key(keys / f"{name}.pub"))
    return [(f.path, f.says) for f in found]


def test_a_signed_release_verifies_with_and_without_the_key(release: Path, keys: Path) -> None:
    assert find_with_key(release, keys) == []
    assert verify(release, render=data_cards.render_card) == []
    assert "Signed by the key" in release_statement.describe(release)


def test_the_signature_is_canonical_and_the_same_each_time(release: Path, keys: Path) -> None:
    before = (release / NAME).read_bytes()
    release_statement.sign(release, read_signer(keys / "publisher", release))
    assert (release / NAME).read_bytes() == before
    assert len(before) < 2048


def test_the_statement_names_files_name_version_and_root(release: Path) -> None:
    envelope = json.loads((release / NAME).read_text(encoding="utf-8"))
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    said = json.loads(base64.b64decode(envelope["payload"]))
    made = Manifest.from_json((release / "manifest.json").read_text(encoding="utf-8"))
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert [one["name"] for one in said["subject"]] == ["SHA256SUMS", "card.json", "manifest.json"]
    assert said["predicateType"] == "urn:malmoi:release:1"
    assert said["predicate"] == {"name": made.name, "version": made.version, "root": made.root}


def first(**changes: object) -> Callable[[list[dict]], list[dict]]:
    return lambda rows: [rows[0] | changes, *rows[1:]]


def other_text(rows: list[dict]) -> list[dict]:
    text = rows[0]["text"].replace("글", "말", 1)
    return first(text=text, text_sha256=hashlib.sha256(text.encode()).hexdigest())(rows)


DATA = "data/redistribute/LicenseRef-KOGL-1/general/train-00000-of-00002.parquet"
# What a release that is remade as a whole cannot show by itself: manifest, card and sums agree with the change.
REMADE: dict[str, tuple[str, Callable[[list[dict]], list[dict]]]] = {
    "quality": (DATA, first(quality=1.0)),
    "text": (DATA, other_text),
    "address": (DATA, first(url="https://other.example.kr/1")),
    "date": (DATA, first(date="1999-12-31")),
    "title": (DATA, first(title="다른 제목")),
    "record": (DATA, first(record="urn:uuid:other")),
    "fetched": (DATA, first(fetched="2020-01-01T00:00:00Z")),
    "quote": ("audit/licence_evidence.parquet", first(quote="출처표시")),
    "place": ("audit/licence_evidence.parquet", first(place="header")),
    "record of evidence": ("audit/licence_evidence.parquet", first(record="urn:uuid:other")),
    "hidden opt-out": ("audit/signals.parquet", lambda rows: [r for r in rows if r["effect"] != "opt-out"]),
    "forged terms check": ("audit/sources.parquet", first(terms="read and allowed")),
    "note of a source": ("audit/sources.parquet", first(note="")),
    "reason of a drop": ("audit/edits.parquet", lambda rows: rows[1:]),
}

FOUND = {"address", "title", "record", "record of evidence", "forged terms check", "reason of a drop"}  # by a law

ID = "ga/1"


@pytest.mark.one_case_in(15)
@pytest.mark.parametrize("case", REMADE)
def test_what_a_remade_release_hides_the_signature_shows(release: Path, keys: Path, case: str) -> None:
    path, change = REMADE[case]
    edited(release / path, change)
    remade(release)
    found = find_with_key(release, keys)
    assert {"manifest.json", "SHA256SUMS", "card.json"} <= {name for name, _ in found}
    (release / NAME).unlink()
    assert (verify(release, render=data_cards.render_card) == []) is (case not in FOUND)  # the others need the key
    assert NAME in [name for name, _ in find_with_key(release, keys)]


def test_a_forged_attribution_is_shown(release: Path, keys: Path) -> None:
    shard = next(p for p in release.glob("data/*/*/*/*.parquet") if _has(p, ID))
    for path in (shard, release / "audit/attribution.parquet"):
        edited(path, lambda rows: [r | {"attribution": "no one"} if r["id"] == ID else r for r in rows])
    remade(release)
    assert {"manifest.json", "SHA256SUMS"} <= {name for name, _ in find_with_key(release, keys)}


def _has(path: Path, id: str) -> bool:
    import pyarrow.parquet as pq

    return id in pq.read_table(path, columns=["id"], partitioning=None)["id"].to_pylist()


def change_card(release: Path) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    card["numbers"]["documents"]["value"] += 1
    (release / "card.json").write_text(json.dumps(card), encoding="utf-8")
    sha256sums.seal(release)


def change_page(release: Path) -> None:
    (release / "README.md").write_text("mine", encoding="utf-8")
    sha256sums.seal(release)


def change_payload(release: Path) -> None:
    held = json.loads((release / NAME).read_text(encoding="utf-8"))
    said = base64.b64decode(held["payload"]).replace(b'"version": "1.0.0"', b'"version": "9.0.0"')
    held["payload"] = base64.b64encode(said).decode()
    (release / NAME).write_text(dsse.canonical_json(held), encoding="utf-8")


def change_bit(release: Path) -> None:
    held = json.loads((release / NAME).read_text(encoding="utf-8"))
    signature = bytearray(base64.b64decode(held["signatures"][0]["sig"]))
    signature[40] ^= 1
    held["signatures"][0]["sig"] = base64.b64encode(bytes(signature)).decode()
    (release / NAME).write_text(dsse.canonical_json(held), encoding="utf-8")


def change_type(release: Path) -> None:
    text = (release / NAME).read_text(encoding="utf-8")
    (release / NAME).write_text(text.replace("vnd.in-toto+json", "json"), encoding="utf-8")


def add_field(release: Path) -> None:
    held = json.loads((release / NAME).read_text(encoding="utf-8"))
    (release / NAME).write_text(dsse.canonical_json(held | {"note": "trust me"}), encoding="utf-8")


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no signature": (lambda release: (release / NAME).unlink(), NAME),
    "edited payload": (change_payload, NAME),
    "edited signature": (change_bit, NAME),
    "another payload type": (change_type, NAME),
    "an unknown field": (add_field, NAME),
    "not JSON": (lambda release: (release / NAME).write_bytes(b"\xff{"), NAME),
    "deep JSON": (lambda release: (release / NAME).write_text("[" * 60_000, encoding="utf-8"), NAME),
    "too long": (lambda release: (release / NAME).write_text(" " * (1 << 17), encoding="utf-8"), NAME),
    "a folder": (lambda release: ((release / NAME).unlink(), (release / NAME).mkdir()), NAME),
    "a link": (lambda release: ((release / NAME).unlink(), (release / NAME).symlink_to("card.json")), NAME),
    "edited card": (change_card, "card.json"),
    "edited page": (change_page, "SHA256SUMS"),
}


@pytest.mark.one_case_in(5)
@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_signature_or_text_is_named(release: Path, keys: Path, case: str) -> None:
    change, path = TAMPERED[case]
    change(release)
    assert path in {name for name, _ in find_with_key(release, keys)}


def test_another_key_is_named(release: Path, keys: Path) -> None:
    assert [(name, "another key" in says) for name, says in find_with_key(release, keys, "stranger")] == [(NAME, True)]


def test_two_publishers_may_sign_one_release(release: Path, keys: Path) -> None:
    release_statement.sign(release, read_signer(keys / "stranger", release))
    assert find_with_key(release, keys) == find_with_key(release, keys, "stranger") == []


def test_a_statement_with_less_in_it_is_not_enough(release: Path, keys: Path) -> None:
    signer, said = read_signer(keys / "publisher", release), release_statement.make(release)
    for less in (
        {**said, "subject": said["subject"][1:]},
        {**said, "subject": said["subject"] * 2},
        {**said, "predicate": {}},
        {**said, "predicateType": "urn:malmoi:other:1"},
        {**said, "more": 1},
    ):
        (release / NAME).write_text(dsse.sign_statement(less, signer).to_json(), encoding="utf-8")
        assert find_with_key(release, keys), less


@pytest.mark.parametrize("place", ["sample/1.1.0", "other/1.0.0"])
def test_a_replay_in_the_place_of_another_release_is_named(whole: Path, keys: Path, tmp_path: Path, place: str) -> None:
    right = Path(shutil.copytree(whole, tmp_path / "sample" / "1.0.0"))
    assert find_with_key(right, keys) == []
    wrong = Path(shutil.copytree(whole, tmp_path / "w" / place))
    assert [(name, "was put there" in says) for name, says in find_with_key(wrong, keys)] == [("manifest.json", True)]


def test_an_old_version_is_named_without_a_key_too(whole: Path, tmp_path: Path) -> None:
    wrong = Path(shutil.copytree(whole, tmp_path / "sample" / "1.1.0"))
    assert [f.path for f in verify(wrong, render=data_cards.render_card)] == ["manifest.json"]


# Keys.


def test_a_key_in_a_release_or_a_workspace_is_refused(release: Path, tmp_path: Path) -> None:
    inside = write_key(release, "key")
    with pytest.raises(CallError, match="inside a workspace or a release"):
        read_signer(inside, release)
    workspace = tmp_path / "workspace"
    (workspace / "notes").mkdir(parents=True)
    (workspace / "malmoi.json").write_text("{}", encoding="utf-8")
    hidden = write_key(workspace / "notes", "key")
    with pytest.raises(CallError, match="inside a workspace or a release"):
        read_signer(hidden, release)
    (tmp_path / "link").symlink_to(hidden)
    with pytest.raises(CallError, match="inside a workspace or a release"):
        read_signer(tmp_path / "link", release)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_read_is_refused(release: Path, tmp_path: Path, mode: int) -> None:
    key = write_key(tmp_path, "key")
    key.chmod(mode)
    with pytest.raises(CallError, match="chmod 600"):
        read_signer(key, release)


def test_a_locked_key_opens_by_the_variable_and_by_nothing_else(
    release: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE, "fictional words")
    release_statement.sign(release, read_signer(keys / "locked", release))
    assert find_with_key(release, keys, "locked") == []
    monkeypatch.setenv(PASSPHRASE, "other words")
    with pytest.raises(CallError, match="passphrase"):
        read_signer(keys / "locked", release)
    monkeypatch.delenv(PASSPHRASE)
    monkeypatch.setattr("getpass.getpass", lambda _: (_ for _ in ()).throw(EOFError))
    with pytest.raises(CallError, match=f"set {PASSPHRASE}"):
        read_signer(keys / "locked", release)


@pytest.mark.parametrize("content", [b"", b"hello", b"ssh-ed25519 AAAA x", b"x" * 70_000, b"\xff"])
def test_what_is_no_key_is_refused(release: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(CallError):
        read_signer(path, release)
    with pytest.raises(CallError):
        read_public_key(path)


def test_keys_of_another_kind_and_the_wrong_half_are_refused(release: Path, keys: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "key", other_key(SECP256R1())
    path.touch(0o600)
    path.write_bytes(other.private_bytes(*PRIVATE, pem.NoEncryption()))
    with pytest.raises(CallError, match="not an Ed25519 key"):
        read_signer(path, release)
    path.write_bytes(other.public_key().public_bytes(*PUBLIC))
    with pytest.raises(CallError, match="not an Ed25519 key"):
        read_public_key(path)
    with pytest.raises(CallError, match="private key; give the public one"):
        read_public_key(keys / "publisher")
    with pytest.raises(CallError, match="name the file"):
        read_public_key(tmp_path / "none")


def test_an_agent_signs_and_the_private_key_stays_there(
    release: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (shutil.which("ssh-agent") and shutil.which("ssh-add")):
        pytest.skip("no ssh-agent on this machine")
    private = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)
    (tmp_path / "id").touch(0o600)
    kind = (pem.Encoding.PEM, pem.PrivateFormat.OpenSSH, pem.NoEncryption())
    (tmp_path / "id").write_bytes(private.private_bytes(*kind))
    public = private.public_key().public_bytes(pem.Encoding.OpenSSH, pem.PublicFormat.OpenSSH)
    (tmp_path / "id.pub").write_bytes(public)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(CallError, match="ssh-agent did not sign"):
        release_statement.sign(release, read_signer(tmp_path / "id.pub", release))
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "s")], stdout=subprocess.PIPE)
    try:
        assert agent.stdout and agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "s"))
        with pytest.raises(CallError, match="ssh-agent did not sign"):  # it does not have the key yet
            release_statement.sign(release, read_signer(tmp_path / "id.pub", release))
        subprocess.run(["ssh-add", "-q", str(tmp_path / "id")], check=True, timeout=30, capture_output=True)
        release_statement.sign(release, read_signer(tmp_path / "id.pub", release))
    finally:
        agent.terminate()
        agent.wait(10)
    assert verify(release, public=read_public_key(tmp_path / "id.pub")) == []


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """An agent that answers everything with the same bytes."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "agent"))
        server.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))

        def answer(content: bytes) -> None:
            def serve() -> None:
                peer, _ = server.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(content)

            threading.Thread(target=serve, daemon=True).start()

        yield answer


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\0\1\5", b"\xff\xff\xff\xff", b"\0\0\0\5\x0e\0\0\0\2", b"\0\0\0\x09\x0e\0\0\0\4\xff\0\0\0"]
)
def test_an_agent_that_answers_nonsense_signs_nothing(
    release: Path, tmp_path: Path, answering: Callable[[bytes], None], content: bytes
) -> None:
    public = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32).public_key()
    (tmp_path / "id.pub").write_bytes(public.public_bytes(pem.Encoding.OpenSSH, pem.PublicFormat.OpenSSH))
    answering(content)
    with pytest.raises(CallError, match="ssh-agent did not sign"):
        release_statement.sign(release, read_signer(tmp_path / "id.pub", release))


# Commands.


@pytest.mark.heavy
def test_the_commands_sign_and_verify(release: Path, keys: Path) -> None:
    (release / NAME).unlink()
    assert malmoi_in_process("verify", release).stdout.endswith("It is not signed.\n")
    assert malmoi_in_process("verify", release, "--public-key", keys / "publisher.pub").returncode == 1
    signed = malmoi_in_process("sign", release, "--key", keys / "publisher")
    assert (signed.returncode, "signed by the key " in signed.stdout) == (0, True)
    checked = malmoi_in_process("verify", release, "--public-key", keys / "publisher.pub")
    assert checked.returncode == 0 and "The signature was checked." in checked.stdout
    assert "--public-key FILE" in malmoi_in_process("verify", release).stdout
    other = malmoi_in_process("verify", release, "--public-key", keys / "stranger.pub")
    assert other.returncode == 1 and f"signature: {NAME}: not signed by the given key" in other.stdout


def test_a_release_that_does_not_verify_is_not_signed(release: Path, keys: Path) -> None:
    (release / NAME).unlink()
    (release / "README.md").write_text("mine", encoding="utf-8")
    assert malmoi_in_process("sign", release, "--key", keys / "publisher").returncode == 1
    assert not (release / NAME).exists()


def test_the_page_checks_a_signature_with_openssl_alone(release: Path, keys: Path) -> None:
    """The commands of docs/sign-and-verify.md: they pass, and each of them sees another kind of change."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    page = (Path(__file__).parents[2] / "docs/sign-and-verify.md").read_text(encoding="utf-8")
    shutil.copy(keys / "publisher.pub", release.parent)
    block = re.search(r"```bash\n(.*?)```", page, re.S)
    assert block

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", block[1]], cwd=release, capture_output=True, text=True, check=False, timeout=60
        )

    assert run().returncode == 0, run()
    assert "Signature Verified Successfully" in run().stdout
    (release / "README.md").write_text("mine", encoding="utf-8")
    assert "README.md: FAILED" in run().stdout
    sha256sums.seal(release)
    assert "SHA256SUMS: FAILED" in run().stdout
    change_bit(release)
    assert run().returncode == 1 and "SHA256SUMS" not in run().stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", keys / "publisher.pub", "-outform", "DER"], capture_output=True, check=True
    )
    assert dsse.key_id(read_public_key(keys / "publisher.pub")) == hashlib.sha256(der.stdout).hexdigest()


def test_a_key_that_openssl_made_signs(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    monkeypatch.setenv(PASSPHRASE, "fictional words")
    for name, lock in (("plain", []), ("locked", ["-aes256", "-pass", f"env:{PASSPHRASE}"])):
        key = tmp_path / name
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", *lock, "-out", key], check=True, timeout=60)
        key.chmod(0o600)
        half = ["openssl", "pkey", "-in", key, "-passin", f"env:{PASSPHRASE}", "-pubout", "-out", f"{key}.pub"]
        subprocess.run(half, check=True, timeout=60)
        release_statement.sign(release, read_signer(key, release))
        assert find_with_key(release, tmp_path, name) == []


def test_a_run_signs_its_release_and_a_key_that_cannot_sign_stops_it_before(keys: Path, tmp_path: Path) -> None:
    make(tmp_path, pages=6)
    command = ["run", "general", "--source", tmp_path / "small.py", "--workspace", tmp_path / "w", "--workers", 1]
    refused = malmoi_in_process(*command, "--key", keys / "publisher.pub")
    assert refused.returncode == 2 and not (tmp_path / "w").exists()
    done = malmoi_in_process(*command, "--key", keys / "publisher")
    assert (done.returncode, "signed by the key " in done.stdout) == (0, True), done.stderr
    (release,) = (tmp_path / "w").glob(f"*/general/1.0.0/{NAME}")
    assert find_with_key(release.parent, keys) == []
    (tmp_path / "w" / "key").write_bytes((keys / "publisher").read_bytes())
    inside = malmoi_in_process("sign", release.parent, "--key", tmp_path / "w" / "key")
    assert inside.returncode == 2 and "inside a workspace" in inside.stderr
