"""Drop licence grants that apply to embedded content (a picture, a file, a film, another text), not to the page text.

The position of a grant (inside, below or beside an element) shows what it applies to. Only grants are dropped:
limits and refusals count wherever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from lxml import html

from crawlers.formats.html.runs import PageEvidence, Run
from crawlers.rights.sentences.self_reference import is_about_itself, title_of
from crawlers.rights.sentences.subject import find_subject
from malmoi.licensing.rights_decision import NONE, UNKNOWN, terms

MAX_SHARE = 0.5  # of the shown text of a page; an element with more is the page itself, whatever its name
MAX_LABEL = 40  # code points of a line that labels what is below it
MAX_NOTE = 160  # code points of a note beside a mark
MAX_WIDGET = 20  # code points beside the licence in a box of a sidebar
MIN_PROSE = 40  # code points of a run that is text rather than a label or button
MIN_PART = 60  # code points of a part of a page that counts as a separate text
MAX_POSTS = 30  # articles or sections of a page that are compared
MAX_SIZES = 60  # elements of a page whose text is measured
MAX_BLOCK = 30  # runs of a mark block
MAX_ABOVE = 80  # ancestors that are examined

_THINGS = frozenset(
    "photo photos gallery album video videos movie movies vod audio podcast player popup modal layerpop tooltip search"
    " srch faq guide help legend font fonts theme skin icon icons software dataset datasetcard emoji slide slider"
    " swiper carousel poster attach attachment attachments banner banners"
    " partner sponsor promo cookie consent lightbox".split()
)
_KINDS = frozenset("image images img pic picture data map template plugin file files".split())  # font-license
_MENUS = frozenset(("gnb", "lnb", "snb", "nav", "navbar"))
_SPLIT = re.compile(r"[-_]+|(?<=[a-z])(?=[A-Z])|\d+")
_FILE = re.compile(
    r"\.(?:hwpx?|pdf|docx?|xlsx?|pptx?|zip|csv|jpe?g|png|gif|mp[34]|ttf|otf|epub|mobi)(?:$|[?#])|(?:^"
    r"|[/?&=_])(?:file)?(?:down|download|filedown)",
    re.I,
)
_EMBEDS = frozenset("iframe video audio object embed canvas svg figure blockquote pre picture".split())
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_OTHER_PART = re.compile(
    r"^\W{0,3}\d{0,2}\W{0,3}(?:참고\s?(?:문헌|자료|한\s?글)?|출처|인용|각주|관련|함께\s?읽|더\s?(?:읽|보)|부록|링크|자료실|데이터\b|크레딧|도움"
    r"|references?|bibliography|sources?|credits?|acknowledge?ments?|related|further|see also"
    r"|resources?|links|appendix|attributions?|third[- ]party)",
    re.I,
)
_COMMENTS = re.compile(
    r"^\W{0,3}\d{0,3}\W{0,3}(?:개의\s)?(?:댓글|답글|의견|덧글|comments?|replies|responses|discussion)\b", re.I
)
_MARK_WORDS = re.compile(r"표시|마크|라이[선센]스|공공누리|이용\s?조건|조건은|\bCC\b|licen[cs]e|\bmark\b|badge", re.I)
# The label of the licence of a part: 이미지 이용조건, 유물 사진 저작권, 이용조건(이미지), Image licence.
_PART_NAME = (
    r"(?:사진|이미지|그림|도판|삽화|영상|음원|음악|음성|오디오|비디오|3D|모델링|썸네일"
    r"|첨부\s?(?:파일)?|붙임|파일|데이터|지도|도면|악보)"
)
_PART_LABEL = re.compile(
    rf"{_PART_NAME}\s?(?:자료|파일|의)?\s?(?:이용|사용|활용)?\s?(?:조건|저작권|라이[선센]스|이용\s?허락|허락|범위|공공누리|유형|권리|마크|CCL|licen[cs]e)"
    rf"|(?:조건|저작권|라이[선센]스|이용\s?허락|권리)\s?[(<\[]\s?{_PART_NAME}"
    rf"|^\W{{0,3}}(?:(?:고화질|고해상도|원본|유물|소장품|무료|\S{{1,6}})\s)?(?:사진|이미지|그림|도판|영상|3D\S{{0,4}})\s?(?:내려\s?받기|다운로드|보기|download)"
    r"|\b(?:images?|photos?|pictures?|videos?|audio|data|files?|media)\s(?:licen[cs]e|rights|terms|usage|copyright|downloads?)\b",
    re.I,
)
_LICENCE_WORDS = re.compile(r"저작권|이용|KOGL|rights|유형", re.I)
_ONLY = re.compile(
    r"에만|에\s?한|으로\s?한|한정|만\s(?:해당|적용)|(?:사진|이미지|그림|영상|첨부|파일|포스터|데이터|코드|서식|지도|글꼴|표)[가-힣\s]{0,8}(?:에|의)\s?(?:적용|대한"
    r"|해당|것)"
    r"|(?:본문|글|기사|텍스트)[가-힣\s]{0,6}(?:에는|은|는|에)\s?[^.]{0,12}(?:않|아니|아닙|제외|없)"
    r"|\bonly\b|applies to (?:the )?(?:photo|image|picture|file|video|code|data)",
    re.I,
)
_OF_USE = re.compile(
    r"적용|해당|이용|사용|활용|허용|허락|유효|한(?:함|하|정|해)|대한|것|않|아니|아닙|제외|없|\bonly\b|appl", re.I
)
_PARTS = re.compile(
    r"이전|까지\b|이후|부터|년도|유효|만료|종료|\buntil\b|\bexpire|\bbefore\b|\bsince\b|\bafter\b", re.I
)
_ABOUT_MARKS = re.compile(
    r"공공누리|KOGL|크리에이티브\s?커먼[즈스]|creative commons|\bCCL?\b|라이[선센]스|저작권\s?(?:표시|안내|정책|제도)"
    r"|이용\s?허락|\blicen[cs](?:e|es|ing)\b",
    re.I,
)
_BARE_KINDS = frozenset(("kogl-image", "kogl-link", "mark-link"))


def drop_foreign_grants(found: Sequence[PageEvidence], shown: Sequence[Run]) -> list[PageEvidence]:
    """Return `found` without the grants whose position shows that they apply to something else."""
    if not any(map(is_grant, found)):
        return list(found)
    page = _Page(shown)
    out = []
    for one in found:
        if not is_grant(one) or one.element.tag in ("link", "meta", "script") or not page.is_foreign(one):
            out.append(one)
        elif page.is_limited(one):
            out.append(PageEvidence(UNKNOWN, one.kind, one.quote, one.element, one.state))
    return out


def is_grant(one: PageEvidence) -> bool:
    """Whether evidence permits any use."""
    known = terms(one.licence) if one.licence not in (NONE, UNKNOWN) else None
    return known is not None and known.use != "exclude"


class _Page:
    """The runs of a page with cached answers to repeated questions."""

    def __init__(self, shown: Sequence[Run]) -> None:
        self.shown = shown
        self.length = sum(len(run.text) for run in shown)
        self.at = {id(one): n for n, run in enumerate(shown) for one in _elements(run)}
        self.sizes: dict[html.HtmlElement, int] = {}
        self.blocks: dict[html.HtmlElement, list[Run]] = {}
        for run in shown:
            if run.state.mark is not None:
                self.blocks.setdefault(run.state.mark, []).append(run)
        self.labelled: dict[html.HtmlElement, bool] = {}
        self.files: dict[html.HtmlElement, bool] = {}
        self.proses: dict[html.HtmlElement, int] = {}
        self.posts: list[html.HtmlElement] | None = None  # the outermost articles
        self.limiting: dict[int, bool] = {}
        self.titled: bool | None = None

    def is_foreign(self, one: PageEvidence) -> bool:
        """Whether a grant applies to something other than the text of the page."""
        number = self.at.get(id(one.element), -1)
        run = self.shown[number] if number >= 0 else None
        if len(self.sizes) >= MAX_SIZES:
            return True  # too deeply nested to decide
        return (
            self.is_in_widget(one)
            or self.is_in_furniture(one, run)
            or (run is not None and self.has_part_label(one, run, number))
            or self.is_limited(one)
            or (one.state.part != "site" and self.is_in_part(one))
            or (
                one.state.mark is None
                and one.state.part != "site"
                and run is not None
                and self.is_below_other(run, number)
            )
            or (one.kind in _BARE_KINDS and run is not None and _is_in_row(run))
            or (one.kind in _BARE_KINDS and one.state.mark is None and self.is_about_marks(one))
        )

    def is_in_widget(self, one: PageEvidence) -> bool:
        """Whether a grant is in a gallery, popup, search form, block named after fonts or images, or beside a file."""
        mark = one.state.mark
        inside = mark is not None
        for above in islice(chain((one.element,), one.element.iterancestors()), MAX_ABOVE):
            words = _words(above) if above.tag not in ("html", "body") else frozenset()
            if above is mark:
                inside = False
                if words & (_THINGS | _KINDS):
                    return True
            elif not inside and _is_widget(above, words) and self.size(above) <= MAX_SHARE * self.length:
                return True
            if mark is None and above.tag in ("li", "tr") and above is not one.element and self.leads_to_file(above):
                return True
        if mark is None:
            return False
        if mark not in self.labelled:
            self.labelled[mark] = any(map(_is_media_label, self.block(mark)))
        return self.labelled[mark]

    def has_part_label(self, one: PageEvidence, run: Run, number: int) -> bool:
        """Whether a grant is below or behind a label that gives the licence to pictures or files: 이미지 이용조건."""
        first = self.at.get(id(run.state.mark), number) if run.state.mark is not None else number
        before = self.shown[max(0, min(first, number) - 1)] if number else None
        inner = run.text[:MAX_LABEL] if one.element is not run.owner or run.owner.tag not in ("td", "dd") else ""
        cell = run.owner.getprevious() if run.owner.tag in ("td", "dd") else None
        labels = [inner, " ".join(cell.text_content().split())[:MAX_LABEL] if cell is not None else ""]
        if before is not None and len(before.text) <= MAX_LABEL and before.state.part == run.state.part:
            labels.append(before.text)
        return any(map(_PART_LABEL.search, labels))

    def leads_to_file(self, element: html.HtmlElement) -> bool:
        if element not in self.files:
            links = (link.get("href") or "" for _, link in zip(range(12), element.iter("a"), strict=False))
            self.files[element] = any(map(_FILE.search, links)) and self.size(element) <= MAX_SHARE * self.length
        return self.files[element]

    def is_in_furniture(self, one: PageEvidence, run: Run | None) -> bool:
        """Whether a grant is boilerplate: a 공공누리 mark in a menu or banner; a licence in a sidebar box with text."""
        if not one.state.furniture:
            frames = islice(one.element.iterancestors(), MAX_ABOVE)
            if one.kind.startswith("kogl") and any(not _MENUS.isdisjoint(_words(above)) for above in frames):
                return True
            header = one.state.part == "site" and any(
                a.tag == "header" for a in islice(one.element.iterancestors(), MAX_ABOVE)
            )
            return header and one.kind.startswith("kogl")
        if one.kind.startswith("kogl"):
            return True
        box = one.element
        for _, above in enumerate(islice(one.element.iterancestors(), MAX_ABOVE)):
            if above.tag in ("aside", "nav") or above.get("role") in ("complementary", "navigation"):
                break
            box = above
        return self.size(box) - (len(run.text) if run else 0) > MAX_WIDGET

    def is_limited(self, one: PageEvidence) -> bool:
        """Whether a note in the same run, in the block or beside it limits a mark to a part or a period."""
        number = self.at.get(id(one.element), -1)
        if number < 0:
            return False
        near = self.shown[max(0, number - 2) : number + 3]
        block = self.block(one.state.mark) if one.state.mark is not None else []
        return any(self.is_limiting(run) for run in (*near, *block) if run.state.part == one.state.part)

    def is_limiting(self, run: Run) -> bool:
        """Whether a run is a note that limits a mark (cached)."""
        if id(run) not in self.limiting:
            self.limiting[id(run)] = _is_limiting_note(run)
        return self.limiting[id(run)]

    def is_in_part(self, one: PageEvidence) -> bool:
        """Whether a grant is in one of several posts of a page, or in one of its sections with others after it."""
        posts = [above for above in islice(one.element.iterancestors(), MAX_ABOVE) if above.tag == "article"]
        if posts:
            if self.posts is None:
                every = posts[-1].getroottree().getroot().iter("article")
                outermost = (
                    one
                    for one in every
                    if not any(up.tag == "article" for up in islice(one.iterancestors(), MAX_ABOVE))
                )
                self.posts = [one for _, one in zip(range(MAX_POSTS), outermost, strict=False)]
            least = max(MIN_PART, self.size(posts[-1]) / 2)
            if any(other is not posts[-1] and self.size(other) >= least for other in self.posts):
                return True
        if any(self.is_among_posts(above) for above in islice(one.element.iterancestors(), MAX_ABOVE)):
            return True
        section = next((a for a in islice(one.element.iterancestors(), MAX_ABOVE) if a.tag == "section"), None)
        if section is None or self.size(section) < 2 * MIN_PART or not _has_heading(section):
            return False
        later = (other for other in section.itersiblings("section") if _has_heading(other))
        return any(self.prose(other) >= MIN_PART for _, other in zip(range(20), later, strict=False))

    def is_among_posts(self, above: html.HtmlElement) -> bool:
        """Whether an element is named as a post and has siblings of the same class: a page with infinite scroll."""
        make = (above.get("class") or "").split()[:1]
        if above.tag not in ("div", "section", "li") or not make or not _POST.search(make[0]) or not _has_title(above):
            return False
        siblings = (
            *islice(above.itersiblings(above.tag, preceding=True), 20),
            *islice(above.itersiblings(above.tag), 20),
        )
        alike = (other for other in siblings if (other.get("class") or "").split()[:1] == make)
        return any(_has_title(other) and self.size(other) >= MIN_PART for other in alike)

    def is_below_other(self, run: Run, number: int) -> bool:
        """Whether a grant is below embedded content or a quotation, or under a heading of credits, code or comments."""
        itself = is_about_itself(run.text[:MAX_NOTE], run.owner)
        if not itself and len(run.text) <= MAX_LABEL and (_is_after_embed(run.owner) or _has_file_link(run)):
            return True
        for earlier in reversed(self.shown[max(0, number - 40) : number]):
            if earlier.state.part == "site":
                break
            if earlier.owner.tag in _HEADINGS and earlier.owner.tag != "h1":
                if _COMMENTS.search(earlier.text):
                    return True
                return not itself and (
                    bool(_OTHER_PART.search(earlier.text)) or find_subject(earlier.text) in ("media", "software")
                )
        return False

    def is_about_marks(self, one: PageEvidence) -> bool:
        """Whether the title of the page is about marks and licences: then a bare mark may be an example."""
        if self.titled is None:
            self.titled = bool(_ABOUT_MARKS.search(title_of(one.element)))
        return self.titled

    def block(self, mark: html.HtmlElement) -> list[Run]:
        return self.blocks.get(mark, [])[:MAX_BLOCK]

    def size(self, element: html.HtmlElement) -> int:
        if element not in self.sizes:
            if len(self.sizes) >= MAX_SIZES:
                return 0
            self.sizes[element] = len(" ".join("".join(element.itertext()).split()))
        return self.sizes[element]

    def prose(self, element: html.HtmlElement) -> int:
        if element not in self.proses:
            inside = set(element.iter()) if len(self.proses) < MAX_POSTS else set()
            runs = (run for run in self.shown if len(run.text) >= MIN_PROSE and not run.links and run.owner in inside)
            self.proses[element] = sum(len(run.text) for run in runs)
        return self.proses[element]


def _is_media_label(run: Run) -> bool:
    """Whether a short line of a mark block says that the block is about media or software."""
    short = 0 < len(run.text) <= MAX_LABEL and not _TAKES_OUT.search(run.text)
    return short and find_subject(run.text) in ("media", "software")


_POST = re.compile(r"article|post|entry|view|story|news", re.I)
_TAKES_OUT = re.compile(r"제외|외에|불가|금지|없|않|except|excluding|other than|not ", re.I)


def _is_after_embed(owner: html.HtmlElement) -> bool:
    """Whether the element right before a block is embedded content or a quotation."""
    before = owner
    for _ in range(3):
        if before.tag in ("article", "main", "body"):
            return False
        previous = before.getprevious()
        while previous is not None and not isinstance(previous.tag, str):
            previous = previous.getprevious()
        if previous is not None:
            return previous.tag in _EMBEDS or _is_embed(previous)
        parent = before.getparent()
        if parent is None:
            return False
        before = parent
    return False


def _has_file_link(run: Run) -> bool:
    return any(_FILE.search(link.element.get("href") or "") for link in run.links[:12])


def _is_limiting_note(run: Run) -> bool:
    note = run.text if len(run.text) <= MAX_NOTE else run.text[-MAX_NOTE:]
    beside = bool(re.match(r"\W{0,3}(?:※|\*|위|상기|이|본|단|다만|the|this)", note)) or "※" in note
    only = _ONLY.search(note) and _OF_USE.search(note)  # 오류가 있는 경우에만 올립니다: not about a mark
    return bool(_MARK_WORDS.search(note) and only and beside and not _TAKES_OUT.search(note)) or bool(
        len(note) <= MAX_LABEL and _MARK_WORDS.search(note) and _PARTS.search(note)
    )


def _is_in_row(run: Run) -> bool:
    """Whether a bare mark is in a table row behind a cell that names something other than a licence."""
    before = run.owner.getprevious() if run.owner.tag in ("td", "dd") and run.state.mark is None else None
    label = (before.text_content() if before is not None else "")[:MAX_NOTE].strip()
    return bool(label) and not _MARK_WORDS.search(label) and not _LICENCE_WORDS.search(label)


def _elements(run: Run) -> Iterator[html.HtmlElement]:
    yield run.owner
    yield from (link.element for link in run.links)
    yield from (image for image, _ in run.images)


def _is_widget(element: html.HtmlElement, words: frozenset[str]) -> bool:
    return not words.isdisjoint(_THINGS) or element.get("role") == "search" or element.tag == "dialog"


def _words(element: html.HtmlElement) -> frozenset[str]:
    called = f"{element.get('class') or ''} {element.get('id') or ''}"[:300]
    return frozenset(word.lower() for name in called.split() for word in _SPLIT.split(name) if word)


def _has_heading(section: html.HtmlElement) -> bool:
    return any(child.tag in _HEADINGS or child.tag == "header" for child in section)


def _has_title(post: html.HtmlElement) -> bool:
    """Whether a heading is near the beginning of a post."""
    return any(inside.tag in _HEADINGS for inside in islice(post.iter(), 30))


def _is_embed(element: html.HtmlElement) -> bool:
    """Whether a block contains embedded content and almost no words."""
    first = next((one for one in element.iter() if one.tag in _EMBEDS), None)
    return first is not None and len(" ".join(element.itertext()).strip()) <= MAX_LABEL and element.tag not in _HEADINGS
