"""Decide what kind of page a web page is: an article, or a page that is not a text (index, error, login …).

A linear model over features of structure (share of links, streaks of prose, cut teasers, forms, tables of numbers,
words of errors) gives each kind a probability (`page_kind_model.toml`, trained by `benchmarks.page_kind_model`). How
sure the model must be to drop a page depends on its longest streak of prose: a page with a long one is an article
whatever else it shows, one with a brief one is dropped sooner.
"""

from __future__ import annotations

import math
import operator
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from lxml import html

from crawlers.formats.html.page_metadata import Metadata
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import Run

KINDS = ("article", "index", "gallery", "error", "login", "stub", "generated", "frame", "shell")
# Drop reasons of kinds that the model or the frames of a page decide; other reasons and the kinds they mean.
REASONS = {
    "index": "index-page",
    "gallery": "gallery-page",
    "error": "error-page",
    "login": "login-page",
    "stub": "stub-page",
    "generated": "generated-page",
    "frame": "frame-page",
}
_KIND_OF_REASON = {"needs-script": "shell", "frameset": "frame"}
WORDED = frozenset({"error", "login", "stub"})  # kinds that count only if the page has their words
SURE = 0.9  # minimum probability of all kinds but `article` together at which a page is dropped
LIKELY = 0.5  # the same, at which a page is labelled with its likeliest other kind
BRIEF = 100  # code points; a text that has so many, but fewer in sentences in a row, shows little prose
BRIEF_SURE = 0.7  # in place of SURE for such a text, with or without the words of a kind
LITTLE = 200  # code points; with less beside a frame, the frame holds the content
PROSE = 800  # code points of sentences in a row; a page with so many is an article
_NO_CONTENT = re.compile(
    r"googletagmanager|youtube|vimeo|/ads?[/.?]|doubleclick|recaptcha|facebook|twitter|google\.com/maps|/map|counter|analytics|hidden"
    r"|display\s?:\s?none|^\S* 0 |^\S* 1 1 |width\s?:\s?[01](?:px)?\b|about:blank|javascript:|banner|player",
    re.IGNORECASE,
)
_LARGE = re.compile(r"100%|\b[5-9]\d\d\b|\b[1-9]\d{3}\b|100v[hw]")
_CONTENT = re.compile(r"main|view|content|cont|body|article|post|pdf|doc|convert|preview", re.IGNORECASE)
COMPARABLE = 200  # code points; a shorter text is too little to compare with the runs
SEEN = 0.5  # share of the text in runs; with less (text in code, in old markup) the runs say nothing about a page
TITLE_LINK = 8  # code points; a shorter link is a button, a number, a tag
TEASER_RUNS = 3  # runs behind a title that may be its teaser
CLIMB = 4  # ancestors of a block that are inspected
FEW = 400  # runs; of a longer page the first half and the last
_SENTENCE = re.compile(r"[가-힣a-z\d)][.!?。](?=[\s\"'”’)\]]|$)|[다요까죠음함됨임]$")
_CUT = re.compile(
    r"(?:…|\.{2,}|\[…\]|더\s?보기|계속\s?읽기|read more|자세히(?:\s?보기)?|전체\s?보기)\s{0,3}[>»→]?$", re.IGNORECASE
)
_DATE = re.compile(
    r"(?:19|20)\d{2}\s?[-./년]\s?\d{1,2}\s?[-./월]\s?\d{1,2}|\b\d{1,2}[-.]\d{1,2}\b(?!\.\d)|\d{1,2}\s?(?:시간|일|분|주|개월)\s?전"
)
_NUMBER = re.compile(r"[\d.,:%/+\-~\s₩원초분시건회명개점위ms]{1,24}")
_ERROR = re.compile(
    r"\b40[0-4]\b|\b50[0-4]\b|not found|찾을 수 없|찾지 못|존재하지 않|없는 (?:페이지|글|게시|문서|주소)"
    r"|삭제(?:된|되었|됐)|잘못된 (?:접근|주소|경로|요청)|비공개|권한이 없|접근(?:할 수 없|이 (?:거부|제한))|오류가 발생"
    r"|에러|서비스 점검|이동(?:되었|하였|했)|사라졌|만료된|forbidden|error",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"로그인|회원\s?가입|비밀번호|아이디 (?:찾기|저장)|본인\s?(?:인증|확인)|성인\s?인증|구독(?:자|하)"
    r"|유료\s?회원|만 19세|sign in|log ?in|회원(?:만| 전용)|등급",
    re.IGNORECASE,
)
_MEMBERS = re.compile(
    r"회원\s?(?:전용|만)|로그인\s?(?:하시면|하면|후|뒤|이 필요|하고|해야|해 주)|구독자\s?(?:만|전용)"
    r"|구독하.{0,20}(?:볼|읽)|이어서\s?(?:읽|보)"
    r"|본인\s?(?:인증|확인)|만 1[89]세|등급.{0,10}(?:이상|만)|남은 (?:기사|글|내용)|나머지(?:를| 내용)",
)
_STUB = re.compile(
    r"준비\s?중|등록된 .{0,12}없|게시(?:물|글)이 없|내용이 없|자료가 없|검색 ?결과가 없|데이터가 없|결과가 없"
    r"|공사 중|coming soon|업데이트 예정|작성 중|테스트(?:입니다|중)|곧 (?:찾아|공개|열)|아직 .{0,20}(?:없|않)",
    re.IGNORECASE,
)
_LISTS = re.compile(
    r"/(?:category|categories|tags?|archives?|page|search|list|author|topics?|label|section|news/?$|blog/?$|posts/?$)(?:/|$)"
    r"|list\.|index\.|[?&](?:page|paged|pageIndex|cate\w{0,12}|search\w{0,8}|keyword|q|query|sfl|tag)=|genindex|search",
    re.IGNORECASE,
)
_GALLERY = re.compile(r"galler|photo|album|thumb|webzine|포토|갤러리|사진", re.IGNORECASE)
_ALERT = re.compile(r"alert\(\s{0,3}[\"'](.{0,200}?)[\"']")
_WALL = re.compile(
    r"pay-?wall|(?:^|[\s_-])(?:login|signin|member|premium|subscri\w{0,10}|certif\w{0,10}|adult|auth)(?:[\s_-]|$)",
    re.IGNORECASE,
)
_PAGER = re.compile(r"(?:^|[\s_-])(?:pag(?:e|ing|ination|er)|paginate)", re.IGNORECASE)
_LATIN = re.compile("[A-Za-z]+")
_HANGUL = re.compile("[가-힣]+")
_FOLD = re.compile(r"[\W_]+")


