"""Repair damaged Korean text: find the cheapest segmentation of a byte run into characters.

One byte too many or too few misaligns all two-byte characters after it, so a run that does not decode is
segmented again by dynamic programming. The cost of a character is its rarity in Korean; a stray byte
costs more than any character and becomes one U+FFFD. Linear in the length of
the run; at most MAX_MENDED bytes of a document are repaired.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

MAX_MENDED = 200_000  # bytes of damaged runs in one document; in the rest, bad bytes are replaced
STRAY = 12.0  # cost of a stray byte; every character costs less
SWITCH = 14.0  # cost of a switch between character sets without SO or SI
_LOST = re.compile("\ufffd{2,3}")
_ESCAPED = re.compile(rb"\x1b\$\)C|\x1b|\A\$\)C")

# The 256 most frequent syllables, together 90 % of all; counted 2026-11 over help pages, law, tax rulings, tales,
# news, technical writing and dialogue, with equal weights.
# fmt: off
_OFTEN = (
    "이다는하의에을지한가니로를요사기자고서정은수제어세있대시해법도여아인주으일나리보상할국부조과트용합면그구관스적원거경게전문위라습"
    "만되택소무우결들재선동것장입회드령유데성야분행모공안호명터내마비개포계산와당통중된화때예임없음건치생청신간더러설연까려체않또크방"
    "오함각항민바표진좋률속양득업본미실같심단링판직반필권파컴식처변출력네작타등든발번저받며프른운금버차넌추년점었및취했련감말목람래별"
    "겠록영후두길션현랑배증따확형집달남준역열헌책됩특환물능규히교많레매될친복외잘렌종값언디약너최클불메담새키초토싶르액텍애노워죠학알"
)
# fmt: on
COMMON = frozenset(_OFTEN)
# The 2,350 syllables of KS X 1001, rows 16 to 40: they cover everyday Korean.
KS_HANGUL = frozenset(bytes((a, b)).decode("euc_kr") for a in range(0xB0, 0xC9) for b in range(0xA1, 0xFF))
# A run: bytes outside ASCII, and single ASCII bytes between them, which may be second bytes or strays.
_RUN = re.compile(rb"[\x80-\xff]+(?:[^\x80-\xff<>\r\n][\x80-\xff]+)*[A-~]?")
_JOHAB_RUN = re.compile(rb"[\x80-\xff]+(?:[^\x80-\xff\r\n][\x80-\xff]+)*[1-~]?")  # its symbols may contain < and >

# KS X 1001, annex 3: a syllable without a code of its own may be encoded as a filler and its letters.
_SPELLED = re.compile("\u3164([ㄱ-ㅎ\u3164])([ㅏ-ㅣ\u3164])([ㄱ-ㅎ\u3164])")
_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = "\u3164ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

Pairs = tuple[list[str], list[float]]  # for each byte pair: the character ("" if none) and its cost


def cost(char: str) -> float:
    """Return the cost of a character in Korean text, from 1 (a frequent syllable) to 12 (U+FFFD).

    >>> [cost(char) for char in "다퀭뷁漢é"]
    [1.0, 4.0, 10.0, 9.0, 9.0]
    """
    if char in COMMON:
        return 1.0
    if char in KS_HANGUL:
        return 4.0
    if char < "\x80":
        return 2.0 if char > " " else 1.0
    if char == "\ufffd":
        return STRAY
    if "가" <= char <= "힣":
        return 10.0
    if char in "·…“”‘’「」『』〈〉《》ㆍ○●□■◇◆△▲※→ㅋㅎㅠㅜ\u00a0\u3000①②③④⑤—–":
        return 4.0
    return 7.0 if "\u2000" <= char <= "\u318f" else 9.0


def mend(body: bytes, codecs: tuple[str, ...]) -> str:
    r"""Decode bytes that none of `codecs` (cp949, johab, utf-8) decodes strictly.

    Each run is decoded by itself with the codec of lowest cost, so that a page
    in two encodings is decoded in both. A stray byte adds its own cost.

    >>> raw = "말모이는 낱말을 모은다".encode("cp949")
    >>> mend(raw[:3] + b"\xff" + raw[3:], ("cp949",))
    '말모\ufffd이는 낱말을 모은다'
    """
    parts: list[str] = []
    end = 0
    left = MAX_MENDED
    for match in (_JOHAB_RUN if "johab" in codecs else _RUN).finditer(body):
        run = match.group()
        parts.append(body[end : match.start()].decode("ascii"))
        end = match.end()
        text, price = _decode_strictly(run, codecs)
        if price > 4.0 * len(text) and len(run) <= left:
            left -= len(run)
            text = min(
                ((text, price), *(_cut_run(run, codec) for codec in codecs)),
                key=lambda found: found[1],
            )[0]
        parts.append(text)
    parts.append(body[end:].decode("ascii", "replace"))
    return "".join(parts)


def _decode_strictly(run: bytes, codecs: tuple[str, ...]) -> tuple[str, float]:
    """Return the cheapest strict decoding; else the first codec's with replacement, dearer than any segmentation."""
    best: tuple[str, float] | None = None
    for codec in codecs:
        try:
            text = run.decode(codec)
        except UnicodeDecodeError:
            continue
        price = sum(map(cost, text))
        if best is None or price < best[1]:
            best = text, price
    if best is not None:
        return best
    return run.decode(codecs[0], "replace"), STRAY * (len(run) + 1)


