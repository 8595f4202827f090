"""The server of an inspection is that of a review: without the secret or from another site it refuses."""

import http.client
import json
import threading
from pathlib import Path

import pytest

from flows.review.inspection import InspectSession, Sheet, cut_text
from flows.review.sample import SampleFacts
from flows.review.server import HEADERS, TOKEN, ReviewServer
from malmoi.releases.sampling.inspection import DrawnText, Reading

TEXTS = [DrawnText(f"a/{n}", "a", "CC0-1.0", "https://a.example/", "글", f"{n}번째", "", ()) for n in range(3)]


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    made = Sheet(tmp_path, SampleFacts("small", "1.0.0", "0" * 64, "a", 3), TEXTS, "kim")
    made.write([Reading(one.id) for one in TEXTS])
    return made


@pytest.fixture
def server(sheet: Sheet):
    made = ReviewServer(InspectSession(sheet))
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def send(server: ReviewServer, method: str, path: str, body: object = None, **changes: str) -> tuple[int, dict, str]:
    headers = {TOKEN: server.token, "Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in changes.items()
    }
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_only_a_page_with_the_secret_reads_or_saves(server: ReviewServer, sheet: Sheet) -> None:
    order = {"at": 0, "yes": ["artefacts"], "note": ""}
    for changes in (
        {"X_Malmoi_Review": "other"},
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
    ):
        assert send(server, "GET", "/api/document?at=0", **changes)[0] == 403
        assert send(server, "POST", "/api/answer", order, **changes)[0] == 403
    assert send(server, "POST", "/api/answer", order, Content_Type="text/plain")[0] == 415
    assert not any(one.reader for one in sheet.read())
    status, headers, _ = send(server, "POST", "/api/answer", order)
    assert status == 200 and dict(HEADERS).items() <= headers.items()
    assert sheet.read()[0].yes == ("artefacts",)


def test_the_page_of_a_review_is_not_there_and_the_shared_files_are(server: ReviewServer) -> None:
    assert send(server, "GET", "/api/groups")[0] == 404 == send(server, "POST", "/api/decide", {})[0]
    assert "/api/sheet" in send(server, "GET", "/page.js")[2]
    for path in ("/", "/client.js", "/views.js", "/words.js", "/inspect_views.js", "/inspect_words.js", "/page.css"):
        assert send(server, "GET", path)[0] == 200


@pytest.mark.parametrize(
    "order",
    [
        {"yes": []},
        {"at": "0", "yes": []},
        {"at": 0, "yes": "artefacts"},
        {"at": 0, "yes": ["other"]},
        {"at": 0, "yes": [["artefacts"]]},
        {"at": 0, "yes": [], "note": "a\nb"},
        {"at": 0, "yes": [], "note": "가" * 501},
        {"at": 0, "yes": [], "note": 1},
        {"at": 3, "yes": []},
        {"at": -1, "yes": []},
        {"at": True, "yes": []},
    ],
)
def test_an_answer_that_is_not_one_is_refused(server: ReviewServer, sheet: Sheet, order: dict) -> None:
    status, _, body = send(server, "POST", "/api/answer", order)
    assert status in (400, 404) and json.loads(body)["message"]
    assert not any(one.reader for one in sheet.read())


@pytest.mark.parametrize("at", ["", "-1", "3", "x", "9999999999", "²"])
def test_a_document_that_is_not_in_the_sample_is_refused(server: ReviewServer, at: str) -> None:
    assert send(server, "GET", f"/api/document?at={at.encode().hex() if at == '²' else at}")[0] in (400, 404)


def test_two_pages_of_one_sheet_lose_no_answer(sheet: Sheet) -> None:
    one, two = InspectSession(sheet), InspectSession(sheet)
    one.post("/api/answer", {"at": 0, "yes": ["artefacts"]})
    two.post("/api/answer", {"at": 1, "yes": ["unnatural"]})
    one.post("/api/answer", {"at": 2, "yes": []})
    assert [said.yes for said in sheet.read()] == [("artefacts",), ("unnatural",), ()]
    assert one.post("/api/undo", {})["at"] == 2
    assert [bool(said.reader) for said in sheet.read()] == [True, True, False]


def test_a_sheet_with_a_row_removed_is_refused(server: ReviewServer, sheet: Sheet) -> None:
    lines = sheet.path.read_text(encoding="utf-8").splitlines(keepends=True)
    sheet.path.write_text("".join(lines[:-1]), encoding="utf-8")
    status, _, body = send(server, "POST", "/api/answer", {"at": 0, "yes": []})
    assert status == 400 and "its rows are not the documents of the sample" in json.loads(body)["message"]


@pytest.mark.parametrize("line", ["가" * 80, "가" * 5000])
def test_passages_and_gaps_add_up_to_the_text(line: str) -> None:
    body = "\n".join([line] * (20_000 // len(line)))
    parts, at = cut_text(body), 0
    for part in parts:
        at += part.skipped
        assert body[at : at + len(part.text)] == part.text
        at += len(part.text)
    assert at == len(body) and len(parts) == 3
    assert cut_text(body[:6000])[0].text == body[:6000]