def judge(page: Page, found: Metadata, url: str, text: str, reason: str, *, carried: bool) -> tuple[str, str]:
    """Return the kind of a page with the extracted `text`, and the reason to drop it ("" to keep it).

    `reason` is that of the extraction. `carried`: the text is that of an article in the data of the page.
    """
    if carried or reason in _KIND_OF_REASON:
        return _KIND_OF_REASON.get(reason, "article"), reason
    if reason not in ("", "links-only", "no-text"):
        return "", reason
    if len(text) < LITTLE and _has_frame(page):
        return "frame", REASONS["frame"]
    shown = look(page, text)
    streak = measure_streak(shown, PROSE)
    if not reason and streak >= PROSE:
        return "article", ""
    chances = chances_of(measure(shown, page, found, url, text))
    stated = partial(find_stated_kinds, page, found.title, text)
    if not reason:
        kind, is_dropped = decide(chances, stated, little_prose=has_little_prose(len(text), streak))
        return kind, REASONS[kind] if is_dropped else ""
    # Nothing to lose: the kind only names the reason.
    likeliest, doubt = _find_likeliest(chances, stated())
    kind = likeliest if doubt >= LIKELY else "index" if reason == "links-only" else "stub"
    is_named = kind in ("index", "gallery", "generated") if reason == "links-only" else kind == "stub"
    return kind, reason if is_named else REASONS[kind]


def has_little_prose(length: int, streak: int) -> bool:
    """Whether a text of so many code points shows little prose; a very short one is left to the filter `length`."""
    return streak < BRIEF <= length


def decide(
    chances: Mapping[str, float], stated: Callable[[], frozenset[str]], *, little_prose: bool = False
) -> tuple[str, bool]:
    """Return the kind of a page with a text, and whether it is dropped.

    `chances` are those of all kinds, and `stated` returns the kinds of which the page has words.

    >>> chances = {"article": 0.2, "login": 0.8}
    >>> decide(chances, frozenset, little_prose=True), decide(chances, frozenset)
    (('stub', True), ('article', False))
    """
    doubt = 1 - chances["article"]
    if little_prose and doubt >= BRIEF_SURE:
        kind, _ = _find_likeliest(chances, WORDED)
        return "stub" if kind in WORDED - stated() else kind, True
    if doubt < LIKELY:
        return "article", False
    likeliest, doubt = _find_likeliest(chances, stated())
    return (likeliest, doubt >= SURE) if doubt >= LIKELY else ("article", False)


