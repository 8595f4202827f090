"""The page of an inspection in a real browser: keys, pointer, phone, a restart, and texts that try to be markup."""

import csv
import threading
import time
from pathlib import Path

import pytest

from flows.review.inspection import InspectSession, Sheet
from flows.review.sample import SampleFacts
from flows.review.server import ReviewServer
from malmoi.releases.sampling.inspection import QUESTIONS, DrawnText, Reading
from tests.builders.headless_browser import Browser, open_browser

pytestmark = pytest.mark.heavy

HOSTILE = '</script><img src=x onerror="document.title=1"><b>'
LABELS = (("register", "essay"), ("domain", "law"), ("page_kind", "article"), ("quality", "0.81"))
OUTSIDE = (
    "performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length"
    " + document.querySelectorAll('iframe, object, embed, main img, main script, main a, base').length"
)


def text(number: int, body: str = "", title: str = "") -> DrawnText:
    body = body or f"{number}번째 글이다.\n\n둘째 문단이다."
    url = f"https://a.example/{number}"
    return DrawnText(f"a/{number}", "a", "CC-BY-4.0", url, title or f"글 {number}", body, "2026-01-02", LABELS)


class Inspected:
    """A sheet that is served, and a browser that has the page open."""

    def __init__(self, sheet: Sheet, server: ReviewServer, browser: Browser) -> None:
        self.sheet, self.server, self.browser = sheet, server, browser

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.press(key)

    def until(self, script: str) -> None:
        """Wait until a JavaScript expression holds."""
        end = time.monotonic() + 20
        while not self.browser.run(script):
            assert time.monotonic() < end, f"{script}\n{self.browser.run('document.body.innerText')}"
            time.sleep(0.02)

    def at(self, number: int) -> None:
        self.browser.wait(f"{number} of {len(self.sheet.texts)}\n")

    def answers(self) -> list[str]:
        """The answers of each row, as digits; "-" for a document that is not read."""
        with self.sheet.path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return ["".join(row[name] for name in QUESTIONS) or "-" for row in rows]

    def notes(self) -> list[str]:
        return [one.note for one in self.sheet.read()]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as one:
        one.speak("en-US")
        yield one


@pytest.fixture
def make_page(browser, tmp_path: Path):
    servers = []

    def make(texts: list[DrawnText], wait_for: str = "Other language") -> Inspected:
        sheet = Sheet(tmp_path, SampleFacts("small", "1.0.0", "0" * 64, "a", len(texts)), texts, "kim")
        if not sheet.path.exists():
            sheet.write([Reading(one.id) for one in texts])
        server = ReviewServer(InspectSession(sheet))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        browser.resize(1440, 900)
        browser.open(server.address, wait_for)
        return Inspected(sheet, server, browser)

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_document_takes_one_key_and_each_yes_one_more(make_page):
    page = make_page([text(n) for n in range(1, 5)])
    page.at(1)
    page.press("Enter")
    page.at(2)
    page.press("2", "4", "Enter")
    page.at(3)
    page.press("1", "1", "3", " ")  # taken back; Space at the end of a short text
    page.at(4)
    assert page.answers() == ["0000", "0101", "0010", "-"]
    page.press("Enter")
    shown = page.browser.wait("All documents are read")
    assert "Unnatural\n1 of 4" in shown and f"malmoi inspect --read {page.sheet.path}" in shown
    assert {(one.reader, len(one.date)) for one in page.sheet.read()} == {("kim", 10)}


def test_u_takes_back_what_was_saved_and_shows_the_document(make_page):
    page = make_page([text(n) for n in range(1, 4)])
    page.press("2", "Enter")
    page.at(2)
    page.press("Enter")
    page.at(3)
    page.press("u")
    page.at(2)
    page.press("u")
    page.at(1)
    assert page.answers() == ["-", "-", "-"]
    page.press("u")
    page.browser.wait("Nothing was saved")


def test_j_and_k_move_and_answers_can_be_corrected(make_page):
    page = make_page([text(n) for n in range(1, 4)])
    page.press("2", "j")
    page.at(2)
    page.press("k")
    page.at(1)  # what was not saved is kept while the page is open
    page.until("document.getElementById('q-artefacts').getAttribute('aria-pressed') === 'true'")
    page.press("Enter")
    page.at(2)
    page.press("Enter")
    page.at(3)
    page.press("k", "k")
    page.at(1)
    page.press("2", "3", "Enter")  # on to the first that is not read
    page.at(3)
    assert page.answers() == ["0010", "0000", "-"]
    page.press("k")
    page.at(2)
    page.press("Enter")  # as it was: nothing is written, and nothing to undo
    page.at(3)
    page.press("u")
    page.at(1)
    assert page.answers() == ["0100", "0000", "-"]


def test_a_restart_goes_on_at_the_first_document_that_is_not_read(make_page):
    page = make_page([text(n) for n in range(1, 4)])
    page.press("1", "Enter")
    page.at(2)
    page.server.shutdown()
    page.server.server_close()
    page.press("Enter")
    page.browser.wait("The server does not answer")
    again = make_page(list(page.sheet.texts))
    again.at(2)
    again.press("Enter")
    again.at(3)
    assert again.answers() == ["1000", "0000", "-"]


