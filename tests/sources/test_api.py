"""Interfaces: the key is in the request and nowhere else; an answer that is none is asked for again or stops."""

import json
import random
import signal
import subprocess
import sys
import time
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from crawlers.fetch.api_key import REMOVED, Key, key_of
from crawlers.fetch.archive import CLOSED, entries, read_body
from crawlers.platforms import api_errors
from malmoi.archive.capture import Capture
from malmoi.errors import CallError
from malmoi.source import Api, Source
from tests.builders.hostile import Raw, crawl, order, page, raw_server
from tests.builders.rows import each_row

SECRET = "s3cret+Key/with==signs"  # in the form that data.go.kr hands out
ENV = {"SMALL_KEY": SECRET}
SPELLINGS = (SECRET, "s3cret%2BKey%2Fwith%3D%3Dsigns", "s3cret%2bKey%2fwith", "s3cret+Key")
QUOTA = (
    b"<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg>"
    b"<returnReasonCode>22</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
)


def api(site: Raw, functions: str = "", grant: str = "", scope: str = "") -> str:
    where = f'start=("{site.base}/list?page=1",), scope=("{site.base}/"{scope},)'
    access = f'Api({where}, key="SMALL_KEY", parameter="serviceKey", grant="{grant}")'
    return f'access={access}, note="열쇠는 창구에서"\n{functions}'


PAGES = "def follow(capture):\n    import json\n    return json.loads(capture.body)['next']\n"


def rows(*following: str, **more: str) -> bytes:
    return page(json.dumps({"next": following, **more}), Content_Type="application/json")