def _find_likeliest(chances: Mapping[str, float], stated: frozenset[str]) -> tuple[str, float]:
    """Return the likeliest kind but `article`, and the probability of all; of WORDED only those that are stated."""
    others = {kind: one for kind, one in chances.items() if kind != "article" and kind not in WORDED - stated}
    return max(others, key=others.__getitem__, default="stub"), math.fsum(others.values())


def _has_frame(page: Page) -> bool:
    """Whether a frame may hold the content: large or named so, with an address, not an advertisement or a counter."""
    for frame in page.tree.iter("iframe", "embed", "object"):
        get = frame.get
        address = get("src") or get("data") or get("data-src") or ""
        size = f"{get('width') or ''} {get('height') or ''} {get('style') or ''}"
        if not address or _NO_CONTENT.search(f"{address} {size} {get('id') or ''} {get('class') or ''}"):
            continue
        if (
            frame.tag != "iframe"
            or _LARGE.search(size)
            or _CONTENT.search(f"{get('id') or ''} {get('name') or ''} {address}")
        ):
            return True
    return False


def chances_of(values: list[float]) -> dict[str, float]:
    """Return the probability of each kind that the model knows."""
    scores = {kind: math.fsum((bias, *map(operator.mul, row, values))) for kind, (bias, row) in _load().items()}
    most = max(scores.values())
    weights = {kind: math.exp(score - most) for kind, score in scores.items()}
    total = math.fsum(weights.values())
    return {kind: weight / total for kind, weight in weights.items()}


@cache
def _load() -> dict[str, tuple[float, tuple[float, ...]]]:
    """Return kind → bias and weight of each feature."""
    with (Path(__file__).parent / "page_kind_model.toml").open("rb") as file:
        stored = tomllib.load(file)
    return {kind: (row[0], tuple(row[1:])) for kind, row in stored["weights"].items()}


@dataclass(slots=True)
class _Sums:
    """Counts over the runs of a page outside its menus."""

    own: int = 0
    linked: int = 0
    titles: int = 0  # runs that are one link of some length
    sentences: int = 0
    cut: int = 0
    dates: int = 0
    numbers: int = 0
    runs: int = 0
    images: int = 0
    shown: int = 0  # linked images
    streak: int = 0  # code points of sentences without a title in between
    longest: int = 0
    prose: int = 0  # code points in runs with sentences
    teasers: int = 0  # code points of prose right behind a title
    short: int = 0  # runs of at most 30 code points outside links
    units: int = 0  # boxes with one title and prose: entries of a list with teasers
    inside: int = 0  # code points of prose in such boxes


@dataclass(frozen=True, slots=True)
class Shown:
    """Runs of a page, at most FEW: of its item, and all outside menus."""

    inner: list[Run]
    outer: list[Run]
    unseen: bool  # whether they do not show the text


def look(page: Page, text: str) -> Shown:
    """Choose the runs that show the extracted `text` of a page."""
    # Outside menus and footers; those too, if the text is in what looks like one.
    unfurnished = [run for run in page.runs if not run.state.furniture]
    inside = [run for run in unfurnished if run.state.part != "site"]
    least = SEEN * len(text)
    runs = next((some for some in (inside, unfurnished) if some and _size(some) >= least), page.runs)
    inner = [run for run in runs if run.state.part == "item"]
    outer = _cut(runs)
    whole = len(inner) == len(runs) or _size(inner) < SEEN * _size(runs)
    return Shown(outer if whole else _cut(inner), outer, len(text) >= COMPARABLE and _size(outer) < SEEN * len(text))


def measure_streak(shown: Shown, most: int) -> int:
    """Return the code points of the longest streak of sentences without a title in between, at most `most`.

    A page whose text its runs do not show has `most`.
    """
    if shown.unseen:
        return most
    streak = longest = 0
    for run in shown.inner:
        links = _count_linked(run)
        own = len(run.text) - links
        if links >= TITLE_LINK and own <= links:
            streak = 0
        elif _SENTENCE.search(run.text):
            streak += own
            longest = max(longest, streak)
            if longest >= most:
                return most
    return longest


def measure(shown: Shown, page: Page, found: Metadata, url: str, text: str) -> list[float]:
    """Return the features of a page, numbers around 0 to 2, in the order of the weights of the model."""
    lines = [line for line in text.split("\n") if line.strip()]
    head = f"{found.title} {' '.join(lines[:2])[:200]}"
    outer = _add_up(shown.outer)
    return [
        *_list_sums(outer if shown.inner is shown.outer else _add_up(shown.inner)),
        *_list_sums(outer)[:6],
        *_measure_text(lines, text),
        *_measure_tree(page, found, lines),
        *_measure_words(head, text, url, found),
    ]


