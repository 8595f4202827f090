"""Measure how much Hangul comes back from bytes in old encodings, with wrong labels and stray bytes.

`python -m benchmarks.formats.formats_encodings`: encode real pages anew, damage them by seed, decode, compare.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from crawlers.encodings.decode import Decoded, decode
from crawlers.formats.html import html_page
from malmoi.archive import capture
from malmoi.source import Item

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
SEED = 20261124
EVERY = 30  # every 30th page of web-ko
SHORT = 60  # bytes
MIN_SYLLABLES = 50  # of an extracted page; shorter ones would count by single words
GOLD = (("EUC-KR", "euc-kr"), ("ISO-2022-KR", ""))
# (bytes are, label says); "" says nothing.
LABELS = (
    ("euc_kr", "euc-kr"),
    ("euc_kr", ""),
    ("cp949", "euc-kr"),
    ("cp949", ""),
    ("cp949", "utf-8"),
    ("cp949", "iso-8859-1"),
    ("cp949", "johab"),
    ("utf-8", "utf-8"),
    ("utf-8", ""),
    ("utf-8", "euc-kr"),
    ("utf-8", "iso-8859-1"),
    ("johab", "johab"),
    ("johab", ""),
    ("johab", "euc-kr"),
    ("johab", "utf-8"),
    ("johab", "iso-8859-1"),
    ("iso2022_kr", ""),
    ("iso2022_kr", "iso-2022-kr"),
    ("iso2022_kr", "utf-8"),
    ("utf-16-le", ""),
    ("utf-16-be", ""),
    ("utf-32-le", ""),
)
STRAY = tuple((name, label) for name, label in LABELS if name in ("cp949", "utf-8", "johab", "iso2022_kr"))
_HANGUL = re.compile("[가-힣]+")


def hangul(text: str) -> str:
    """The Hangul syllables of a text, in order.

    >>> hangul("말 a모")
    '말모'
    """
    return "".join(_HANGUL.findall(text))


def right(gold: str, found: str) -> int:
    """How many syllables of `gold` stand in `found` in the same order, up to the blocks that difflib finds.

    >>> right("가나다라", "가나x라")
    3
    """
    if gold == found:
        return len(gold)
    # A window moves along both, as a quadratic comparison of whole books would take hours.
    start = 0
    while start < len(gold) and start < len(found) and gold[start] == found[start]:
        start += 1
    total, at, there = start, start, start
    while at < len(gold) and there < len(found):
        near, far = gold[at : at + 200], found[there : there + 220]
        blocks = [
            block for block in SequenceMatcher(None, near, far, autojunk=False).get_matching_blocks() if block.size
        ]
        if not blocks:
            at, there = at + len(near), there + len(near)
            continue
        last = blocks[-1]
        total += sum(block.size for block in blocks)
        at, there = at + last.a + last.size, there + last.b + last.size
        while at < len(gold) and there < len(found) and gold[at] == found[there]:
            at, there, total = at + 1, there + 1, total + 1
    return total


def damage(body: bytes, strays: int, rng: random.Random) -> bytes:
    """The bytes with so many strays: any byte put in, left out or put in place of another, anywhere."""
    raw = bytearray(body)
    for _ in range(strays):
        place = rng.randrange(len(raw))
        kind = rng.randrange(3)
        if kind == 0:
            raw.insert(place, rng.randrange(256))
        elif kind == 1:
            del raw[place]
        else:
            raw[place] = rng.randrange(256)
    return bytes(raw)


def texts() -> Iterator[str]:
    """Pages, markup included, and texts of the corpora."""
    archive = next(iter(sorted(CORPORA.glob("web-ko/*.warc*"))))
    for number, entry in enumerate(capture.scan(archive)):
        if not isinstance(entry, capture.Torn) and number % EVERY == 0:
            page = re.sub(rb"<\?xml[^>]*>|<meta[^>]*charset[^>]*>", b"", entry[2].body)
            yield page.decode("utf-8", "ignore")
    for path in sorted(CORPORA.glob("ko-react-dev/**/*.md*"))[::8]:
        yield path.read_text(encoding="utf-8")
    law = (CORPORA / "law-ko" / "constitution.txt").read_text(encoding="utf-8")
    yield from (law[at : at + 6000] for at in range(0, len(law), 6000))
    for path in sorted((CORPORA / "boddari" / "unesco").glob("*.txt"))[:5]:
        yield path.read_text(encoding="utf-8")[:6000]


def encoded(text: str, name: str) -> tuple[str, bytes]:
    """The text as far as the encoding has its characters, and its bytes; words of CP949's extension are added to it."""
    text = text.replace("\r", "").removeprefix("\ufeff")
    if name == "cp949":
        text += "\n펲시 햏자 똠방각하 뷁이라 쓴다.\n"
    body = text.encode(name, "ignore")
    return body.decode(name), body


