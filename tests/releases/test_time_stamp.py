"""Time stamps: a local authority stamps a signature, and a stamp that another file, key or authority made is named."""

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from malmoi import limits
from malmoi.errors import CallError, StageError
from malmoi.releases import time_stamp
from malmoi.releases.distribution import publish_to_folder, read_payload
from malmoi.releases.dsse import read_signer
from malmoi.releases.time_stamp import parse_stamp, read_anchors, request_stamp
from malmoi.releases.verification import release_statement
from malmoi.releases.verification.verify import verify
from tests.builders.small_authority import Authority, make_authority, serve, serve_slowly
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed
from tests.releases.test_signature import write_key

NAME = "manifest.dsse.json.tsr"
SIGNATURE = "manifest.dsse.json"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    write_key(folder, "publisher")
    write_key(folder, "second", seed=2)
    return folder


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "right")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, keys: Path, authority: Authority) -> Path:
    made = sealed(tmp_path_factory.mktemp("whole"))
    release_statement.sign(made, read_signer(keys / "publisher", made), authority.stamp_bytes)
    return made


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def find(folder: Path, authority: Authority | None = None) -> list[tuple[str, str]]:
    anchors = read_anchors(authority.root) if authority else ()
    return [(f.path, f.says) for f in verify(folder, again=False, anchors=anchors)]


def test_the_commands_sign_with_a_stamp_and_verify_it_without_network(
    release: Path, keys: Path, authority: Authority
) -> None:
    (release / NAME).unlink()
    with serve(authority.stamp) as url:
        signed = malmoi_in_process("sign", release, "--key", keys / "publisher", "--timestamp-url", url)
        assert signed.returncode == 0, signed.stderr
    assert re.search(r"has a time stamp of 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", signed.stdout)
    asked = malmoi_in_process("verify", release, "--timestamp-certificate", authority.root)
    assert asked.returncode == 0 and "UTC. It was checked." in asked.stdout, asked.stdout
    assert "--timestamp-certificate FILE" in malmoi_in_process("verify", release).stdout


def test_openssl_reads_the_stamp_by_the_command_of_the_page(release: Path, authority: Authority) -> None:
    page = (Path(__file__).parents[2] / "docs/sign-and-verify.md").read_text(encoding="utf-8")
    found = re.search(r"^openssl ts -verify .*$", page, re.M)
    assert found
    shutil.copy(authority.root, release.parent / "authority.pem")

    def run() -> str:
        command = ["bash", "-c", found[0]]
        return subprocess.run(command, cwd=release, capture_output=True, text=True, check=False, timeout=60).stdout

    assert "Verification: OK" in run()
    (release / SIGNATURE).write_text("{}", encoding="utf-8")
    assert "Verification: FAILED" in run()


def test_a_stamp_is_published_with_the_signature(release: Path, authority: Authority, tmp_path: Path) -> None:
    publish_to_folder(read_payload(release), tmp_path / "out")
    copy = tmp_path / "out" / "sample" / "1.0.0"
    assert (copy / NAME).read_bytes() == (release / NAME).read_bytes()
    assert find(copy, authority) == []


# What may be there in place of the stamp.


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def edit_signature(release: Path, authority: Authority) -> None:
    text = (release / SIGNATURE).read_text(encoding="utf-8")
    (release / SIGNATURE).write_text(text.replace('"sig": "', '"sig": "A', 1), encoding="utf-8")


def stamp_others(release: Path, authority: Authority) -> None:
    (release / NAME).write_bytes(authority.stamp_bytes(b"the signature of another release"))


def refuse(release: Path, authority: Authority) -> None:
    (release / NAME).write_bytes(authority.stamp(b"not a request"))


def replace_by_other(release: Path, authority: Authority, **kind: object) -> None:
    other = make_authority(release.parent / "other", **kind)  # type: ignore[arg-type]
    (release / NAME).write_bytes(other.stamp_bytes((release / SIGNATURE).read_bytes()))