def find_stated_kinds(page: Page, title: str, text: str) -> frozenset[str]:
    """Return those of error, login and stub whose words the title, the text or a message of a script has."""
    said = f"{title}\n{text[:600]}\n{text[-300:]}\n{_find_alarm(page)}"
    known = (("error", _ERROR), ("login", _LOGIN), ("login", _MEMBERS), ("stub", _STUB))
    return frozenset(kind for kind, words in known if words.search(said))


def _find_alarm(page: Page) -> str:
    """Return the messages that scripts of the page show in a window."""
    scripts = (script.text or "" for script in page.tree.iter("script"))
    return " ".join(said for source in scripts for said in _ALERT.findall(source[:2000]))


def _size(runs: list[Run]) -> int:
    return sum(len(run.text) for run in runs)


def _cut(runs: list[Run]) -> list[Run]:
    return runs if len(runs) <= FEW else runs[: FEW // 2] + runs[-FEW // 2 :]


def _count_linked(run: Run) -> int:
    """Return the code points of a run in links."""
    if not run.links and run.text:  # a link around the block may hold it: a card
        around = (run.owner, *islice(run.owner.iterancestors(), CLIMB - 1))
        link = next((element for element in around if element.tag == "a"), None)
        return len(run.text) if link is not None and link.get("href") is not None else 0
    return min(len(run.text), sum(len(link.text.strip()) for link in run.links))


def _add_up(runs: list[Run]) -> _Sums:
    sums = _Sums()
    behind = 9  # runs since the last title
    titles: list[Run] = []
    prose: list[tuple[Run, int]] = []
    for run in runs:
        text = run.text
        links = _count_linked(run)
        own = len(text) - links
        sums.runs += 1
        sums.own += own
        sums.linked += links
        sums.images += len(run.images)
        sums.shown += sum(link is not None for _, link in run.images)
        behind += 1
        sums.cut += bool(_CUT.search(text[-24:]))
        sums.dates += len(text) < 120 and bool(_DATE.search(text))
        sums.short += own <= 30
        if links >= TITLE_LINK and own <= links:
            sums.titles += 1
            sums.streak = behind = 0
            titles.append(run)
            continue
        sums.numbers += bool(text) and _NUMBER.fullmatch(text) is not None
        if ends := len(_SENTENCE.findall(text)):
            sums.sentences += ends
            sums.prose += own
            sums.teasers += own if behind <= TEASER_RUNS else 0
            sums.streak += own
            sums.longest = max(sums.longest, sums.streak)
            prose.append((run, own))
    sums.units, sums.inside = _count_units(titles, prose)
    return sums


def _count_units(titles: list[Run], prose: list[tuple[Run, int]]) -> tuple[int, int]:
    """Return the number of boxes that hold one title and prose, and the code points of this prose."""
    above: dict[html.HtmlElement, int] = {}
    for run in titles:
        for element in islice(run.owner.iterancestors(), CLIMB):
            above[element] = above.get(element, 0) + 1
    units: set[html.HtmlElement] = set()
    inside = 0
    for run, own in prose:
        unit = next((one for one in islice(run.owner.iterancestors(), CLIMB) if one in above), None)
        if unit is not None and above[unit] == 1:
            units.add(unit)
            inside += own
    return len(units), inside


def _list_sums(sums: _Sums) -> list[float]:
    runs = sums.runs or 1
    return [
        _log(sums.own),
        _log(sums.linked),
        sums.linked / (sums.own + sums.linked + 1),
        _log(sums.titles),
        sums.titles / runs,
        _log(sums.longest),
        sums.longest / (sums.own + 1),
        _log(sums.prose),
        sums.prose / (sums.own + 1),
        sums.teasers / (sums.prose + 1),
        sums.teasers / (sums.own + 1) * min(1.0, sums.titles / 4),
        _log(sums.sentences),
        _log(sums.cut),
        sums.cut / runs,
        _log(sums.dates),
        sums.dates / runs,
        _log(sums.numbers),
        sums.numbers / runs,
        _log(sums.images),
        sums.images / runs,
        sums.shown / runs,
        sums.short / runs,
        _log(sums.units),
        sums.inside / (sums.prose + 1) * min(1.0, sums.units / 3),
        sums.longest / (sums.prose + 1),
        float(sums.titles >= 5 and sums.units >= 3),
        sums.titles / (sums.titles + sums.sentences + 1),
    ]


def _measure_text(lines: list[str], text: str) -> list[float]:
    count = len(lines) or 1
    rows = [line for line in lines if line.startswith("|")]
    cells = [cell.strip() for line in rows[:200] for cell in line.strip("| ").split("|")]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells if cell)
    said = sum(bool(_SENTENCE.search(line[-4:])) for line in lines)
    latin, hangul = (sum(map(len, letters.findall(text[:5000]))) for letters in (_LATIN, _HANGUL))
    return [
        _log(len(text)),
        float(len(text) < 60),
        float(len(text) < 150),
        _log(count),
        said / count,
        _log(said),
        min(len(text) / count, 300) / 100,
        sum(bool(_CUT.search(line[-24:])) for line in lines) / count,
        len(rows) / count,
        numbers / (len(cells) or 1),
        _log(numbers),
        latin / (latin + hangul or 1),
        sum(line.startswith(("- ", "* ")) for line in lines) / count,
        sum(bool(_DATE.search(line)) for line in lines) / count,
    ]