def _cut_run(run: bytes, codec: str) -> tuple[str, float]:
    if codec != "utf-8":
        return _find_cheapest(run, _pair_steps(codec))
    text, price = _find_cheapest(run, _utf8_steps)
    return _LOST.sub("\ufffd", text), price  # the remains of one syllable count as one


Steps = Callable[[bytes, int], list[tuple[int, float, str]]]  # bytes consumed, cost, decoded text


def _find_cheapest(run: bytes, steps: Steps) -> tuple[str, float]:
    """Return the text of the cheapest segmentation of a run, and its cost."""
    size = len(run)
    costs = [0.0] + [float("inf")] * (size + 3)
    came: list[tuple[int, str]] = [(0, "")] * (size + 4)
    for at in range(size):
        here = costs[at]
        for taken, price, text in steps(run, at):
            if at + taken <= size and here + price < costs[at + taken]:
                costs[at + taken] = here + price
                came[at + taken] = at, text
    parts: list[str] = []
    at = size
    while at:
        at, text = came[at]
        parts.append(text)
    return "".join(reversed(parts)), costs[size]


def _pair_steps(codec: str) -> Steps:
    chars, costs = _pairs(codec)

    def steps(run: bytes, at: int) -> list[tuple[int, float, str]]:
        first = run[at]
        if first < 0x80:
            return [(1, 2.0, chr(first))]
        found = [(1, STRAY, "\ufffd")]
        if at + 1 < len(run):
            if char := chars[pair := first << 8 | run[at + 1]]:
                found.append((2, costs[pair], char))
            if at + 2 < len(run) and (char := chars[pair := first << 8 | run[at + 2]]):
                found.append((3, STRAY + costs[pair], f"{char}\ufffd"))  # the stray byte is inside the pair
        return found

    return steps


@cache
def _pairs(codec: str) -> Pairs:
    """Return the character and cost of every byte pair in a codec; takes a few milliseconds, once per process."""
    chars = [""] * 65536
    costs = [STRAY] * 65536
    for first in range(0x81, 0xFF):
        for second in range(0x31, 0xFF):
            try:
                char = bytes((first, second)).decode(codec)
            except UnicodeDecodeError:
                # Two rows of KS X 1001 are user-defined: one unknown character.
                if codec == "cp949" and first in (0xC9, 0xFE) and second > 0xA0:
                    char = "\ufffd"
                else:
                    continue
            if len(char) == 1:
                chars[first << 8 | second] = char
                costs[first << 8 | second] = min(cost(char), STRAY - 1.0)
    return chars, costs