TAMPERED: dict[str, tuple[Callable[[Path, Authority], object], str]] = {
    "no stamp": (lambda release, _: (release / NAME).unlink(), "missing"),
    "no signature": (lambda release, _: (release / SIGNATURE).unlink(), "a time stamp without"),
    "an edited signature": (edit_signature, "it is a time stamp of other bytes"),
    "the stamp of another release": (stamp_others, "it is a time stamp of other bytes"),
    "another authority": (replace_by_other, "self-signed certificate in certificate chain"),
    "an edited time": (lambda release, _: flip(release / NAME, (release / NAME).read_bytes().index(b"202") + 2), ""),
    "an edited signature of the authority": (lambda release, _: flip(release / NAME, -9), "signature failure"),
    "a refusal": (refuse, "did not grant a time stamp (status 2"),
    "nothing": (lambda release, _: (release / NAME).write_bytes(b""), "not an answer"),
    "garbage": (lambda release, _: (release / NAME).write_bytes(b"\x30\x84\xff\xff\xff\xff" * 999), "not an answer"),
    "a page": (lambda release, _: (release / NAME).write_bytes("<html>죄송합니다".encode()), "not an answer"),
    "half": (lambda release, _: (release / NAME).write_bytes((release / NAME).read_bytes()[:700]), "not an answer"),
    "more": (lambda release, _: (release / NAME).write_bytes((release / NAME).read_bytes() + b"0"), "not an answer"),
    "too long": (lambda release, _: (release / NAME).write_bytes(bytes(1 << 17)), limits.STAMP_BYTES.describe()),
    "a link": (lambda release, _: ((release / NAME).unlink(), (release / NAME).symlink_to("card.json")), "plain file"),
    "a folder": (lambda release, _: ((release / NAME).unlink(), (release / NAME).mkdir()), "plain file"),
}


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("case", TAMPERED)
def test_what_is_not_the_stamp_is_named(release: Path, authority: Authority, case: str) -> None:
    change, says = TAMPERED[case]
    change(release, authority)
    found = dict(find(release, authority))
    assert NAME in found and says in found[NAME]


def test_without_certificates_a_stamp_must_still_be_one_of_the_signature(release: Path, authority: Authority) -> None:
    assert find(release) == []
    replace_by_other(release, authority)
    assert find(release) == []  # who made it is not asked
    stamp_others(release, authority)
    assert [name for name, _ in find(release)] == [NAME]


def test_the_certificate_of_the_authority_must_be_valid_at_the_time_of_the_stamp(release: Path, tmp_path: Path) -> None:
    late = make_authority(tmp_path / "late", until=timedelta(days=-1))
    (release / NAME).write_bytes(late.stamp_bytes((release / SIGNATURE).read_bytes()))
    ((name, says),) = find(release, late)
    assert (name, "certificate has expired" in says) == (NAME, True)


def test_a_certificate_for_other_uses_stamps_nothing(release: Path, authority: Authority, tmp_path: Path) -> None:
    """The root of an authority has other customers: a certificate for code signs the same content here."""
    from cryptography.x509.oid import ExtendedKeyUsageOID

    other = make_authority(tmp_path / "other", usage=ExtendedKeyUsageOID.CODE_SIGNING)
    (tmp_path / "answer").write_bytes((release / NAME).read_bytes())
    for command in (
        "ts -reply -in answer -token_out -out token",
        "cms -verify -noverify -inform DER -in token -out content",
        "cms -sign -nodetach -binary -econtent_type id-smime-ct-TSTInfo -in content -outform DER -out signed "
        "-signer other/authority.pem -inkey other/authority.key",
    ):
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    token = b"\x30\x03\x02\x01\x00" + (tmp_path / "signed").read_bytes()
    (release / NAME).write_bytes(b"\x30\x82" + len(token).to_bytes(2, "big") + token)
    ((name, says),) = find(release, other)
    assert (name, "no authority under the given certificates" in says) == (NAME, True)


@pytest.mark.parametrize("content", ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "root.pem").write_text(content, encoding="ascii")
    with pytest.raises(CallError, match="no certificates in PEM"):
        read_anchors(tmp_path / "root.pem")
    with pytest.raises(CallError, match="name the file"):
        read_anchors(tmp_path / "none")


