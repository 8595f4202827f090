"""PDF layouts of several programs against their text: python -m benchmarks.formats.pdf_layouts [open|closed] [NAME].

Documents of our own writing (crawlers/sample) and the Markdown of the corpus ko-react-dev are set at run time by the
programs that are installed: Chromium, LibreOffice, and the Python packages typst, weasyprint and reportlab. A program
that is missing is skipped by name. Layouts of the group `closed` only measure: nothing was tuned on them.
Measure: F1 of runs of four words (Markdown signs, leaders and table bars left out); beside it PDFium's plain text.
"""

from __future__ import annotations

import html
import importlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

from crawlers import formats
from malmoi.source import Item

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "crawlers" / "sample" / "pages"
REACT = ROOT.parent / "shared" / "corpora" / "ko-react-dev" / "learn"
FIELDS = [
    ["항목", "자료형", "길이", "설명"],
    ["문서 머리표", "문자열", "32", "파일의 처음에 놓이며 이 값이 다르면 읽는 프로그램은 더 읽지 않고 오류를 알린다"],
    ["판 번호", "정수", "4", "앞의 두 자리는 큰 판이고 뒤의 두 자리는 작은 판이다. 작은 판만 다르면 서로 읽을 수 있다"],
    ["속성", "정수", "4", "압축 여부, 암호 여부, 배포용 여부를 비트 하나씩에 나누어 적는다"],
    ["여분", "바이트", "216", "뒤에 올 판을 위해 비워 두며 쓰는 프로그램은 모두 0으로 채운다"],
]
SHARES = [
    ["연도", "가입자 수", "이용 시간", "비고"],
    ["2019년", "1,204", "3.2시간", "시범 운영"],
    ["2020년", "2,871", "4.0시간", "전국으로 넓힘"],
    ["2021년", "5,310", "4.4시간", "단말기를 바꿈"],
    ["2022년", "7,045", "4.1시간", ""],
    ["2023년", "9,982", "5.6시간", "요금제를 나눔"],
]
NOTE = "이 수는 달마다 마지막 날에 센 것이며 해지를 알리지 않은 이용자도 함께 들어 있다."
_MARK = re.compile(r"\*\*|__|`|<[^<>\n]{1,80}>|\[(?=[^\]\n]{1,200}\]\()|\]\([^()\s]{1,300}\)|\{/\*.{1,80}?\*/\}")
_NOISE = re.compile(r"[|`#*•·◦▪–-]{1,3}|-{3,}|:?-{3,}:?|\d{1,2}\.|([^\w\s])\1{2,}")


@dataclass(frozen=True)
class Block:
    """A block of a document: kind (h1, h2, p, li, code, table, note), its text or lines, or the rows of a table."""

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Layout:
    """How a document is set: the group, the program, and how the blocks become a file."""

    group: str
    write: Callable[[list[Block], Path], bytes]


def parse(markdown: str) -> list[Block]:
    """Parse the Markdown of our sources: headings, paragraphs, lists, fences and tables; marks are left out."""
    found: list[Block] = []
    lines = iter(markdown.split("\n"))
    words: list[str] = []

    def flush() -> None:
        if words:
            found.append(Block("p", " ".join(words)))
            words.clear()

    for raw in lines:
        line = raw.rstrip()
        if line.lstrip().startswith("```"):
            flush()
            code = []
            for inner in lines:
                if inner.lstrip().startswith("```"):
                    break
                code.append(inner.rstrip())
            found.append(Block("code", "\n".join(code).strip("\n")))
            continue
        if line.lstrip().startswith(("<", "---", "import ", "title:", "date:", "author:", "licence:")):
            flush()
            continue
        plain = _MARK.sub("", line).strip()
        if not plain:
            flush()
        elif plain.startswith("#"):
            flush()
            level = len(plain) - len(plain.lstrip("#"))
            found.append(Block("h1" if level < 3 else "h2", plain.lstrip("# ").split(" {")[0]))
        elif plain.startswith("|"):
            flush()
            if not set(plain) <= set("|-: "):
                row = tuple(cell.strip() for cell in plain.strip("|").split("|"))
                if found and found[-1].kind == "table":
                    found[-1] = Block("table", rows=(*found[-1].rows, row))
                else:
                    found.append(Block("table", rows=(row,)))
        elif re.match(r"(?:[-*]|\d{1,2}\.)\s", plain):
            flush()
            found.append(Block("li", plain.split(" ", 1)[1]))
        else:
            words.append(plain)
    flush()
    return [block for block in found if block.text or block.rows]


