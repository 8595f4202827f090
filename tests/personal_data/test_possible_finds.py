"""No value with a find is left out before the rules of the second detector read it."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from malmoi.releases.residue import possible_finds, release_folder
from malmoi.releases.residue.code_points import JOINTS, MASKS, NO_WIDTH, SPELLED
from malmoi.releases.residue.release_folder import kinds
from malmoi.releases.residue.signs_and_words import BIRTH, NAMED, PASSPORT, PREFIXES, SECRETS, SPELLED_AT

RULES = {
    "numbers": (possible_finds.NUMBERS, release_folder._find_numbers),
    "spelled": (possible_finds.SPELT, release_folder._find_spelt),
    "signs": (possible_finds.SIGNS, release_folder._find_signs),
}
# Forms of values, with signs that the rules read as others; # is any digit.
FORMS = (
    "010-####-1###", "02-###-1###", "02) 1## - ####", "+82 10 1### ####", "０１０－1234－5678", "1##.1##.2##.1##",
    "900101-1######", "9001011######", "900101-1******", "900101-2xxxxxx", "123-45-#####", "4111 1111 1111 1111",
    "서울 12-345678-90", "11-22-345678-90", "계좌 110-###-######", "건강보험 1##########", "공일공-일이삼사-오육칠팔",
    "공 일 공 이삼사오 6789", "영일공일이삼사오육칠팔", "hong@mail.kr", "홍길동＠mail.kr", "hong 골뱅이 naver.com",
    "hong(at)mail.kr", "hong at mail.kr", "홍at 네이버", "12:34:56:78:9a:bc", "02ab.0000.00ff", "2001:db9::ff00:42",
    "2a00:1450:4001::200e", "12가 3456", "123나4567", "AKIAIOSFODNN7QRSTUVW", "ghp_a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5",
    "-----BEGIN RSA PRIVATE KEY-----", "password = q8w7e6r5t4", "비밀번호: a1b2c3d4e5", "api key : zx9cv8bn7m",
    "?access-token=8f7d6c5b4a39", "https://u:p@h.kr/", "여권 번호 M12345678", "passport M 123A4567",
    "생년월일: 1990. 1. 2.", "date of birth 900101", "90년 1월 2일생", "101동 1203호", "3동  101호",
)  # fmt: skip


def vary(form: str, draw: random.Random) -> str:
    """Return a form with other digits, joints, cases, zero-width signs and scripts."""
    signs = []
    for sign in form:
        if sign == "#":
            sign = str(draw.randrange(10))
        if sign.isdecimal() and draw.random() < 0.1:
            sign = chr(draw.choice((0xFF10, 0x0660, 0x0966)) + unicodedata.decimal(sign))
        elif sign in " -." and draw.random() < 0.3:
            sign = "".join(draw.choices(JOINTS, k=draw.randrange(4)))
        elif sign in "*x" and draw.random() < 0.5:
            sign = draw.choice(MASKS)
        elif draw.random() < 0.1:
            sign = sign.swapcase()
        signs.append(sign + (draw.choice(NO_WIDTH) if draw.random() < 0.03 else ""))
    return "".join(signs)


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_finds_is_selected(rule: str) -> None:
    expression, find = RULES[rule]
    draw, ends = random.Random(7), ("", " ", "가", "문의 ", "\n", "은 ", "은행 ", "~", "\u00a0")
    texts = [draw.choice(ends) + vary(draw.choice(FORMS), draw) + draw.choice(ends) for _ in range(20_000)]
    found = [text for text in texts if list(find(text))]
    assert len(found) > 100
    assert possible_finds.select_values(pa.array(found), expression).to_pylist() == found


def test_an_array_gives_the_finds_of_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(8)
    texts = [vary(draw.choice(FORMS), draw) for _ in range(2_000)]
    texts = [text for text in texts if "여권" not in text and "passport" not in text.lower()]  # counted once a piece
    one_by_one = Counter(kind for text in texts for kind in kinds(text))
    monkeypatch.setattr(release_folder, "SMALL", 0)
    assert Counter(release_folder._find_kinds(pa.array([*texts, None, ""]))) == one_by_one
    monkeypatch.setattr(release_folder, "SMALL", 1 << 30)
    assert Counter(release_folder._find_kinds(pa.array([*texts, None, ""]))) == one_by_one


def test_the_expressions_know_all_digits_and_words_of_the_rules() -> None:
    digits = [chr(c) for c in range(0x10000) if unicodedata.decimal(chr(c), None) is not None]
    assert pc.all(pc.match_substring_regex(pa.array([d * 10 for d in digits]), possible_finds.NUMBERS)).as_py()
    assert pc.all(pc.match_substring_regex(pa.array([f"1{j}" * 10 for j in JOINTS]), possible_finds.NUMBERS)).as_py()
    assert pc.all(pc.match_substring_regex(pa.array([f"공일공{s * 7}" for s in SPELLED]), possible_finds.SPELT)).as_py()
    words = [*SPELLED_AT, *(f"{p}{'a' * least}" for p, least in PREFIXES), *(f"{n}: {'a' * 8}" for n in NAMED)]
    words += [f"?{s}={'a' * 8}" for s in SECRETS] + [*PASSPORT, *(f"{b}{'-' * 21}1" for b in BIRTH)]
    words += [word.upper() for word in words]
    assert possible_finds.select_values(pa.array(words), possible_finds.SIGNS).to_pylist() == words


def test_a_value_that_is_not_text_is_refused() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        list(release_folder._find_kinds(broken))