# Signing again.


def test_the_same_signature_keeps_its_stamp_and_another_needs_a_new_one(
    release: Path, keys: Path, authority: Authority
) -> None:
    before, held = (release / NAME).read_bytes(), (release / SIGNATURE).read_bytes()
    with serve(authority.stamp) as url:
        release_statement.sign(release, read_signer(keys / "publisher", release), partial(request_stamp, url))
        assert (release / NAME).read_bytes() == before, "an older stamp proves more"
        with pytest.raises(CallError, match="another signature makes it invalid"):
            release_statement.sign(release, read_signer(keys / "second", release))
        assert (release / SIGNATURE).read_bytes() == held
        release_statement.sign(release, read_signer(keys / "second", release), partial(request_stamp, url))
    assert (release / NAME).read_bytes() != before
    assert find(release, authority) == []


# What an authority may answer.


def test_an_answer_that_is_no_stamp_of_this_request_signs_nothing(
    release: Path, keys: Path, authority: Authority
) -> None:
    (release / NAME).unlink()
    held = (release / SIGNATURE).read_bytes()
    replayed = authority.stamp_bytes(held)  # a stamp of the same bytes, for another request
    answers: dict[str, bytes] = {
        "its nonce differs": replayed,
        "of other bytes": authority.stamp_bytes(b"other"),
        "did not grant": authority.stamp(b"not a request"),
        "not an answer": b"<html>",
        limits.STAMP_BYTES.describe(): bytes(limits.STAMP_BYTES.value + 1),
    }
    for says, content in answers.items():
        with serve(lambda _, content=content: content) as url, pytest.raises(StageError, match=re.escape(says)):
            sign_with_stamp(release, keys, url)
    with serve(authority.stamp, status=503) as url, pytest.raises(StageError, match="HTTP 503"):
        sign_with_stamp(release, keys, url)
    with pytest.raises(StageError, match=r"Nothing was signed\. Run the same command again"):
        sign_with_stamp(release, keys, url)  # nobody listens there now
    assert not (release / NAME).exists() and (release / SIGNATURE).read_bytes() == held


def sign_with_stamp(release: Path, keys: Path, url: str) -> None:
    release_statement.sign(release, read_signer(keys / "publisher", release), partial(request_stamp, url))


def test_an_answer_without_end_is_left_after_the_limit_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_stamp, "STAMP_SECONDS", limits.InputLimit("stamp_seconds", 1, "seconds", ""))
    with serve_slowly() as url, pytest.raises(StageError, match="limit stamp_seconds"):
        request_stamp(url, b"content")


def test_an_answer_without_end_is_left_after_the_limit_of_size(authority: Authority) -> None:
    with serve(lambda _: bytes(1 << 26)) as url, pytest.raises(StageError, match="limit stamp_bytes"):
        request_stamp(url, b"content")


@pytest.mark.parametrize(
    "url", ["", "tsa.example", "ftp://tsa.example/", "http://", "http://tsa.example:port/", "http:///x"]
)
def test_what_is_no_address_of_an_authority_is_a_wrong_call(url: str) -> None:
    with pytest.raises(CallError, match="not an address"):
        request_stamp(url, b"content")


def test_an_answer_whose_certificates_openssl_did_not_sort_is_read(authority: Authority) -> None:
    """DER sorts a set; `openssl ts` sends its certificates as they are configured: one of the two orders is wrong."""
    for first, second in (("root.pem", "authority.pem"), ("authority.pem", "root.pem")):
        config = (authority.folder / "tsa.cnf").read_text(encoding="utf-8")
        chain = (authority.folder / first).read_bytes() + (authority.folder / second).read_bytes()
        (authority.folder / "chain.pem").write_bytes(chain)
        (authority.folder / "tsa.cnf").write_text(
            re.sub(r"certs = .*", f"certs = {authority.folder}/chain.pem", config), encoding="utf-8"
        )
        answer = authority.stamp_bytes(b"content")
        (authority.folder / "tsa.cnf").write_text(config, encoding="utf-8")
        assert parse_stamp(answer, b"content").status == 0