def test_space_reads_a_long_text_to_its_end_before_it_goes_on(make_page):
    page = make_page([text(1, "\n".join(f"{n}번째 줄이다." for n in range(120))), text(2)])
    page.press(" ")
    page.until("window.scrollY > 0")
    assert page.answers() == ["-", "-"]
    for _ in range(30):
        if page.answers()[0] != "-":
            break
        page.press(" ")
        time.sleep(0.05)
    page.at(2)
    page.until("window.scrollY === 0")
    assert page.answers() == ["0000", "-"]


def test_a_long_text_shows_three_passages_and_the_whole_on_demand(make_page):
    body = "\n".join(f"{n:05}번째 줄이다." for n in range(2000))
    page = make_page([text(1, body)])
    shown = page.browser.wait("characters not shown")
    assert "00000번째" in shown and "01000번째" in shown and "01999번째" in shown and "00500번째" not in shown
    assert "12,000 characters" not in shown and f"{len(body):,} characters" in shown
    page.press("2", "w")
    assert "characters not shown" not in page.browser.wait("00500번째")
    assert page.browser.run("document.getElementById('q-artefacts').getAttribute('aria-pressed')") == "true"


def test_a_note_is_optional_and_kept(make_page):
    page = make_page([text(1), text(2)])
    page.press("n")
    page.browser.type("1 메뉴가 남음")
    page.press("Enter")  # leaves the field
    page.until("document.activeElement.id === 'main'")
    page.press("2", "Enter")
    page.at(2)
    assert page.answers() == ["0100", "-"] and page.notes() == ["1 메뉴가 남음", ""]
    page.press("k")
    page.until("document.getElementById('note').value === '1 메뉴가 남음'")


def test_a_korean_keyboard_needs_no_switch_of_the_input_mode(make_page):
    page = make_page([text(n) for n in range(1, 4)])
    page.press("ㅓ")
    page.at(2)
    page.press("ㅏ")
    page.at(1)
    page.press("2", "Enter")
    page.at(2)
    page.press("ㅕ")
    page.at(1)
    assert page.answers() == ["-", "-", "-"]
    page.press("ㅜ")
    page.until("document.activeElement.id === 'note'")


def test_words_of_texts_never_become_markup(make_page):
    body = f"{HOSTILE}\n```\n{HOSTILE}\n```\n| {HOSTILE} |\n\u202e뒤집힌 {'길다' * 3000}"
    page = make_page([text(1, body, f"{HOSTILE}\u202etitle")])
    shown = page.browser.wait("\\u202etitle")
    assert shown.count(HOSTILE) == 4 and "\\u202e뒤집힌" in shown
    assert page.browser.run(OUTSIDE) == 0
    assert page.browser.run("document.title") == "1 · Inspection"
    assert page.browser.run("document.documentElement.scrollWidth <= innerWidth")


def test_a_pointer_and_a_phone_do_it_all(make_page):
    page = make_page([text(n) for n in range(1, 3)])
    page.browser.resize(390, 844)
    page.browser.click("document.getElementById('q-artefacts')")
    page.until("document.getElementById('q-artefacts').getAttribute('aria-pressed') === 'true'")
    page.press("3")  # the focus is not on the button: a key answers
    page.browser.click("document.getElementById('save')")
    page.at(2)
    page.until("document.documentElement.scrollWidth <= 390")
    page.browser.click("document.getElementById('save')")
    page.browser.wait("All documents are read")
    page.until("document.documentElement.scrollWidth <= 390")
    assert page.answers() == ["0110", "0000"]


def test_a_line_of_prose_has_about_forty_korean_letters(make_page):
    page = make_page([text(1, "가" * 400)])
    for width, least, most in ((1440, 32, 45), (390, 18, 30)):
        page.browser.resize(width, 844)
        letters = "(p => p.clientWidth / parseFloat(getComputedStyle(p).fontSize))(document.querySelector('.prose p'))"
        page.until(f"{letters} >= {least} && {letters} <= {most}")
        assert page.browser.run("parseFloat(getComputedStyle(document.querySelector('.prose')).fontSize)") >= 16


def test_the_help_the_other_language_labels_and_landmarks(make_page):
    page = make_page([text(1)])
    shown = page.browser.wait("register essay")
    assert all(words in shown for words in ("CC-BY-4.0", "field law", "page article", "quality 0.81", "2026-01-02"))
    page.press("?")
    page.browser.wait("Most of the text was not written for readers")
    page.press("Escape")
    page.until("!document.querySelector('dialog').open")
    page.browser.click("document.getElementById('language')")
    page.browser.wait("추출 잔여물")
    assert page.browser.run("document.documentElement.lang") == "ko"
    unnamed = (
        "[...document.querySelectorAll('input, select, button:not([hidden])')].filter(e => "
        "!(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))).length"
    )
    assert page.browser.run(unnamed) == 0
    assert page.browser.run("document.querySelectorAll('header, nav, main, footer').length >= 4")
    assert page.browser.run("[...document.querySelectorAll('.prose p')].every(e => e.lang === 'ko')")
    page.browser.run("sessionStorage.removeItem('language')")


def test_without_the_secret_the_page_shows_nothing(make_page):
    page = make_page([text(1)])
    own = page.server.address.partition("#")[0]
    page.browser.run("sessionStorage.clear()")
    page.browser.open("about:blank", "")
    assert "1번째" not in page.browser.open(own, "holds the secret")
