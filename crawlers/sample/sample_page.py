"""Read the pages of the sample site (header lines, a blank line, a body in a very small Markdown), and mark them.

The licence marks are as on Korean public pages: links, images, alternative texts and sentences vary with the address.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from html import escape
from itertools import groupby
from pathlib import Path

PAGES = Path(__file__).parent / "pages"

# Sections in the order of the menu, with the name that the site shows.
SECTIONS = {
    "news": "소식",
    "notices": "알림",
    "law": "생활 법률",
    "encyclopedia": "백과",
    "semiconductor": "반도체",
    "manufacturing": "제조",
    "content": "콘텐츠",
    "essay": "수필",
    "tale": "동화",
    "qa": "묻고 답하기",
    "minutes": "회의록",
    "archive": "자료실",
    "about": "안내",
    "private": "내부 자료",
}
KOGL = frozenset({"kogl-0", "kogl-1", "kogl-2", "kogl-3", "kogl-4", "kogl-4-ai"})
LICENCES = KOGL | {"cc-by-4.0", "cc-by-sa-4.0", "reserved", "none"}
TEMPLATES = frozenset({"article", "bare", "legend", "nav", "broken", "comment", "legacy"})
ENCODINGS = frozenset({"utf-8", "euc-kr"})
FORMS = frozenset({"nfc", "nfd"})
REQUIRED = frozenset({"title", "date", "licence"})
KEYS = REQUIRED | {"author", "encoding", "form", "template", "trap", "meta", "until"}


@dataclass(frozen=True)
class Page:
    """One page as its file states it. `meta` is `name=content` of one more meta element, or empty."""

    section: str
    slug: str
    title: str
    date: date
    licence: str
    body: str
    author: str = ""
    encoding: str = "utf-8"
    form: str = "nfc"
    template: str = "article"
    trap: str = ""
    meta: str = ""

    @property
    def path(self) -> str:
        """The page's path on the site."""
        return f"/{self.section}/{self.slug}.html"


def read_pages(edition: int = 1, folder: Path = PAGES) -> tuple[Page, ...]:
    """Return all pages of one edition, in menu order, then by slug.

    `slug.md` is in every edition, `slug@2.md` replaces (or adds) it from edition 2 on,
    and `until: 1` removes a page from the site after edition 1.
    """
    chosen: dict[tuple[str, str], tuple[int, Path]] = {}
    for file in sorted(folder.glob("*/*.md")):
        slug, _, since = file.stem.partition("@")
        first = int(since or 1)
        key = (file.parent.name, slug)
        if first <= edition and first >= chosen.get(key, (0, file))[0]:
            chosen[key] = (first, file)
    pages = [page for _, file in chosen.values() if (page := read_page(file, edition))]
    order = list(SECTIONS)
    return tuple(sorted(pages, key=lambda page: (order.index(page.section), page.slug)))


def read_page(file: Path, edition: int = 1) -> Page | None:
    """Read one file strictly; None if the page is no longer part of the edition.

    Raises ValueError, naming the file, for an unknown key or value.
    """
    head, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    fields: dict[str, str] = {}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in KEYS:
            raise ValueError(f"{file}: header line {line!r}; known keys: {', '.join(sorted(KEYS))}")
        fields[key.strip()] = value.strip()
    if missing := REQUIRED - fields.keys():
        raise ValueError(f"{file}: no {', '.join(sorted(missing))} in the header")
    if edition > int(fields.pop("until", edition)):
        return None
    page = Page(
        section=file.parent.name,
        slug=file.stem.partition("@")[0],
        date=date.fromisoformat(fields.pop("date")),
        body=body.strip() + "\n",
        title=fields.pop("title"),
        licence=fields.pop("licence"),
        **fields,
    )
    for name, value, known in (
        ("section", page.section, SECTIONS.keys()),
        ("licence", page.licence, LICENCES),
        ("template", page.template, TEMPLATES),
        ("encoding", page.encoding, ENCODINGS),
        ("form", page.form, FORMS),
    ):
        if value not in known:
            raise ValueError(f"{file}: {name} {value!r}; known: {', '.join(sorted(known))}")
    return page