def _utf8_steps(run: bytes, at: int) -> list[tuple[int, float, str]]:
    first = run[at]
    if first < 0x80:
        return [(1, 2.0, chr(first))]
    found = [(1, STRAY, "\ufffd")]
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first >= 0xC2:
        if char := _character(run[at : at + size]):
            found.append((size, cost(char), char))
        if size == 3:  # a stray byte inside: Korean has three bytes a syllable
            rest = run[at + 1 : at + 4]
            for hole in (bytes((first, *rest[1:])), bytes((first, rest[0], *rest[2:])) if rest else b""):
                if char := _character(hole):
                    found.append((4, STRAY + cost(char), f"{char}\ufffd"))
    return found


def _character(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if len(text) == 1 else ""


def compose(text: str) -> str:
    r"""Compose syllables that KS X 1001 encodes in four characters; keep sequences that are not a syllable.

    >>> compose("\u3164ㅎㅐㅎ자"), compose("\u3164ㄱㄱㄱ")
    ('햏자', '\u3164ㄱㄱㄱ')
    """
    return _SPELLED.sub(_syllable, text) if "\u3164" in text else text


def _syllable(match: re.Match[str]) -> str:
    lead, vowel, tail = match.groups()
    places = _LEADS.find(lead), _VOWELS.find(vowel), _TAILS.find(tail)
    return match.group() if min(places) < 0 else chr(0xAC00 + (places[0] * 21 + places[1]) * 28 + places[2])


def iso2022_kr(body: bytes) -> str:
    r"""Decode ISO-2022-KR with damaged shifts or bytes: line by line, each beginning in ASCII (RFC 1557).

    >>> iso2022_kr(b"\x1b$)C\n\x0e0!3*\x0f abc 4Y\x0f")
    '\n가나 abc 다'
    """
    lines = _ESCAPED.sub(b"", body).split(b"\n")
    return "\n".join(
        _repair_line(line) if len(line) <= MAX_MENDED else line.decode("ascii", "replace") for line in lines
    )


def _repair_line(line: bytes) -> str:
    if b"\x0e" not in line and b"\x0f" not in line:
        return line.decode("ascii", "replace")
    chars, costs = _pairs("cp949")
    size = len(line)
    best = [[0.0, SWITCH], *([float("inf")] * 2 for _ in range(size + 2))]
    came: list[list[tuple[int, int, str]]] = [[(0, 0, ""), (0, 0, "")] for _ in range(size + 3)]

    def reach(at: int, mode: int, price: float, origin: tuple[int, int, str]) -> None:
        if price < best[at][mode]:
            best[at][mode], came[at][mode] = price, origin

    for at in range(size):
        byte = line[at]
        for mode in (0, 1):
            here = best[at][mode]
            if byte in (0x0E, 0x0F):
                after = 1 if byte == 0x0E else 0
                reach(at + 1, after, here + (SWITCH if after == mode else 0.0), (at, mode, ""))
                continue
            if mode == 0 and byte < 0x80:
                text, price = chr(byte), 2.0
            else:
                text, price = ("\ufffd", STRAY) if byte > 0x20 else (chr(byte), 2.0)
            reach(at + 1, mode, here + price, (at, mode, text))
            reach(at + 1, 1 - mode, here + price + SWITCH, (at, mode, text))
            if mode == 1:
                for gap in (1, 2):
                    if at + gap < size and byte > 0x20 and 0x20 < line[at + gap] < 0x80:
                        pair = (byte | 0x80) << 8 | line[at + gap] | 0x80
                        if char := chars[pair]:
                            stray = gap == 2
                            total = here + costs[pair] + (STRAY if stray else 0.0)
                            origin = (at, mode, f"{char}\ufffd" if stray else char)
                            reach(at + gap + 1, 1, total, origin)
                            reach(at + gap + 1, 0, total + SWITCH, origin)
    parts: list[str] = []
    at, mode = size, 0 if best[size][0] <= best[size][1] else 1
    while at:
        at, mode, text = came[at][mode]
        parts.append(text)
    return "".join(reversed(parts))
