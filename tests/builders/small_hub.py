"""A fake of the HTTP API of a dataset hub on loopback: one repository, its commits, tags and files kept by digest."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """What the hub holds, and what it was asked."""

    def __init__(self) -> None:
        self.commits: list[dict[str, bytes]] = [{".gitattributes": b"* lfs"}]
        self.messages: list[str] = ["initial commit"]
        self.tags: dict[str, int] = {}
        self.blobs: dict[str, bytes] = {}  # files by sha256, kept also where no commit names them
        self.uploads: list[str] = []
        self.fail_at: tuple[str, int] = ("", 0)  # a call that is refused, and how often
        self.private: bool | None = None

    def files(self, revision: str) -> dict[str, bytes]:
        if revision == "main":
            return self.commits[-1]
        return self.commits[self.tags[revision] if revision in self.tags else int(revision[-4:], 16)]


def oid(number: int) -> str:
    return f"{number:040x}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    address: str

    def log_message(self, *given: object) -> None:
        """Nothing is printed."""

    def _answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuses(self) -> bool:
        name, times = self.hub.fail_at
        if times and name in self.path:
            self.hub.fail_at = (name, times - 1)
            self._answer({"error": "refused"}, 403)
            return True
        return False

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.endswith("/refs"):
            tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": oid(at)} for n, at in self.hub.tags.items()]
            self._answer({"branches": [], "converts": [], "tags": tags})
        elif "/tree/" in path:
            files = self.hub.files(path.partition("/tree/")[2].split("/")[0])
            self._answer([{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in files.items()])
        elif "/resolve/" in path:
            revision, _, name = path.partition("/resolve/")[2].partition("/")
            content = self.hub.files(revision)[name]
            etag = f'"{hashlib.sha256(content).hexdigest()}"'
            self._answer(content, headers={"ETag": etag, "X-Repo-Commit": oid(self.hub.tags.get(revision, 0))})
        else:
            self._answer({"error": path}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._refuses():
            self.hub.blobs[hashlib.sha256(content).hexdigest()] = content
            self.hub.uploads.append(self.path)
            self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        if self._refuses():
            return
        if path == "/api/repos/create":
            self.hub.private = json.loads(body).get("private", json.loads(body).get("visibility") == "private")
            self._answer({"url": f"{self.address}/datasets/me/ko"})
        elif "/preupload/" in path:
            files = json.loads(body)["files"]
            large = [{"path": f["path"], "shouldIgnore": False, "uploadMode": _mode(f["path"])} for f in files]
            self._answer({"files": large})
        elif path.endswith("/info/lfs/objects/batch"):
            wanted = json.loads(body)["objects"]
            self._answer({"transfer": "basic", "objects": [self._describe(one) for one in wanted]})
        elif "/commit/" in path:
            self._commit([json.loads(line) for line in body.splitlines()])
        elif "/tag/" in path:
            self.hub.tags[json.loads(body)["tag"]] = int(path.rpartition("/")[2][-4:], 16)
            self._answer({})
        else:
            self._answer({})

    def _describe(self, one: dict[str, Any]) -> dict[str, Any]:
        if one["oid"] in self.hub.blobs:
            return one
        return {**one, "actions": {"upload": {"href": f"{self.address}/blob/{one['oid']}"}}}

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        files = dict(self.hub.commits[-1])
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                self.hub.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
            else:
                del files[value["path"]]
        self.hub.commits.append(files)
        number = len(self.hub.commits) - 1
        url = f"{self.address}/datasets/me/ko/commit/{oid(number)}"
        self._answer({"success": True, "commitOid": oid(number), "commitUrl": url, "hookOutput": ""})


def _mode(path: str) -> str:
    return "lfs" if path.endswith(".parquet") else "regular"


@contextlib.contextmanager
def run_hub() -> Iterator[tuple[Hub, str]]:
    """Run the hub on loopback; it ends with the block."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.address = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub, handler.address  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
