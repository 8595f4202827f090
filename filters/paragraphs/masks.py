"""Mask the parts of a paragraph that differ from page to page: addresses, quoted words, figures, names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import re2

from malmoi.document import Document

MAX_NAME = 60  # code points of a title or a first line that counts as the name of a page
MIN_NAME = 3  # letters; shorter names occur inside other words
# Words of a paragraph that may have a hole: with fewer too little remains, and longer ones are not one-line templates.
HOLED_WORDS = range(5, 25)
HOLES = (1, 2)  # words in a hole
HOLED_LETTERS = 12  # at least this many letters, and two thirds of all, must remain around a hole

_REST = re.compile(r"[\W_]+")
_ADDRESS = re2.compile(r"https?://[^\s\"'<>)\]]+|www\.[^\s\"'<>)\]]+|[\w.+-]+@[\w-]+\.[\w.-]+")
_QUOTED = re2.compile(
    r"“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|《[^》]*》|〈[^〉]*〉|<[^<>]*>|\"[^\"]*\"|'[^']*'|\[[^\[\]]*\]"
)
_NAME = re2.compile(
    r"[가-힣]{2,4}\s?(기자|특파원|논설위원|리포터|앵커|아나운서|작가|에디터|편집장|교수|변호사|원장|님)"
    r"([^가-힣]|[은는이가의을를]\s|입니다|$)"
)
_FIGURE = re2.compile(
    r"(?:오전|오후)\s?\d[\d:.]*|\([월화수목금토일]\)|\d[\d.,:/~-]*(?:[천만억]+\s?\d[\d.,]*)*[천만억]*"
)
_DATE = re.compile(r"0(?:\s*[0년월일시분])*")


def mask_page_words(line: str, names: Sequence[str] = ()) -> list[str]:
    """Return the words of a line as letters, without addresses, quoted words, names of reporters and of the page.

    A figure or date becomes one 0. `names` are those of the page, as their letters.

    >>> mask_page_words("[가람일보] 김말모 기자의 다른 기사 12건 보기")
    ['기자의', '다른', '기사', '0건', '보기']
    >>> mask_page_words("돌다리 마을의 저작권은 필자에게 있습니다.", ["돌다리마을"])
    ['의', '저작권은', '필자에게', '있습니다']
    """
    line = _NAME.sub(r"\1\2", _ADDRESS.sub(" ", line))
    outside = _QUOTED.sub(" ", line)
    words = _split_words(outside if _REST.sub("", outside) else line)  # <저작권자 ⓒ …> is not a quotation
    for name in names:
        words = _remove_name(words, name)
    return words


def names_of(doc: Document) -> list[str]:
    """Return the names of the page as letters: its title, the parts of it, and its first line; the longest first."""
    title = doc.title[: 4 * MAX_NAME]
    said = {title, *re.split(r"\s[-–—|:·>]+\s", title), doc.text[: MAX_NAME + 1].split("\n", 1)[0]}
    names = {"".join(_split_words(name)) for name in said if len(name) <= MAX_NAME}
    return sorted((name for name in names if len(name) >= MIN_NAME), key=lambda name: (-len(name), name))


def leave_words_out(words: Sequence[str]) -> Iterator[str]:
    """Yield the letters of a line, each time without one word or two adjacent ones.

    Two lines that differ in only one place have one of these in common.

    >>> sorted(set(leave_words_out("가온 밥솥 구매하신 고객께는 사은품을 드립니다".split())) & set(
    ...     leave_words_out("나루 구매하신 고객께는 사은품을 드립니다".split())))
    ['구매하신고객께는사은품을드립니다']
    """
    total = sum(map(len, words))
    for width in HOLES if len(words) in HOLED_WORDS else ():
        for at in range(len(words) - width + 1):
            left = "".join([*words[:at], *words[at + width :]])
            if len(left) >= HOLED_LETTERS and 3 * len(left) >= 2 * total:
                yield left


def _split_words(text: str) -> list[str]:
    """Split a text into words, as letters in lower case; a figure or date becomes one 0."""
    parts = _DATE.sub("0", _FIGURE.sub("0", text)).lower().split()
    return [word for part in parts if (word := _REST.sub("", part))]


def _remove_name(words: list[str], name: str) -> list[str]:
    """Remove the letters of `name` from the words, at any position; keep all words if nothing else would remain."""
    letters = "".join(words)
    if name not in letters or name == letters:  # a notice may be the first line of its page, but is not its name
        return words
    kept = [True] * len(letters)
    at = letters.find(name)
    while at >= 0:
        kept[at : at + len(name)] = [False] * len(name)
        at = letters.find(name, at + len(name))
    found, at = [], 0
    for word in words:
        found.append("".join(letter for letter, stays in zip(word, kept[at : at + len(word)], strict=True) if stays))
        at += len(word)
    return [word for word in found if word]