def blocks(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the blocks of a body as (kind, lines); kind is one of heading, list, table, text."""

    def kind_of(line: str) -> str:
        kinds = (("heading", "## "), ("list", "- "), ("table", "|"))
        return next((kind for kind, start in kinds if line.startswith(start)), "text")

    for blank, lines in groupby(body.splitlines(), key=lambda line: not line.strip()):
        if not blank:
            for kind, same in groupby(lines, key=kind_of):
                yield kind, list(same)


def body_html(body: str) -> str:
    """Render the body as HTML: one element per block, one line per element.

    >>> body_html("## 제목\\n\\n가 < 나\\n\\n- 하나\\n- 둘\\n")
    '<h2>제목</h2>\\n<p>가 &lt; 나</p>\\n<ul>\\n<li>하나</li>\\n<li>둘</li>\\n</ul>\\n'
    """
    out: list[str] = []
    for kind, lines in blocks(body):
        if kind == "heading":
            out += [f"<h2>{escape(line[3:].strip())}</h2>" for line in lines]
        elif kind == "list":
            items = [f"<li>{escape(line[2:].strip())}</li>" for line in lines]
            out += ["<ul>", *items, "</ul>"]
        elif kind == "table":
            cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
            ruled = [row for row in cells if not all(set(cell) <= set(":- ") for cell in row)]
            out.append("<table>")
            for number, row in enumerate(ruled):
                tag = "td" if number else "th"
                out.append("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>")
            out.append("</table>")
        else:
            out.append(f"<p>{escape(' '.join(line.strip() for line in lines))}</p>")
    return "\n".join(out) + "\n"


CONDITIONS = {
    "1": "출처표시",
    "2": "출처표시+상업적 이용금지",
    "3": "출처표시+변경금지",
    "4": "출처표시+상업적 이용금지+변경금지",
}
LEGACY_LINK = {"1": "by", "2": "nc", "3": "nd", "4": "all"}
BOXES = ('class="kogl"', 'class="codeView01"', 'id="menuNuri"', 'class="gongBox"')
CC_NAMES = {"by": "저작자표시", "by-sa": "저작자표시-동일조건변경허락"}


def variant(page: Page, count: int, salt: str = "") -> int:
    """Return a number below `count`, derived from the page's path: pages differ, builds do not."""
    return int(sha256((page.path + salt).encode()).hexdigest()[:8], 16) % count


def mark(page: Page) -> str:
    """Return the mark block of a page, or "" if it has none."""
    if page.template == "comment":
        return ALL_TYPES_COMMENT + kogl(page, page.licence.partition("-")[2])
    if page.template == "legacy":
        return LEGACY
    if page.licence == "kogl-0":
        return KOGL_0.format(title=escape(page.title), day=page.date.strftime("%Y. %m. %d."))
    if page.licence.startswith("kogl-"):
        number, _, ai = page.licence.partition("-")[2].partition("-")
        return kogl(page, number, ai=bool(ai))
    if page.licence.startswith("cc-"):
        return creative_commons(page)
    return RESERVED if page.licence == "reserved" else ""


def kogl(page: Page, number: str, *, ai: bool = False) -> str:
    """Return a Public Nuri mark of type `number` (1–4), in one of the forms that institutions use."""
    words = CONDITIONS[number]
    link = (
        f"https://www.kogl.or.kr/info/licenseType{number}.do",
        f"http://www.kogl.or.kr/info/licenseType{number}.do",
        f"https://www.kogl.or.kr/open/info/license_info/{LEGACY_LINK[number]}.do",
    )[variant(page, 3, "link")]
    image = (
        f"/images/new_img_opencode{number}.jpg",
        f"/images/new_img_opentype0{number}.png",
        f"/images/img_opencode{number}_m.jpg",
        f"https://www.kogl.or.kr/open/web/images/images_2014/codetype/new_img_opencode{number}.jpg",
    )[variant(page, 4, "image")]
    alternative = (
        f"공공누리 제{number}유형",
        f"공공누리 {number}유형({words.replace('+', '-')})",
        words.replace("+", "-"),
        f"공공누리 공공저작물 자유이용허락 제{number}유형 : {words}",
    )[variant(page, 4, "alt")]
    if ai:
        words += ", AI유형 병행"
    sentence = (
        f'본 저작물은 "공공누리" 제{number}유형:{words} 조건에 따라 이용할 수 있습니다.',
        f"본 저작물은 공공누리 제{number}유형({words}) 조건에 따라 이용할 수 있습니다.",
        f"누리집이 창작한 「{page.title}」 저작물은 공공누리 제{number}유형 “{words}” 조건에 따라 이용할 수 있습니다.",
        f"이 자료는 「공공누리 제{number}유형: {words}」의 조건에 따라 이용이 가능합니다.",
    )[variant(page, 4, "sentence")]
    lines = [
        f"<div {BOXES[variant(page, 4, 'box')]}>",
        f'<a href="{link}" target="_blank"><img src="{image}" alt="{alternative}"></a>',
        AI if ai else "",
        f"<p>{escape(sentence, quote=False)}</p>",
        "</div>\n",
    ]
    return "\n".join(line for line in lines if line)


def creative_commons(page: Page) -> str:
    """Return a Creative Commons mark with `rel="license"`; `page.licence` is like `cc-by-sa-4.0`."""
    kind, version = page.licence.removeprefix("cc-").rsplit("-", 1)
    name = CC_NAMES[kind]
    return (
        f'<div class="ccl"><a rel="license" '
        f'href="https://creativecommons.org/licenses/{kind}/{version}/deed.ko">'
        f'<img src="/images/ccl-{kind}.png" alt="크리에이티브 커먼즈 {name}"></a>\n'
        f"<p>이 저작물은 크리에이티브 커먼즈 {name} {version} 국제 라이선스에 따라 "
        "이용할 수 있습니다.</p></div>\n"
    )


AI = (
    '<a href="https://www.kogl.or.kr/info/licenseTypeAi.do" target="_blank">'
    '<img src="/images/new_img_opentypeAi.png" alt="공공누리 AI유형"></a>'
)

KOGL_0 = """<div class="kogl">
<a href="https://www.kogl.or.kr/info/infoRenewal.do" target="_blank">\
<img src="/images/new_img_opentype00.png" alt="공공누리 제0유형"></a>
<p>「{title}」 저작물은 "공공누리" 제0유형:제한없음 조건에 따라 출처표시 없이 자유롭게 이용할 수 있습니다. \
(적용일: {day})</p>
</div>
"""

RESERVED = """<div class="copyright_item">
<p>이 글의 저작권은 글쓴이에게 있습니다. 무단전재 및 재배포 금지, AI 학습 이용 금지.</p>
</div>
"""

# A mark from the first years of Public Nuri: no free use at all.
LEGACY = """<div class="codeView01">
<a href="https://www.kogl.or.kr/" target="_blank"><img src="/images/new_img_opencode0.jpg" \
alt="자유이용 불가 : 공공누리가 적용되지 않은 저작물입니다"></a>
<p>위 저작물은 자유이용을 불가합니다.</p>
</div>
"""

# A template's leftover: editors copy the block that they need out of the comment.
ALL_TYPES_COMMENT = "<!-- 유형을 골라 붙이세요\n{}\n-->\n".format(
    "\n".join(
        f'<div class="kogl"><a href="https://www.kogl.or.kr/info/licenseType{number}.do">'
        f'<img src="/images/new_img_opencode{number}.jpg" alt="공공누리 제{number}유형"></a>'
        f'본 저작물은 "공공누리" 제{number}유형:{words} 조건에 따라 이용할 수 있습니다.</div>'
        for number, words in CONDITIONS.items()
    )
)

# An explanation of all types, with every image: a legend, not the licence of a page.
LEGEND = "".join(
    f'<div class="type_info"><img src="/images/new_img_opencode{number}.jpg" '
    f'alt="공공누리 제{number}유형"> <a href="https://www.kogl.or.kr/info/licenseType{number}.do">'
    f"제{number}유형: {words}</a></div>\n"
    for number, words in CONDITIONS.items()
)