def main() -> int:
    """Print the table."""
    if not CORPORA.is_dir():
        print(f"benchmarks: the corpora are not at {CORPORA}.", file=sys.stderr)
        return 2
    for file, label in GOLD:
        folder = CORPORA / "legacy-encodings-glibc"
        gold = (folder / f"{file}..UTF8").read_text(encoding="utf-8")
        print(f"glibc {file:<14} {'exact' if decode((folder / file).read_bytes(), label).text == gold else 'WRONG'}")
    pages = [text for text in texts() if len(hangul(text)) >= 100]
    print(f"{len(pages)} texts, {sum(len(hangul(text)) for text in pages):,} syllables, seed {SEED}")
    for name, label in LABELS:
        _say("whole", name, label, [encoded(text, name) for text in pages], 0)
        _say(f"{SHORT} bytes", name, label, list(_shorts(pages, name)), 0)
    for name, label in STRAY:
        sets = [encoded(text, name) for text in pages]
        _say("one stray", name, label, sets, 1)
        _say("1 in 1,000", name, label, sets, -1000)
    for name in ("utf-8", "cp949", "johab", "iso2022_kr"):
        _say_extracted(name, [text for text in pages if text.lstrip().startswith("<")])
    _mixed(pages)
    _speed(pages)
    return 0


def _shorts(pages: list[str], name: str) -> Iterator[tuple[str, bytes]]:
    for text in pages:
        for line in text.split("\n")[::7]:
            words = re.sub(r"<[^<>]*>|&\w+;", "", line).strip()
            raw = words.encode(name, "ignore")
            if len(raw) >= SHORT and len(hangul(words)) * 2 >= SHORT // 2:
                kept = raw[:SHORT].decode(name, "ignore")
                yield kept, kept.encode(name)


def _say(what: str, name: str, label: str, pages: list[tuple[str, bytes]], strays: int) -> None:
    rng = random.Random(SEED)
    found_all = good = lost = worst_pages = 0
    for gold, body in pages:
        count = strays if strays >= 0 else max(1, len(body) // -strays)
        found = decode(damage(body, count, rng) if count else body, label, html=True)
        want = hangul(gold)
        got = right(want, hangul(found.text))
        good, found_all = good + got, found_all + len(want)
        lost += found.is_undecodable
        worst_pages += got < 0.99 * len(want)
    share = good / found_all if found_all else 1.0
    print(
        f"{what:<12} {name:<11} said {label or '-':<12} {len(pages):>5} texts  right {share:8.4%}"
        f"  undecodable {lost:>3}  below 99 % {worst_pages:>3}"
    )


def _say_extracted(name: str, pages: list[str]) -> None:
    """Print how much of the extracted Hangul is left when one byte in 1,000 of a page is damaged, tags included."""
    rng = random.Random(SEED)
    good = total = lost = 0
    for _, body in (encoded(text, name) for text in pages):
        want = hangul(_extract(body))
        if len(want) < MIN_SYLLABLES:
            continue
        got = right(want, hangul(_extract(damage(body, max(1, len(body) // 1000), rng))))
        good, total, lost = good + got, total + len(want), lost + (got == 0)
    print(f"extracted    {name:<11} 1 in 1,000 {len(pages):>5} pages  right {good / total:8.4%}  pages lost {lost:>3}")


def _extract(body: bytes) -> str:
    return html_page.extract(Item("k", "https://a.example/1", body, "text/html", "", "")).text


def _mixed(pages: list[str]) -> None:
    good = total = 0
    for text in pages:
        half = text.find("\n", len(text) // 2) + 1
        body = text[:half].encode("utf-8") + text[half:].encode("cp949", "ignore")
        want = hangul(text[:half] + text[half:].encode("cp949", "ignore").decode("cp949"))
        good, total = good + right(want, hangul(decode(body, "utf-8").text)), total + len(want)
    print(f"half UTF-8, half CP949: right {good / total:.4%}")


def _speed(pages: list[str]) -> None:
    for name, label in (("utf-8", "utf-8"), ("cp949", "euc-kr"), ("johab", "")):
        bodies = [encoded(text, name)[1] for text in pages]
        start = time.process_time()
        found: list[Decoded] = [decode(body, label, html=True) for body in bodies]
        each = (time.process_time() - start) / len(found) * 1000
        print(f"{name:<8} {each:.3f} ms a text of {sum(map(len, bodies)) / len(bodies):,.0f} bytes")


if __name__ == "__main__":
    sys.exit(main())
