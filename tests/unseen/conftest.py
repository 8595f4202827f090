"""One crawl of the village, one demo and one release of foreign archives for all cases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import world as w  # noqa: E402


def make_key(folder: Path, name: str) -> Path:
    key, public = folder / f"{name}.key", folder / f"{name}.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    key.chmod(0o600)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    return key


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {n: (make_key(folder, n), folder / f"{n}.pub") for n in ("publisher", "stranger")}


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The workspace of the demo; cases do not change it."""
    folder = tmp_path_factory.mktemp("demo") / "ws"
    env = dict(os.environ, MALMOI_SAMPLE_PORT=str(w.PORT))
    subprocess.run([w.MALMOI, "demo", "--workspace", folder], env=env, check=True, capture_output=True, timeout=240)
    return folder


@pytest.fixture(scope="session")
def server(demo):
    """The village on loopback; it takes the port of the demo after it."""
    with w.serve(w.Site()) as site:
        yield site


@pytest.fixture
def site(server):
    """The village, as it was after the case."""
    before = dict(server.files)
    yield server
    server.files.clear()
    server.files.update(before)


@pytest.fixture(scope="session")
def base(server, tmp_path_factory):
    """Folder with village.py and ws, of which release general 1.0.0 is made; cases do not change it."""
    folder = tmp_path_factory.mktemp("village")
    (folder / "village.py").write_text(w.SOURCE, "utf-8")
    run(folder)
    return folder


def run(folder: Path, *words, status=0, recipe="general"):
    return w.malmoi("run", recipe, "--source", "village.py", "--workspace", "ws", *words, cwd=folder, status=status)


@pytest.fixture
def home(base, tmp_path):
    """A copy of the folder with the finished village, which a case may change."""
    return w.copy(base, tmp_path / "home")


@pytest.fixture(scope="session")
def release(base):
    """Release general 1.0.0 of the village; cases do not change it."""
    return base / "ws/6-releases/general/1.0.0"


@pytest.fixture(scope="session")
def signed(release, keys, tmp_path_factory):
    """A signed copy in a folder that is called like name and version."""
    folder = w.copy(release, tmp_path_factory.mktemp("signed") / "general/1.0.0")
    w.malmoi("sign", folder, "--key", keys["publisher"][0])
    return folder


@pytest.fixture(scope="session")
def two(base, server, tmp_path_factory):
    """A folder with versions 1.0.0 and 1.1.0: two pages new, one changed, one gone."""
    folder = w.copy(base, tmp_path_factory.mktemp("two") / "home")
    before = dict(server.files)
    server.essay("/new/1.html", "new 1", title="새 글 하나")
    server.essay("/new/2.html", "new 2", title="새 글 둘")
    server.essay("/essay/05.html", "essay 5 changed", title="마을 이야기 5호 고침")
    del server.files["/essay/06.html"]
    run(folder)
    server.files.clear()
    server.files.update(before)
    return folder


FOREIGN = {
    "https://www.example.kr/": "front",
    "https://www.example.kr/a/?b=2&a=1": "query",
    "http://example.kr/%EA%B8%80/%EB%B4%84": "spring",
    "https://Example.KR/Upper/Case.html": "upper",
    "http://example.kr:80/port.html": "port",
    "https://archive.example.kr:8443/port.html": "other port",
    "https://example.kr/tilde/%7Euser": "tilde",
    "https://example.kr/s;jsessionid=00AA11?x=1": "session",
}


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """A release made of a WARC file of another crawler, with addresses of many spellings."""
    folder = tmp_path_factory.mktemp("foreign")
    out = bytearray()
    for n, (url, seed) in enumerate(FOREIGN.items()):
        body = w.page(f"보관된 글 {n}", w.write_prose(f"foreign {seed}"), licence=w.BY)
        http = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{n:012}>\r\n"
            f"WARC-Date: 2026-10-01T00:00:{n:02}Z\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(http)}\r\n\r\n"
        )
        out += head.encode() + http + b"\r\n\r\n"
    (folder / "archives").mkdir()
    (folder / "archives/all.warc").write_bytes(out)
    (folder / "village.py").write_text(
        '"""Archives of another crawler."""\n\nfrom pathlib import Path\n\nfrom malmoi.source import LicenceRule, Source, Warc\n\n'
        'SOURCE = Source(name="archived", title="보관소", publisher="가상 보관소", access=Warc((Path(__file__).parent / "archives",)),\n'
        '    rule=LicenceRule(place="rel=license", expected=("CC-BY-4.0",), widest="item"), register="essay")\n',
        "utf-8",
    )
    run(folder)
    return w.latest(folder / "ws")