def _measure_tree(page: Page, found: Metadata, lines: list[str]) -> list[float]:
    title = _fold(found.title)
    linked = plain = same = 0
    for heading in page.tree.iter("h1", "h2", "h3", "h4", "dt"):
        words = _fold("".join(map(str, heading.itertext())))
        if not words:
            continue
        parent = heading.getparent()
        if next(heading.iter("a"), None) is not None or (parent is not None and parent.tag == "a"):
            linked += 1
        else:
            plain += 1
            same = same or (len(words) >= 4 and (words in title or (title in words and bool(title))))
    alarm = _find_alarm(page)
    counts = dict.fromkeys(
        ("walls", "password", "inputs", "articles", "iframes", "pagers", "code", "textareas", "digits", "og"), 0
    )
    for element in page.tree.iter(
        "input", "article", "iframe", "frame", "ul", "div", "nav", "p", "pre", "textarea", "a", "td"
    ):
        tag = element.tag
        if tag == "input":
            kind = (element.get("type") or "text").lower()
            counts["password"] += kind == "password"
            counts["inputs"] += kind in ("text", "password", "email", "tel", "checkbox", "radio")
        elif tag == "article":
            counts["articles"] += 1
        elif tag in ("iframe", "frame"):
            counts["iframes"] += 1
        elif tag == "pre":
            counts["code"] += 1
        elif tag == "textarea":
            counts["textareas"] += 1
        elif tag == "a":
            counts["digits"] += (element.text or "").strip("[] \n").isdecimal()
        elif name := element.get("class"):
            counts["pagers"] += bool(_PAGER.search(name))
            counts["walls"] += bool(_WALL.search(name))
    first = _fold("".join(lines[:1]))
    return [
        _log(linked),
        linked / (linked + plain + 1),
        _log(plain),
        float(bool(same)),
        float(counts["password"] > 0),
        _log(counts["inputs"]),
        _log(counts["articles"]),
        _log(counts["iframes"]),
        float(counts["iframes"] > 0 and sum(map(len, lines)) < 200),
        float(counts["pagers"] > 0),
        _log(counts["code"]),
        float(counts["textareas"] > 0),
        float(counts["digits"] >= 3),
        float(bool(first) and (first in title or (len(title) >= 4 and title in first))),
        float(bool(found.date)),
        float(bool(found.author)),
        float(counts["walls"] > 0),
        float(bool(_ERROR.search(alarm))),
        float(bool(_LOGIN.search(alarm))),
    ]


def _measure_words(head: str, text: str, url: str, found: Metadata) -> list[float]:
    parts = urlsplit(url)
    short = max(0.0, 1.0 - len(text) / 1000)
    start = text[:600] if short else ""  # a long text says such words of something else
    path = parts.path.rstrip("/")
    return [
        float(bool(_ERROR.search(head))),
        float(bool(_ERROR.search(start))) * short,
        float(bool(_LOGIN.search(head))),
        float(short > 0 and bool(_LOGIN.search(start) or _LOGIN.search(text[-300:]))) * short,
        float(bool(_MEMBERS.search(text if short else ""))) * min(1.0, 2 * short),
        float(bool(_STUB.search(head))),
        float(bool(_STUB.search(start))) * short,
        float(path == "" and not parts.query),
        float(
            bool(
                _LISTS.search(
                    url.partition("//")[2].partition("/")[2] and "/" + url.partition("//")[2].partition("/")[2]
                )
            )
        ),
        float(bool(re.search(r"\d{3,}|\d{4}/\d{2}", parts.path + parts.query))),
        float(bool(_GALLERY.search(parts.path + parts.query + found.title))),
        short,
    ]


def _log(count: float) -> float:
    """Return log2(1 + count) / 8: 1 for about 255."""
    return math.log2(1 + count) / 8


def _fold(text: str) -> str:
    return _FOLD.sub("", text).casefold()