def document(paths: list[Path], tables: list[list[list[str]]]) -> list[Block]:
    """Join the files to one document with the tables and a footnote between their sections."""
    found: list[Block] = []
    waiting = [Block("table", rows=tuple(map(tuple, rows))) for rows in tables]
    for path in paths:
        blocks = parse(path.read_text(encoding="utf-8"))
        half = len(blocks) // 2
        found.append(Block("h1", path.stem.replace("-", " ")))
        found += blocks[:half]
        if waiting:
            found += [Block("p", "다음 표는 앞에서 말한 것을 한눈에 볼 수 있게 정리한 것이다."), waiting.pop(0)]
            found.append(Block("note", NOTE))
        found += blocks[half:]
    return found


def gold(blocks: list[Block]) -> str:
    """Return the text of the blocks; contents, heads and feet of the layouts are not in it."""
    return "\n".join(" ".join(" ".join(row) for row in block.rows) if block.rows else block.text for block in blocks)


def f1(found: str, wanted: str) -> tuple[float, float, float]:
    """Return precision, recall and F1 of the runs of four words."""
    one, two = _shingles(found), _shingles(wanted)
    both = (one & two).total()
    precision, recall = both / max(one.total(), 1), both / max(two.total(), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = [word for word in text.replace("|", " ").split() if not _NOISE.fullmatch(word)]
    return Counter(zip(*(words[at:] for at in range(4)), strict=False))


# Layouts ------------------------------------------------------------------------------------------------------------


def _html(blocks: list[Block], style: str, *, contents: str = "") -> str:
    parts = ["<!doctype html><html lang=ko><meta charset=utf-8><style>", style, "</style><body>"]
    if contents:
        heads = [(at, block) for at, block in enumerate(blocks) if block.kind in ("h1", "h2")]
        parts.append(f"<h1>{contents}</h1><div class=toc>")
        parts += [f"<p class={b.kind}c><a href='#b{at}'>{html.escape(b.text)}</a></p>" for at, b in heads]
        parts.append("</div>")
    for at, block in enumerate(blocks):
        text = html.escape(block.text)
        if block.kind == "table":
            rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in block.rows]
            parts.append(f"<table><thead><tr>{rows[0].replace('td>', 'th>')}</tr></thead><tbody>")
            parts.append("".join(f"<tr>{row}</tr>" for row in rows[1:]) + "</tbody></table>")
        elif block.kind == "code":
            parts.append(f"<pre>{text}</pre>")
        elif block.kind == "li":
            parts.append(f"<ul><li>{text}</li></ul>")
        else:
            tag = {"note": "p class=note"}.get(block.kind, block.kind)
            parts.append(f"<{tag} id=b{at}>{text}</{tag.split()[0]}>")
    return "".join([*parts, "</body></html>"])


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def _chromium(style: str) -> Callable[[list[Block], Path], bytes]:
    def write(blocks: list[Block], folder: Path) -> bytes:
        page, target = folder / "page.html", folder / "page.pdf"
        page.write_text(_html(blocks, style), encoding="utf-8")
        _run("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
             "--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri())  # fmt: skip
        return target.read_bytes()

    return write


def _weasyprint(style: str) -> Callable[[list[Block], Path], bytes]:
    def write(blocks: list[Block], _folder: Path) -> bytes:
        made = importlib.import_module("weasyprint").HTML(string=_html(blocks, style, contents="차례")).write_pdf()
        assert isinstance(made, bytes)
        return made

    return write


def _office(style: str) -> Callable[[list[Block], Path], bytes]:
    def write(blocks: list[Block], folder: Path) -> bytes:
        page = folder / "page.html"
        page.write_text(_html(blocks, style), encoding="utf-8")
        _run("soffice", "--headless", f"-env:UserInstallation={folder.as_uri()}/o", "--convert-to",
             "pdf:writer_web_pdf_Export", "--outdir", str(folder), str(page))  # fmt: skip
        return (folder / "page.pdf").read_bytes()

    return write


def _typst(head: str, *, table: str) -> Callable[[list[Block], Path], bytes]:
    def write(blocks: list[Block], folder: Path) -> bytes:
        parts = [head]
        for block in blocks:
            said = _quoted(block.text)
            if block.kind in ("h1", "h2"):
                parts.append(f"#heading(level: {block.kind[1]})[#{said}]")
            elif block.kind == "table":
                cells = ", ".join(_quoted(cell) for row in block.rows for cell in row)
                columns = "(auto, auto, auto, 1fr)" if len(block.rows[0]) == 4 else str(len(block.rows[0]))
                end = ", table.hline()" if "hline" in table else ""
                parts.append(f"#table(columns: {columns}, {table} {cells}{end})")
            elif block.kind == "code":
                parts.append(f"#raw(block: true, {said})")
            elif block.kind == "li":
                parts.append(f"- #{said}")
            elif block.kind == "note":
                parts[-1] += f"#footnote[#{said}]"
            else:
                parts.append(f"#par[#{said}]")
        source = folder / "page.typ"
        source.write_text("\n\n".join(parts), encoding="utf-8")
        made = importlib.import_module("typst").compile(str(source))
        assert isinstance(made, bytes)
        return made

    return write


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _reportlab(blocks: list[Block], folder: Path) -> bytes:
    """Lines that break inside words, a contents page with leaders typed as dots, ruled tables, a CID font."""
    lab = importlib.import_module("reportlab.platypus")
    metrics = importlib.import_module("reportlab.pdfbase.pdfmetrics")
    fonts = importlib.import_module("reportlab.pdfbase.cidfonts")
    styles = importlib.import_module("reportlab.lib.styles")
    metrics.registerFont(fonts.UnicodeCIDFont("HYSMyeongJo-Medium"))

    def style(size: float, **more: object) -> object:
        return styles.ParagraphStyle("s", fontName="HYSMyeongJo-Medium", fontSize=size, leading=1.6 * size, **more)

    body = style(10, wordWrap="CJK", spaceAfter=4)
    heads = [block for block in blocks if block.kind in ("h1", "h2")]
    made = [lab.Paragraph("목&nbsp;&nbsp;차", style(18, spaceAfter=12))]
    for at, block in enumerate(heads):
        dots = "·" * (70 - 2 * min(len(block.text), 28))
        made.append(lab.Paragraph(html.escape(f"{at + 1}. {block.text[:28]} {dots} {at // 3 + 2}"), style(10)))
    made.append(lab.PageBreak())
    for block in blocks:
        if block.kind == "table":
            rows = [[lab.Paragraph(html.escape(cell), style(9, wordWrap="CJK")) for cell in row] for row in block.rows]
            grid = [("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
            widths = [80, 60, 50, 230] if len(rows[0]) == 4 else None
            made.append(lab.Table(rows, style=grid, colWidths=widths))
        elif block.kind == "code":
            made.append(lab.Preformatted(block.text, styles.ParagraphStyle("c", fontName="Courier", fontSize=8)))
        else:
            text = html.escape(("• " if block.kind == "li" else "") + block.text)
            made.append(lab.Paragraph(text, style(14, spaceBefore=8) if block.kind[0] == "h" else body))

    def edges(canvas: object, done: object) -> None:
        canvas.setFont("HYSMyeongJo-Medium", 8)  # type: ignore[attr-defined]
        canvas.drawString(72, 800, "말모이 문서 규격 해설")  # type: ignore[attr-defined]
        canvas.drawCentredString(297, 30, f"- {done.page} -")  # type: ignore[attr-defined]

    target = folder / "page.pdf"
    lab.SimpleDocTemplate(str(target), pagesize=(595, 842)).build(made, onFirstPage=edges, onLaterPages=edges)
    return target.read_bytes()


class _Hancom:
    """Pages as Hancom prints them: each syllable placed by itself, justified, tables of single strokes, open sides."""

    FONT, LEFT, RIGHT, TOP, BOTTOM = "HYSMyeongJo-Medium", 85.0, 510.0, 740.0, 90.0

    def __init__(self, target: Path) -> None:
        self.canvas = importlib.import_module("reportlab.pdfgen.canvas").Canvas(str(target), pagesize=(595, 842))
        self.y, self.page = self.TOP, 1

    def feed(self, pitch: float) -> None:
        if self.y - pitch < self.BOTTOM:
            self.finish()
        self.y -= pitch

    def finish(self) -> None:
        self.canvas.setFont(self.FONT, 9)
        self.canvas.drawString(self.LEFT, 790, "말모이 문서 형식")
        self.canvas.drawRightString(self.RIGHT, 790, "개정 1.3")
        self.canvas.line(self.LEFT, 785, self.RIGHT, 785)
        self.canvas.drawCentredString(297, 50, str(self.page))
        self.canvas.showPage()
        self.y, self.page = self.TOP, self.page + 1

    def put(self, text: str, left: float, right: float, size: float, *, last: bool) -> None:
        """Write a line syllable by syllable; a line that is not the last of its paragraph is spread to both margins."""
        widths = [self.width(char, size) for char in text]
        spaces = text.count(" ")
        spare = 0.0 if last or not spaces else (right - left - sum(widths)) / spaces
        x = left
        self.canvas.setFont(self.FONT, size)
        for char, width in zip(text, widths, strict=True):
            if char != " ":
                self.canvas.drawString(x, self.y, char)
            x += width + spare * (char == " ")

    def width(self, char: str, size: float) -> float:
        return float(importlib.import_module("reportlab.pdfbase.pdfmetrics").stringWidth(char, self.FONT, size))

    def broken(self, text: str, room: float, size: float) -> list[str]:
        """Break a text anywhere between syllables, and only at the ends of Latin words."""
        lines, line, used = [], "", 0.0
        for unit in re.findall(r"[0-9A-Za-z][!-~]*|.", text):
            width = sum(self.width(char, size) for char in unit)
            if line and used + width > room and unit not in ".,)":
                lines.append(line.rstrip())
                line, used = "", 0.0
            if line or unit != " ":
                line, used = line + unit, used + width
        return [*lines, line.rstrip()]

    def paragraph(self, text: str, size: float, indent: float = 0.0) -> None:
        lines = self.broken(text, self.RIGHT - self.LEFT - indent, size)
        for at, line in enumerate(lines):
            self.feed(1.6 * size)
            self.put(line, self.LEFT + indent, self.RIGHT, size, last=at == len(lines) - 1)

    def table(self, rows: tuple[tuple[str, ...], ...]) -> None:
        count = len(rows[0])
        inner = [160.0, 205.0, 240.0] if count == 4 else [self.LEFT + 425.0 * at / count for at in range(1, count)]
        edges = [self.LEFT, *inner, self.RIGHT]
        for row in rows:
            cells = [self.broken(c, b - a - 10, 9) for c, a, b in zip(row, edges, edges[1:], strict=False)]
            height = 14.0 * max(map(len, cells)) + 4
            if self.y - height < self.BOTTOM:
                self.finish()
            top = self.y
            self.canvas.line(self.LEFT, top, self.RIGHT, top)
            self.canvas.line(self.LEFT, top - height, self.RIGHT, top - height)
            for x in edges[1:-1]:
                self.canvas.line(x, top, x, top - height)
            for lines, left, right in zip(cells, edges, edges[1:], strict=False):
                for at, line in enumerate(lines):
                    self.y = top - 12 - 14 * at - (height - 4 - 14 * len(lines)) / 2
                    self.put(line, left + 5, right - 5, 9, last=at == len(lines) - 1)
            self.y = top - height
        self.feed(10)


def _hancom(blocks: list[Block], folder: Path) -> bytes:
    metrics = importlib.import_module("reportlab.pdfbase.pdfmetrics")
    fonts = importlib.import_module("reportlab.pdfbase.cidfonts")
    metrics.registerFont(fonts.UnicodeCIDFont("HYSMyeongJo-Medium"))
    page = _Hancom(folder / "page.pdf")
    page.feed(20)
    page.put("목 차", 270, 330, 14, last=True)
    for at, block in enumerate(block for block in blocks if block.kind in ("h1", "h2")):
        page.feed(16)
        title, number = f"{at + 1}. {block.text[:30]}", str(at // 3 + 2)
        used = sum(page.width(char, 10) for char in title)
        page.put(title, page.LEFT, page.RIGHT, 10, last=True)
        for dot in range(int((410 - used) / 5)):
            page.put("·", page.LEFT + used + 5 + 5 * dot, page.RIGHT, 10, last=True)
        page.put(number, page.RIGHT - 5 * len(number), page.RIGHT, 10, last=True)
    page.finish()
    for block in blocks:
        if block.kind == "table":
            page.feed(10)
            page.table(block.rows)
        elif block.kind == "code":
            for line in block.text.split("\n"):
                page.paragraph(line, 8, 10)
        else:
            page.paragraph(("· " if block.kind == "li" else "") + block.text, 14 if block.kind[0] == "h" else 10)
    page.finish()
    page.canvas.save()
    return (folder / "page.pdf").read_bytes()


SPEC = """#set page(paper: "a4", header: [#align(right)[말모이 문서 규격 해설]], numbering: "- 1 -")
#set text(font: "NanumMyeongjo", size: 10pt, lang: "ko"); #set par(justify: true, leading: 0.8em)
#set heading(numbering: "1.1."); #show raw: set text(font: "NanumGothicCoding")
#set outline.entry(fill: repeat[·])
#outline(title: [목차])
#pagebreak()
"""
PAPER = """#set page(paper: "a4", columns: 2, numbering: "1", header: [#emph[말모이 논문집 제3권] #h(1fr) 2024년 9월])
#set text(font: "Noto Serif CJK KR", size: 9pt, lang: "ko"); #set par(justify: true, first-line-indent: 1em)
#set heading(numbering: "1.1"); #show raw: set text(font: "DejaVu Sans Mono", size: 6pt)
#set outline.entry(fill: repeat(gap: 0.4em)[.])
#outline(title: [차례])
"""
REPORT = """@page { size: A4; margin: 25mm 20mm; @top-center { content: "말모이 운영 보고서"; font-size: 8pt }
 @bottom-center { content: counter(page) " / " counter(pages); font-size: 8pt } }
body { font: 11pt/1.7 'NanumGothic'; text-align: justify; word-break: keep-all } table { border-collapse: collapse }
td, th { border: 1px solid #555; padding: 4px 8px } .note { font-size: 8pt } pre { font-family: NanumGothicCoding }"""
WEB = """body { font: 14px/1.6 'Noto Sans CJK KR'; margin: 0 } pre { background: #eee; padding: 8px;
 white-space: pre-wrap;
 font-family: 'DejaVu Sans Mono' } td, th { border-bottom: 1px solid #ccc; padding: 6px; text-align: left }
table { width: 100%; border-spacing: 0 }"""
PRESS = """@page { size: A4; margin: 18mm; @top-right { content: "지역 소식 " counter(page) "면" } }
body { font: 10pt/1.5 'NanumMyeongjo'; column-count: 2; column-gap: 8mm; text-align: justify }
pre { font: 7pt 'NanumGothicCoding'; white-space: pre-wrap; background: #f4f4f4 }
 td, th { padding: 3px; font-size: 8pt }
h1 { column-span: none; font-size: 14pt }"""
BOOK = """@page { size: 152mm 225mm; margin: 22mm 18mm; @top-left { content: string(chapter); font-size: 8pt }
 @bottom-right { content: counter(page); font-size: 8pt } }
body { font: 10pt/1.7 'Noto Serif CJK KR'; text-align: justify } h1 {
 string-set: chapter content(); break-before: page }
.toc p::after, .toc a::after { content: '' } .toc a::after { content: leader('.') target-counter(attr(href), page) }
td, th { padding: 4px; border-top: 1px solid #999 } table { border-bottom: 1px solid; width: 100% }
.note { font-size: 8pt } pre { font: 8pt 'DejaVu Sans Mono'; white-space: pre-wrap }"""
OFFICE = """body { font: 11pt 'NanumGothic' } td, th { border: 1px solid #000 } pre { font-family: 'NanumGothicCoding' }
table { border-collapse: collapse }"""
LAYOUTS = {
    "typst-spec": Layout("open", _typst(SPEC, table="")),
    "hancom": Layout("open", _hancom),
    "reportlab": Layout("open", _reportlab),
    "chromium-report": Layout("open", _chromium(REPORT)),
    "chromium-web": Layout("open", _chromium(WEB)),
    "typst-paper": Layout("closed", _typst(PAPER, table="stroke: none, table.hline(), table.hline(y: 1),")),
    "chromium-press": Layout("closed", _chromium(PRESS)),
    "weasyprint-book": Layout("closed", _weasyprint(BOOK)),
    "office": Layout("closed", _office(OFFICE)),
}
SOURCES = {
    "open": {
        "own": (sorted((SAMPLES / "manufacturing").glob("*.md")), [FIELDS, SHARES]),
        "react": ([REACT / "referencing-values-with-refs.md", REACT / "updating-arrays-in-state.md"], [FIELDS]),
    },
    "closed": {
        "own": (sorted((SAMPLES / "semiconductor").glob("*.md")), [SHARES, FIELDS]),
        "react": ([REACT / "responding-to-events.md", REACT / "queueing-a-series-of-state-updates.md"], [SHARES]),
    },
}


def main(arguments: list[str]) -> int:
    """Print a line for each layout and document, and the means of a group."""
    groups = [name for name in arguments if name in SOURCES] or list(SOURCES)
    wanted = [name for name in arguments if name not in SOURCES]
    print("layout           text   pages   ours: P R F1, s       pdfium: F1, s")
    for group in groups:
        scores: list[tuple[float, float]] = []
        for name, layout in LAYOUTS.items():
            if layout.group != group or (wanted and name not in wanted):
                continue
            for source, (paths, tables) in SOURCES[group].items():
                if paths and all(path.is_file() for path in paths):
                    scores += _measure(f"{name:16} {source:6}", layout, document(paths, tables))
        if scores:
            ours, plain = (sum(column) / len(scores) for column in zip(*scores, strict=True))
            print(f"{group}: mean of {len(scores)}: ours {ours:.3f}, pdfium {plain:.3f}")
    return 0


def _measure(label: str, layout: Layout, blocks: list[Block]) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            body = layout.write(blocks, Path(folder))
        except (ImportError, FileNotFoundError) as error:
            print(f"{label} skipped: {error}")
            return []
    wanted = gold(blocks)
    marks = [time.process_time()]
    plain, pages = _plain(body)
    marks.append(time.process_time())
    found = formats.extract(Item(key="a", url="a", body=body, media="application/pdf", charset="", record=""))
    marks.append(time.process_time())
    ours, theirs = f1(found.text, wanted), f1(plain, wanted)
    print(f"{label} {pages:4}   {ours[0]:.3f} {ours[1]:.3f} {ours[2]:.3f} {marks[2] - marks[1]:6.2f}   "
          f"{theirs[2]:.3f} {marks[1] - marks[0]:6.2f} {found.reason}")  # fmt: skip
    return [(ours[2], theirs[2])]


def _plain(body: bytes) -> tuple[str, int]:
    document = pypdfium2.PdfDocument(body)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document), len(document)
    finally:
        document.close()


if __name__ == "__main__":
    if shutil.which("chromium") is None and shutil.which("soffice") is None:
        print("benchmarks: neither chromium nor soffice is installed", file=sys.stderr)
    sys.exit(main(sys.argv[1:]))
