"""The review page in a real browser: keys, pointer, phone, and words from pages that try to be markup."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flows.review.decisions import Reviewer
from flows.review.review_session import ReviewSession, WorkspaceQueue
from flows.review.server import ReviewServer
from malmoi.workspace import Workspace
from tests.builders.headless_browser import Browser, open_browser
from tests.review.small_queue import Waiting, make_workspace, read_lines, sentences

pytestmark = pytest.mark.heavy

NAME, REASON = "김검토", "정책을 읽음"
MARK = "The mark in the archived page"
HOSTILE = '</script><img src=x onerror="document.title=1"><b>'
# Everything that a page of ours would have loaded, run or linked from another host.
OUTSIDE = (
    "performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length"
    " + document.querySelectorAll('iframe, object, embed, main img, main script, main a, base').length"
)


class Reviewed:
    """A workspace that is served, and a browser that has the page open; `keys` counts what is pressed."""

    def __init__(self, home: Workspace, server: ReviewServer, browser: Browser) -> None:
        self.home, self.server, self.browser, self.keys = home, server, browser, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.press(key)
            self.keys += 1

    def type(self, text: str) -> None:
        self.browser.type(text)
        self.keys += len(text)

    def sign(self) -> None:
        """Fill in the name and the reason, which the page asks once."""
        self.type(NAME)
        self.press("Tab")
        self.type(REASON)

    def until(self, script: str) -> None:
        """Wait until a JavaScript expression holds."""
        end = time.monotonic() + 20
        while not self.browser.run(script):
            assert time.monotonic() < end, f"{script}\n{self.browser.run('document.body.innerText')}"
            time.sleep(0.02)

    def open_group(self) -> None:
        self.press("Enter")
        self.browser.wait(MARK)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as one:
        one.speak("en-US")
        yield one


@pytest.fixture
def make_page(browser, tmp_path):
    servers = []

    def make(waiting, wait_for="Review of rights") -> Reviewed:
        home = make_workspace(tmp_path / "w", waiting)
        server = ReviewServer(ReviewSession(WorkspaceQueue(home)))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        browser.resize(1440, 900)
        browser.open(server.address, wait_for)
        return Reviewed(home, server, browser)

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_two_hundred_items_of_one_shape_take_few_keys(make_page):
    page = make_page([*sentences("sky", 200), Waiting("wind", 1, licence="CC-BY-4.0", kind="link")])
    began = time.monotonic()
    page.open_group()
    for number in range(2, 11):  # ten items are read
        page.press("j")
        page.browser.wait(f"{number} of 200\n")
    page.press("g")
    page.sign()
    typed = len(NAME) + len(REASON) + 1
    page.press("Enter")
    page.browser.wait("Granted LicenseRef-KOGL-1 to 200 items.")
    assert page.keys - typed == 12  # Enter, nine j, g, Enter; without reading: three
    assert time.monotonic() - began < 60
    (line,) = read_lines(page.home)
    assert (line["target"], line["reviewer"]) == ("shape", NAME)
    assert line["reason"] == f"{REASON} (10 of 200 items read)"
    page.keys = 0  # the next shape: name and reason are kept
    page.open_group()
    page.press("x", "Enter")
    page.browser.wait("Nothing to review")
    assert page.keys == 3
    assert [line["verdict"] for line in read_lines(page.home)] == ["grant", "deny"]


def test_each_of_many_items_takes_two_keys_and_the_page_goes_on(make_page):
    page = make_page(sentences("sky", 20))
    page.open_group()
    page.press("i")
    page.sign()
    page.press("Enter")
    page.browser.wait("1 of 19")
    page.keys = 0
    for left in range(19, 9, -1):
        page.press("i", "Enter")
        page.browser.wait(f"1 of {left - 1}")
    assert page.keys == 20
    assert {line["target"] for line in read_lines(page.home)} == {"item"}


def test_nothing_is_decided_before_the_confirmation(make_page):
    page = make_page(sentences("sky", 3))
    page.open_group()
    for key in ("g", "x", "i", "X", "a"):
        page.press(key)
        page.until("document.querySelector('dialog').open")
        page.press("Escape")
        page.until("!document.querySelector('dialog').open")
    page.press("g", "Enter")  # name and reason are missing
    page.until("document.querySelector('dialog').open")
    assert read_lines(page.home) == []


def test_u_brings_the_items_back(make_page):
    page = make_page(sentences("sky", 3))
    page.open_group()
    page.press("g")
    page.sign()
    page.press("Enter")
    page.browser.wait("Nothing to review")
    page.press("u")
    page.browser.wait("The items are back in the queue.")
    (_, revoked) = read_lines(page.home)
    assert revoked["revoked_by"] == NAME
    page.press("u")
    page.browser.wait("no decision of this page to undo")
    page.press("l")
    assert "revoked" in page.browser.wait(f"{NAME}, ")


def test_a_change_behind_the_page_is_shown_instead_of_decided(make_page):
    page = make_page(sentences("sky", 3))
    page.open_group()
    other = WorkspaceQueue(page.home)
    (group,) = other.read_groups()
    other.decide("item", group.items[0].id, "sky", "", Reviewer("이다른", "먼저 거부"))
    page.press("g")
    page.sign()
    page.press("Enter")
    page.browser.wait("Grant LicenseRef-KOGL-1 to all 2")
    page.browser.wait("Nothing was decided")
    assert len(read_lines(page.home)) == 1


def test_words_of_pages_never_become_markup(make_page):
    body = f"<html><body><p>{HOSTILE.replace('<', '&lt;')} CC BY 4.0 {'길다' * 5000}</p></body></html>"
    url = "javascript:document.title=1"
    quote = f"{HOSTILE} CC BY 4.0"
    hostile = Waiting("sky", 1, "CC-BY-4.0", "sentence", f"p{HOSTILE}", quote, f"{HOSTILE}\u202etitle", body, url)
    page = make_page([hostile, Waiting("sky", 2, title="길다" * 3000, url="https://sky.example/" + "a" * 3000)])
    shown = ""
    for keys in (("Enter",), ("j", "Enter")):
        page.press(*keys)
        shown += page.browser.wait(MARK)
        assert page.browser.run(OUTSIDE) == 0
        assert page.browser.run("document.title").startswith("sky")
        assert page.browser.run("document.documentElement.scrollWidth <= innerWidth")
        page.press("g")
        page.until("document.querySelector('dialog').open")
        page.press("Escape", "Escape")
        page.browser.wait("Review of rights")
    assert f"{HOSTILE}\\u202etitle" in shown
    assert "길다" * 3000 in shown


def test_without_the_secret_the_page_shows_nothing(make_page):
    page = make_page(sentences("sky", 3))
    own = page.server.address.partition("#")[0]
    page.browser.run("sessionStorage.clear()")
    page.browser.open("about:blank", "")
    assert "sky" not in page.browser.open(own, "holds the secret")


def test_another_site_cannot_decide(make_page, browser, tmp_path):
    page = make_page(sentences("sky", 3))
    group = ReviewSession(WorkspaceQueue(page.home)).list_groups()["groups"][0]
    order = {"verdict": "grant", "target": "shape", "value": group["key"], "group": group["key"], "reviewer": NAME}
    order |= {"reason": REASON, "licence": group["licence"], "count": 3, "digest": group["digest"]}
    target = page.server.address.partition("#")[0]
    site = tmp_path / "site"
    site.mkdir()
    form = f"<form id=f method=post enctype=text/plain target=frame action={target}api/decide>"
    value = escape(json.dumps(order)[:-1] + ', "a": "')
    frames = f"<iframe name=frame></iframe><iframe src={target}></iframe>"
    (site / "index.html").write_text(f'{form}<input name="{value}" value="&quot;}}"></form>{frames}other site')
    with serve_folder(site) as address:
        browser.open(address, "other site")
        tried = browser.run(
            f"""(async () => {{
              document.getElementById('f').submit();
              const body = {json.dumps(json.dumps(order))};
              const headers = {{'Content-Type': 'application/json'}};
              const tries = [
                fetch('{target}api/decide', {{method: 'POST', body, mode: 'no-cors'}}),
                fetch('{target}api/decide', {{method: 'POST', body, headers}}),
                fetch('{target}api/groups'),
                import('{target}page.js'),
              ];
              return (await Promise.allSettled(tries)).map(one => one.status);
            }})()"""
        )
        assert tried == ["rejected"] * 4
        time.sleep(0.3)  # for the form
    assert read_lines(page.home) == []


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_pointer_and_a_phone_do_it_all(make_page):
    page = make_page(sentences("sky", 4))
    page.browser.resize(390, 844)
    button = "[...document.querySelectorAll('button')].find(b => b.textContent.startsWith('{}'))"
    page.browser.click("document.querySelector('.row')")
    page.browser.wait(MARK)
    page.browser.click(button.format("Next"))
    page.browser.wait("2 of 4\n")
    page.browser.click(button.format("Deny this item"))
    page.sign()
    page.browser.click("document.getElementById('confirm')")
    page.browser.wait("Denied 1 item.")
    page.until("document.documentElement.scrollWidth <= 390")
    page.browser.click(button.format("Grant LicenseRef-KOGL-1 to all 3"))
    page.browser.click("document.getElementById('confirm')")
    page.browser.wait("Nothing to review")
    page.browser.click(button.format("Decisions"))
    page.browser.wait("Revoke")
    page.until("document.documentElement.scrollWidth <= 390")
    page.browser.click(button.format("Revoke"))
    page.browser.click("document.getElementById('confirm')")
    page.browser.wait("The decision is revoked")
    assert [line["verdict"] for line in read_lines(page.home)] == ["deny", "grant", "grant"]


def test_addresses_are_counted_while_they_are_typed(make_page):
    page = make_page(sentences("sky", 6))
    page.open_group()
    page.press("a")
    page.browser.wait("Matches 6 items")
    field = "document.querySelector('[name=prefix]')"
    page.browser.run(f"{field}.focus(), {field}.setSelectionRange(99, 99)")
    page.type("2/")
    page.browser.wait("Matches 2 items")
    page.browser.run(f"{field}.value = '^(', {field}.dispatchEvent(new Event('input'))")
    page.browser.wait("not a regular expression")
    page.browser.run(f"{field}.value = 'https://sky.example/board/2/', {field}.dispatchEvent(new Event('input'))")
    page.browser.wait("Matches 2 items")
    page.browser.run("document.querySelector('[name=reviewer]').focus()")
    page.sign()
    page.press("Enter")
    page.browser.wait("Granted LicenseRef-KOGL-1 to 2 items.")
    (line,) = read_lines(page.home)
    assert (line["target"], line["value"]) == ("addresses", "https://sky.example/board/2/")


def test_the_filter_the_help_and_the_other_language(make_page):
    page = make_page([*sentences("sky", 2), Waiting("wind", 1, licence="CC-BY-4.0", kind="link")])
    page.press("/")
    page.type("CC-BY link")
    page.until("document.querySelectorAll('.row').length === 1")
    page.press("Enter", "Enter")
    page.browser.wait("wind")
    page.press("?")
    page.browser.wait("undo the last decision")
    page.press("Escape")
    page.browser.click("document.getElementById('language')")
    page.browser.wait("보존된 페이지 속 표시")
    assert page.browser.run("document.documentElement.lang") == "ko"
    page.press("ㅎ")  # the key g of a Korean keyboard
    page.browser.wait("wind의 1건에 CC-BY-4.0")
    page.browser.run("sessionStorage.removeItem('language')")


def test_headings_labels_and_landmarks_are_there(make_page):
    page = make_page(sentences("sky", 2))
    for press in ((), ("Enter",), ("g",)):
        page.press(*press)
        time.sleep(0.3)
        assert page.browser.run("document.querySelectorAll('header, nav, main').length >= 3")
        unnamed = (
            "[...document.querySelectorAll('input, select, button')].filter(e => "
            "!(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))).length"
        )
        assert page.browser.run(unnamed) == 0
    assert page.browser.run("[...document.querySelectorAll('.text, blockquote')].every(e => e.lang === 'ko')")
    assert page.browser.run("document.querySelector('dialog').getAttribute('aria-labelledby')") == "dialog-title"
