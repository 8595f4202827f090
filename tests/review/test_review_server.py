"""The review server decides only what a person has seen and confirmed on its own page; everything else is refused."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from flows.review.review_session import ReviewSession, WorkspaceQueue
from flows.review.server import HEADERS, MAX_BODY, TOKEN, ReviewServer
from malmoi.apply import Dropped
from malmoi.document import Verdict
from malmoi.errors import CallError
from malmoi.storage import shard
from malmoi.workspace import Workspace
from tests.review import review_workspace
from tests.review.small_queue import Waiting, make_workspace, read_lines, sentences, write_shard

KOGL_1 = "LicenseRef-KOGL-1"


class Client:
    """What a page of the server sends, and what others might."""

    def __init__(self, home: Workspace, server: ReviewServer) -> None:
        self.home, self.server = home, server
        self.own = f"127.0.0.1:{server.server_port}"
        self.headers = {"Host": self.own, TOKEN: server.token, "Content-Type": "application/json"}

    def send(
        self, method: str, path: str, body: object = None, **changes: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if method == "POST":
            headers.setdefault("Content-Length", str(len(content)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(content)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def get(self, path: str) -> dict:
        status, _, body = self.send("GET", path)
        assert status == 200, body
        return json.loads(body)

    def group(self, number: int = 0) -> dict:
        return self.get("/api/groups")["groups"][number]

    def order(self, shown: dict, **changes: object) -> dict:
        """The decision that the page sends for a group."""
        shape = {"verdict": "grant", "target": "shape", "value": shown["key"], "group": shown["key"]}
        seen = {name: shown[name] for name in ("count", "digest", "licence")}
        return {**shape, **seen, "reviewer": "김검토", "reason": "정책을 읽음", **changes}

    def decide(self, order: dict, **changes: str | None) -> tuple[int, str]:
        status, _, body = self.send("POST", "/api/decide", order, **changes)
        return status, json.loads(body).get("message", "")


@pytest.fixture
def make_client(tmp_path) -> Iterator:
    servers = []

    def make(waiting) -> Client:
        home = make_workspace(tmp_path / "w", waiting)
        server = ReviewServer(ReviewSession(WorkspaceQueue(home)))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return Client(home, server)

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def client(make_client) -> Client:
    return make_client(sentences("sky", 12))


def test_a_confirmed_decision_is_written_with_the_number_of_items_read(client):
    group = client.group()
    first = client.get(f"/api/items?group={quoted(group['key'])}")["items"][0]
    client.get(f"/api/item?group={quoted(group['key'])}&id={quoted(first['id'])}")
    assert client.decide(client.order(group)) == (200, "")
    (line,) = read_lines(client.home)
    assert (line["verdict"], line["target"], line["value"]) == ("grant", "shape", group["key"])
    assert (line["licence"], line["reviewer"]) == (KOGL_1, "김검토")
    assert line["reason"] == "정책을 읽음 (1 of 12 items read)"
    assert client.get("/api/groups")["groups"] == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({TOKEN: None}, 403),
        ({TOKEN: "guess"}, 403),
        ({TOKEN: "\xff"}, 403),
        ({"Origin": "https://other.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Host": None}, 403),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": None}, 415),
        ({"Content_Length": None}, 411),
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": str(MAX_BODY + 1)}, 413),
        ({"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_a_request_that_the_page_would_not_send_decides_nothing(client, changes, status):
    order = client.order(client.group())
    assert client.decide(order, **changes)[0] == status
    assert read_lines(client.home) == []


def test_the_page_itself_may_name_its_origin(client):
    own = {"Origin": f"http://{client.own}", "Sec_Fetch_Site": "same-origin"}
    assert client.decide(client.order(client.group()), **own) == (200, "")
    local = f"localhost:{client.server.server_port}"
    assert client.send("GET", "/api/groups", Host=local, Origin=f"http://{local}")[0] == 200
    assert client.send("GET", "/api/groups", Host=local, Origin=f"http://{client.own}")[0] == 403


def test_a_name_that_leads_to_this_machine_gets_no_page_and_no_text(client):
    for path in ("/", "/page.js", "/api/groups"):
        status, _, body = client.send("GET", path, Host=f"rebound.example:{client.server.server_port}")
        assert status == 403 and client.server.token.encode() not in body


def test_texts_need_the_secret_too_and_the_page_does_not_hold_it(client):
    for path in ("/api/groups", "/api/decisions", "/api/items?group=a", "/api/nothing"):
        assert client.send("GET", path, **{TOKEN: None})[0] == 403
    for path in ("/", "/page.js", "/views.js", "/words.js", "/page.css"):
        status, headers, body = client.send("GET", path, **{TOKEN: None})
        assert status == 200 and client.server.token.encode() not in body
        assert not [value for value in headers.values() if client.server.token in value]


def test_a_get_changes_nothing_and_other_methods_do_not_exist(client):
    for path in ("/api/decide", "/api/revoke"):
        assert client.send("GET", path)[0] == 404
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        assert client.send(method, "/api/decide")[0] == 501
    assert client.send("POST", "/api/groups", {})[0] == 404
    assert read_lines(client.home) == []


def test_every_answer_forbids_frames_scripts_of_others_and_referrers(client):
    for path, expected in (("/", 200), ("/api/groups", 200), ("/nothing", 404)):
        status, headers, _ = client.send("GET", path)
        assert status == expected and dict(HEADERS).items() <= headers.items()
    policy = dict(HEADERS)["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_a_group_that_has_changed_since_is_not_decided(client):
    group = client.group()
    drops = [Dropped(doc, "rights", Verdict("drop", "needs-review")) for doc in read_drops(client.home)]
    changed = replace(drops[0], document=replace(drops[0].document, text="다른 글"))
    write_shard(client.home, "sky", [changed, *drops[1:]], version=1)
    status, message = client.decide(client.order(group))
    assert status == 409 and "Nothing was decided" in message
    assert read_lines(client.home) == []
    assert client.decide(client.order(client.group())) == (200, "")


def test_count_and_digest_must_both_be_those_that_were_shown(client):
    group = client.group()
    for wrong in ({"count": 11}, {"count": "12"}, {"digest": "0" * 64}, {"digest": None}, {"count": True}):
        assert client.decide(client.order(group, **wrong))[0] == 409
    assert client.decide(client.order(group, group="gone | x"))[0] == 409
    assert read_lines(client.home) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "redistribute"},
        {"target": "source"},
        {"reviewer": " "},
        {"reviewer": "김\n검토"},
        {"reviewer": ["김"]},
        {"reason": ""},
        {"reason": "가" * 241},
        {"reason": "좋다\u202e"},
        {"licence": "CC-BY-4.0"},
        {"licence": "CC-BY-NC-4.0"},
        {"licence": "all"},
        {"target": "addresses", "value": "^("},
        {"target": "addresses", "value": ""},
    ],
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_written(client, changes):
    status, message = client.decide(client.order(client.group(), **changes))
    assert status == 400 and message
    assert read_lines(client.home) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 9000, b'"a"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(client, body):
    assert client.send("POST", "/api/decide", body)[0] == 400


def test_one_item_is_decided_and_the_others_stay(client):
    group = client.group()
    item = client.get(f"/api/items?group={quoted(group['key'])}")["items"][3]
    shown = client.get(f"/api/item?group={quoted(group['key'])}&id={quoted(item['id'])}")
    order = client.order(group, target="item", value=item["id"], count=1, digest=shown["digest"], licence="CC-BY-4.0")
    assert client.decide(order | {"digest": group["digest"]})[0] == 409
    assert client.decide(order) == (200, "")
    assert client.decide(order)[0] == 409
    assert client.group()["count"] == 11
    (line,) = read_lines(client.home)
    assert (line["target"], line["value"], line["reason"]) == ("item", item["id"], "정책을 읽음")


def test_addresses_are_decided_with_the_number_that_was_shown(client):
    group, prefix = client.group(), "https://sky.example/board/2/"
    shown = client.get(f"/api/addresses?group={quoted(group['key'])}&prefix={quoted(prefix)}")
    assert shown["count"] == 4
    order = client.order(group, target="addresses", value=prefix, verdict="deny", digest=shown["digest"])
    assert client.decide(order | {"count": 5})[0] == 409
    assert client.decide(order | {"count": 4}) == (200, "")
    assert client.group()["count"] == 8


def test_of_two_tabs_the_second_finds_the_group_decided(client):
    group = client.group()
    results = []
    tabs = [threading.Thread(target=lambda: results.append(client.decide(client.order(group))[0])) for _ in range(6)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(results) == [200, 409, 409, 409, 409, 409]
    assert len(read_lines(client.home)) == 1


def test_a_decision_is_undone_once(client):
    client.decide(client.order(client.group()))
    (one,) = client.get("/api/decisions")["decisions"]
    asked = {"id": one["id"], "reviewer": "김검토", "reason": "잘못 눌렀음"}
    assert client.send("POST", "/api/revoke", asked, **{TOKEN: None})[0] == 403
    assert client.send("POST", "/api/revoke", asked)[0] == 200
    assert client.group()["count"] == 12
    assert client.get("/api/decisions")["decisions"][0]["revoked_by"] == "김검토"
    assert client.send("POST", "/api/revoke", asked)[0] == 400
    assert client.send("POST", "/api/revoke", {"id": "shape-bcdfghjk"})[0] == 400


def test_a_shape_that_permits_nothing_cannot_be_granted(make_client):
    unread = [Waiting("sky", n, licence="unknown", quote="자유롭게 쓰세요") for n in (1, 2)]
    client = make_client(unread)
    group = client.group()
    assert not group["grantable"]
    assert client.decide(client.order(group, licence=KOGL_1))[0] == 400
    assert client.decide(client.order(group, verdict="deny")) == (200, "")


def test_a_record_that_cannot_be_read_is_said_and_nothing_fails(make_client, tmp_path):
    client = make_client([*sentences("sky", 2), Waiting("sky", 3, body="")])
    (tmp_path / "pages" / "sky" / "1.html").unlink()
    (tmp_path / "pages" / "sky" / "2.html").write_bytes(b"changed")
    key = quoted(client.group()["key"])
    shown = {n: client.get(f"/api/item?group={key}&id=sky/{n}")["snippets"][0] for n in (1, 2, 3)}
    assert [shown[n]["outcome"] for n in (1, 2, 3)] == ["unreadable", "unreadable", "missing"]
    assert "was deleted" in shown[1]["detail"] and str(tmp_path) not in shown[1]["detail"]


def test_words_that_steer_a_page_are_shown_escaped_and_ids_stay_exact(make_client):
    title = '</script><img src=x onerror="alert(1)">\u202eabc\x07'
    client = make_client([Waiting("sky", 1, title=title, quote="\u2066CC BY\u2069", url="javascript:alert(1)")])
    group = client.group()
    (row,) = client.get(f"/api/items?group={quoted(group['key'])}")["items"]
    assert row["title"] == '</script><img src=x onerror="alert(1)">\\u202eabc\\x07'
    assert row["url"] == "javascript:alert(1)"
    assert "\u2066" not in json.dumps(
        client.get(f"/api/item?group={quoted(group['key'])}&id=sky/1"), ensure_ascii=False
    )


def test_a_long_group_comes_in_parts_and_in_an_order_of_its_own(make_client):
    client = make_client(sentences("sky", 450))
    key = quoted(client.group()["key"])
    parts = [client.get(f"/api/items?group={key}&start={start}")["items"] for start in (0, 200, 400, 600)]
    assert [len(part) for part in parts] == [200, 200, 50, 0]
    ids = [row["id"] for part in parts for row in part]
    assert len(set(ids)) == 450 and ids != sorted(ids)
    assert client.send("GET", f"/api/items?group={key}&start=-1")[0] == 400


def test_an_empty_queue_is_no_error(make_client):
    assert make_client([]).get("/api/groups")["groups"] == []


def test_a_port_in_use_is_named(make_client):
    client = make_client([])
    with pytest.raises(CallError, match=f"port {client.server.server_port} of 127.0.0.1"):
        ReviewServer(client.server.session, client.server.server_port)


def test_only_this_machine_is_served_and_a_silent_connection_delays_nobody(client):
    assert client.server.server_address[0] == "127.0.0.1"
    with socket.create_connection(("127.0.0.1", client.server.server_port)):
        assert client.get("/api/groups")["groups"]


@pytest.mark.heavy
def test_what_is_decided_on_the_page_enters_the_next_release_and_leaves_it_when_revoked(tmp_path):
    root = review_workspace.make(tmp_path / "own")
    review_workspace.run(root)
    server = ReviewServer(ReviewSession(WorkspaceQueue(Workspace(root), ["own"])))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    client = Client(Workspace(root), server)
    group = client.group()
    row = client.get(f"/api/items?group={quoted(group['key'])}")["items"][0]
    shown = client.get(f"/api/item?group={quoted(group['key'])}&id={quoted(row['id'])}")
    assert shown["snippets"][0]["outcome"] == "hidden" and shown["text"]  # the capture is read; it has no such words
    assert client.decide(client.order(group)) == (200, "")
    review_workspace.run(root)
    waiting = ["own/open.txt", "own/window.txt"]
    assert set(waiting) < set(published(root))
    (one,) = client.get("/api/decisions")["decisions"]
    revocation = {"id": one["id"], "reviewer": "김검토", "reason": "철회"}
    assert client.send("POST", "/api/revoke", revocation)[0] == 200
    review_workspace.run(root)
    assert published(root) and not set(waiting) & set(published(root))
    assert client.group()["count"] == 2
    server.shutdown()
    server.server_close()


def published(root: Path) -> list[str]:
    release = (root / "6-releases" / "small" / "latest").resolve()
    return [id for path in release.glob("data/**/*.parquet") for id in shard.read(path, ["id"])["id"].to_pylist()]


def quoted(text: str) -> str:
    return quote(text, safe="")


def read_drops(home: Workspace):
    (folder,) = home.shards("3-clean")
    return list(shard.to_documents(shard.read(folder / "dropped.parquet")))