def everything(folder: Path) -> bytes:
    """All that a run leaves behind, archives in the clear."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found += path.read_bytes()
        if path.name == CLOSED:
            found += b"".join(read_body(e) + repr(e).encode() for e, _ in entries(path) if not e.refers_to)
    return found


def test_the_key_is_sent_and_is_nowhere_else(tmp_path: Path) -> None:
    with raw_server() as other, raw_server() as site:
        echo = f"{site.base}/list?page=2&serviceKey=s3cret%2BKey%2Fwith%3D%3Dsigns"
        site.answers["/list"] = rows(echo, "/moved", "/away", "/slow", "/big", you=SECRET)
        site.answers["/list?page=2&serviceKey=s3cret%2BKey%2Fwith%3D%3Dsigns"] = rows()
        site.answers["/moved"] = page("", "302 Found", Location="/there?serviceKey=s3cret%2BKey%2Fwith%3D%3Dsigns")
        site.answers["/there"] = page(f"you are {SECRET}", X_Echo=SECRET)
        site.answers["/away"] = page("", "302 Found", Location=f"{other.base}/away")
        other.answers["/away"] = page("no key came")
        site.answers["/slow"] = lambda connection: time.sleep(1.5)
        site.answers["/big"] = page(b"", Content_Length=str(100 << 20))
        absolute = (
            "def follow(capture):\n    import json\n    from urllib.parse import urljoin\n"
            "    found = json.loads(capture.body)['next'] if capture.body[:1] == b'{' else []\n"
            "    return [urljoin(capture.url, one) for one in found]\n"
        )
        job = order(tmp_path, api(site, absolute, scope=f', "{other.base}/"'), (site.port, other.port))
        done = crawl(job, env=ENV, timeout=1.0, tries=1, settings={"LOG_LEVEL": "DEBUG"})
        asked = {said.split(" ")[1].partition("?")[0]: said for _, said in site.asked}
    assert done.status == 0, done.err
    assert done.stats["pages"] == 4 and done.why(site.base) == {"/slow": "timeout", "/big": "too-big"}
    for path in ("/list", "/moved", "/there", "/slow"):
        assert "serviceKey=s3cret%2BKey%2Fwith%3D%3Dsigns" in asked[path].splitlines()[0]
    assert "s3cret" not in asked["/robots.txt"] + asked["/ai.txt"] + "".join(said for _, said in other.asked)
    left = everything(tmp_path / "run") + done.out.encode() + done.err.encode()
    assert REMOVED.encode() in left
    assert not [spelling for spelling in SPELLINGS if spelling.encode() in left]
    held = [entry for entry, _ in entries(tmp_path / "run" / CLOSED)]
    marked = {entry.url.removeprefix(site.base): entry.header("x-malmoi-key-removed") for entry in held}
    assert marked["/there"] == marked["/list?page=1"] == "1" and marked["/list?page=2"] == ""


def test_a_missing_key_is_said_with_its_name_and_where_to_get_one(tmp_path: Path) -> None:
    with raw_server() as site:
        done = crawl(order(tmp_path, api(site, PAGES), (site.port,)))
        assert done.status == 2 and site.asked == []
        assert all(word in done.err for word in ("SMALL_KEY", "발행처", "열쇠는 창구에서"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", ["", "two words", "가나다", "line\nbreak", "x" * 5000])
def test_what_cannot_be_a_key_is_no_key(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SMALL_KEY", value)
    with pytest.raises(CallError) as said:
        key_of(Source("s", "t", "p", Api(("http://a.kr/",), ("http://a.kr/",), key="SMALL_KEY", parameter="k")))
    assert not value or value not in str(said.value)


def test_a_short_key_is_taken_out_where_its_parameter_names_it_only() -> None:
    key = Key("OC", "hong")
    assert key.redact_bytes(b'<a href=\'?OC=hong&x=1\'>Hong hong</a> "OC": "hong"') == (
        f'<a href=\'?OC={REMOVED}&x=1\'>Hong hong</a> "OC": "{REMOVED}"'.encode()
    )
    assert key.remove_from_url("http://a.kr/?OC=hong&x=1") == "http://a.kr/?x=1" and "hong" not in repr(key)


def each(spell: Callable[[int], str]) -> str:
    return "".join(map(spell, SECRET.encode()))


PLAIN = SECRET.encode()
WRITTEN = {
    "Base64": b64encode(PLAIN),
    "Base64 for URLs": urlsafe_b64encode(PLAIN),
    "Base64 of user:key": b64encode(b"user:" + PLAIN),
    "Base64 of ab:key:c": b64encode(b"ab:" + PLAIN + b":c"),
    "Base64 in lines": encodebytes(b"x" * 50 + PLAIN),
    "Base64 in a URL": quote(b64encode(PLAIN), safe="").encode(),
    "Base64 of Base64": b64encode(b64encode(PLAIN)),
    "Base64 of JSON with digits": b64encode(json.dumps({"key": PLAIN.hex()}).encode()),
    "Base64 of UTF-16": b64encode(SECRET.encode("utf-16-le")),
    "hexadecimal": PLAIN.hex().encode(),
    "hexadecimal, capitals": PLAIN.hex().upper().encode(),
    "hexadecimal with colons": PLAIN.hex(":").encode(),
    "hexadecimal as numbers": ", ".join(f"0x{code:02x}" for code in PLAIN).encode(),
    "hexadecimal of Base64": b64encode(PLAIN).hex().encode(),
    "percent for every letter": each(lambda code: f"%{code:02X}").encode(),
    "percent twice": each(lambda code: f"%25{code:02x}").encode(),
    "decimal entities": each(lambda code: f"&#{code};").encode(),
    "hexadecimal entities": each(lambda code: f"&#x{code:04X};").encode(),
    "entities without an end": each(lambda code: f"&#{code}").encode(),
    "escaped entities": each(lambda code: f"&amp;#{code};").encode(),
    "named entities": SECRET.replace("+", "&plus;").replace("/", "&sol;").replace("=", "&equals;").encode(),
    "JSON escapes": each(lambda code: f"\\u{code:04x}").encode(),
    "escapes of a script": each(lambda code: f"\\x{code:02x}").encode(),
    "JSON in JSON": json.dumps(json.dumps(SECRET)).replace("/", "\\/").encode(),
    "some letters escaped": "".join(f"%{ord(c):02X}" if n % 2 else c for n, c in enumerate(SECRET)).encode(),
    "reversed": PLAIN[::-1],
    "reversed, in Base64": b64encode(PLAIN[::-1]),
    "Base64, reversed": b64encode(PLAIN)[::-1],
    "capitals": SECRET.upper().encode(),
    "UTF-16": SECRET.encode("utf-16"),
    "UTF-32": SECRET.encode("utf-32-be"),
}


@each_row("written", WRITTEN)
def test_a_key_is_redacted_in_every_writing(written: str) -> None:
    key, raw = Key("serviceKey", SECRET), b'{"you": "' + WRITTEN[written] + b'", "at": [1, 2]}'
    clear = key.redact_bytes(raw)
    assert REMOVED.encode() in clear.replace(b"\0", b"") and key.redact_bytes(clear) == clear
    assert WRITTEN[written][8:-8] not in clear and WRITTEN[written][:-8] not in clear
    assert clear.startswith(b'{"you": "') and clear.endswith(b'", "at": [1, 2]}')


def test_what_is_like_a_key_stays() -> None:
    key, other = Key("serviceKey", SECRET), SECRET[:-1]
    for raw in (other.encode(), b64encode(other.encode()), other.encode().hex().encode(), b64encode(bytes(range(256)))):
        assert key.redact_bytes(raw) == raw


def test_robots_stop_an_interface_with_the_line_that_forbids_it(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/robots.txt"] = page("User-agent: *\nAllow: /docs\nDisallow: /list\n", Content_Type="text/plain")
        site.answers["/list"] = rows()
        site.answers["/docs"] = page("machines may ask /list")
        done = crawl(order(tmp_path, api(site, PAGES), (site.port,)), env=ENV)
        assert done.status == 3 and "line 3: Disallow: /list" in done.err and "grant=" in done.err
        assert not [path for path in site.paths() if path.startswith("/list")]
        granted = crawl(order(tmp_path, api(site, PAGES, grant=f"{site.base}/docs"), (site.port,)), env=ENV)
        assert granted.status == 0 and granted.stats["granted"] == f"{site.base}/docs"
        held = {e.url.removeprefix(site.base): e.status for e, _ in entries(tmp_path / "run" / CLOSED)}
        assert held["/robots.txt"] == held["/docs"] == held["/list?page=1"] == 200
        assert f"{site.base}/docs" in granted.stats["not_pages"]
        site.answers["/docs"] = page("gone", "410 Gone")
        source = api(site, PAGES, grant=f"{site.base}/docs")
        gone = crawl(order(tmp_path, source, (site.port,), run_dir=str(tmp_path / "b")), env=ENV)
        assert gone.status == 3 and "410" in gone.err
        site.answers["/robots.txt"] = page("<!doctype html><div id=app></div>")
        every = crawl(order(tmp_path, api(site, PAGES), (site.port,), run_dir=str(tmp_path / "c")), env=ENV)
        assert every.status == 3 and "/robots.txt is a page of HTML" in every.err and "forbids" not in every.err


TROUBLE = "def trouble(capture):\n    return answers.data_go_kr(capture)\n"


@pytest.mark.heavy
def test_an_empty_answer_is_asked_for_again_and_is_no_capture(tmp_path: Path) -> None:
    given = [page(""), page(""), rows()]
    with raw_server() as site:
        site.answers["/list"] = lambda connection: connection.sendall(given.pop(0) if given else page(""))
        done = crawl(order(tmp_path, api(site, PAGES + TROUBLE), (site.port,)), env=ENV)
        assert done.status == 0, done.err
        by_size = {e.size: e.record for e, _ in entries(tmp_path / "run" / CLOSED) if "/list" in e.url}
        assert done.stats["pages"] == 1 and done.stats["troubled"] == [by_size[0]]
        never = crawl(order(tmp_path, api(site, PAGES + TROUBLE), (site.port,), run_dir=str(tmp_path / "b")), env=ENV)
    assert never.status == 3 and never.why(site.base) == {"/list?page=1": "empty-answer: no bytes"}
    assert len(site.asked) == 2 * 3 + 2 * 3


@pytest.mark.heavy
def test_a_used_up_quota_stops_the_run_which_goes_on_the_next_day(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/list?page=1&serviceKey=s3cret%2BKey%2Fwith%3D%3Dsigns"] = rows(
            *(f"{site.base}/item/{n}" for n in range(6))
        )
        site.answers |= {f"/item/{n}": rows() for n in range(6)}
        site.answers["/item/3"] = page(QUOTA, Content_Type="text/xml")
        job = order(tmp_path, api(site, PAGES + TROUBLE), (site.port,))
        done = crawl(job, env=ENV)
        assert done.status == 3 and "code 22" in done.err and done.stats["finished"] == "failed"
        assert len(done.stats["troubled"]) == 1
        site.answers["/item/3"] = rows(now="full")
        before = len(site.asked)
        again = crawl(job, env=ENV)
    asked = [path.partition("?")[0] for path in site.paths()[before:]]
    assert again.status == 0 and again.stats["pages"] == 7
    assert {p for p in asked if p.startswith("/item")} == {"/item/3", "/item/4", "/item/5"} and "/list" not in asked
    assert again.stats["troubled"] == done.stats["troubled"], "what was archived then is no capture now either"


@pytest.mark.heavy
def test_a_killed_interface_crawl_goes_on_without_asking_twice(tmp_path: Path) -> None:
    dice = random.Random(4)
    with raw_server() as site:
        site.answers["/list?page=1&serviceKey=s3cret%2BKey%2Fwith%3D%3Dsigns"] = rows(
            *(f"{site.base}/item/{n}" for n in range(30))
        )

        def slow(connection: Any) -> None:
            time.sleep(0.02)
            connection.sendall(rows())

        site.answers |= {f"/item/{n}": slow for n in range(30)}
        job = order(tmp_path, api(site, PAGES + TROUBLE), (site.port,))
        command = [sys.executable, "-m", "crawlers.fetch", str(job)]
        import os

        kills = 0
        for moment in sorted(dice.sample(range(5, 30), 3)):
            process = subprocess.Popen(
                command,
                cwd=Path(__file__).parents[2],
                env={**os.environ, **ENV},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while len(site.asked) < moment and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        done = crawl(job, env=ENV)
    assert done.status == 0 and done.stats["pages"] == 31 and done.stats["replayed"] > 0
    assert len(site.asked) <= 3 + 31 + kills


CODES = [
    ("data_go_kr", QUOTA.decode(), "stop"),
    ("data_go_kr", QUOTA.decode().replace(">22<", ">30<"), "stop"),
    ("data_go_kr", QUOTA.decode().replace(">22<", ">31<"), "stop"),
    ("data_go_kr", "<response><header><resultCode>98</resultCode></header></response>", "stop"),
    ("data_go_kr", "<response><header><resultCode>00</resultCode></header><body/></response>", None),
    ("data_go_kr", '{"response": {"header": {"resultCode": "00"}}}', None),
    ("data_go_kr", '{"response": {"header": {"resultCode": "22"}}}', "stop"),
    ("data_go_kr", "<response><header><resultCode>03</resultCode></header></response>", None),
    ("data_go_kr", "<!DOCTYPE html><html><body>점검 중</body></html>", "again"),
    ("data_go_kr", "<OpenAPI_ServiceResponse><cmmMsgHeader/></OpenAPI_ServiceResponse>", "again"),
    ("data_go_kr", "<r><resultCode>77</resultCode></r>", "stop"),
    ("data_go_kr", "", "again"),
    ("law_go_kr", "", "again"),
    ("law_go_kr", "<?xml version='1.0' encoding='UTF-8'?><Law></Law>", "again"),
    ("law_go_kr", "<?xml version='1.0' encoding='UTF-8'?><법령><조문>제1조</조문></법령>", None),
    ("law_go_kr", '{"법령": {"조문": "제1조"}}', None),
    ("law_go_kr", "{}", "again"),
    ("law_go_kr", "사용자 정보 검증에 실패하였습니다", "stop"),
    ("law_go_kr", "<html><body>IP주소 및 도메인주소를 등록해 주세요</body></html>", "stop"),
    ("law_go_kr", "잠시 후 다시", "again"),
    ("open_assembly", '{"RESULT": {"CODE": "INFO-200", "MESSAGE": "해당하는 데이터가 없습니다."}}', None),
    ("open_assembly", '{"x": [{"head": [{"RESULT": {"CODE": "INFO-000"}}]}, {"row": []}]}', None),
    ("open_assembly", '{"RESULT": {"CODE": "ERROR-300"}}', "stop"),
    ("open_assembly", '{"RESULT": {"CODE": "ERROR-337"}}', "stop"),
    ("open_assembly", '{"RESULT": {"CODE": "ERROR-399"}}', "stop"),
    ("open_assembly", "<RESULT><CODE>ERROR-500</CODE></RESULT>", "again"),
    ("open_assembly", "<html>", "again"),
    ("open_assembly", "", "again"),
]


@each_row(("reader", "body", "kind"), CODES)
def test_what_portals_say_is_understood(reader: str, body: str, kind: str | None) -> None:
    for encoding in ("utf-8", "cp949"):
        headers = (("Content-Type", f"text/plain; charset={'euc-kr' if encoding == 'cp949' else 'utf-8'}"),)
        found = getattr(api_errors, reader)(Capture("r", "http://a.kr/x", "", 200, headers, body.encode(encoding)))
        assert (found.kind if found else None) == kind


def test_a_portal_that_answers_nonsense_is_read_in_bounded_time() -> None:
    for piece in (b"<", b"<resultCode>", b'"CODE":', b"\x00", b" ", b"<?xml ", b"<!--"):
        body = piece * 200_000
        began = time.process_time()
        for read in (api_errors.data_go_kr, api_errors.law_go_kr, api_errors.open_assembly):
            read(Capture("r", "http://a.kr/x", "", 200, (), body))
        assert time.process_time() - began < 0.5
