"""Bytes become text: by what they are, not by what they are called."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.formats.formats_encodings import damage, encoded, hangul, right
from crawlers import formats
from crawlers.encodings.charset_labels import python_name
from crawlers.encodings.decode import decode, korean_share
from malmoi.source import Item
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "formats"
PAGES = Path(__file__).parents[2] / "crawlers" / "sample" / "pages"
SENTENCE = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. "


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


@each_row("case", cases("encodings.jsonl"), ids=lambda case: case["why"])
def test_text_comes_back_from_its_bytes(case: dict[str, Any]) -> None:
    found = decode(case["text"].encode(case["bytes_are"]), case["declared"], html=case.get("html", False))
    assert (found.text, found.encoding, found.replaced) == (case["text"], case["encoding"], 0)


NOT_TEXT = [
    *"""
    hex hex_codec zlib zip bz2 base64 base64_codec uu quopri rot13 rot_13 idna punycode unicode_escape
    raw_unicode_escape undefined unicode_internal string_escape utf-7 u7 charmap mbcs oem palmos ebcdic-cp-us
    cp037 cp500 x-user-defined replacement none auto os ..
    """.split(),
    "",
    "a" * 40,
]


@each_row("label", NOT_TEXT)
def test_a_label_that_names_no_encoding_of_pages_says_nothing(label: str) -> None:
    assert python_name(label) == ""
    text = SENTENCE * 20
    meta = f"<html><meta charset={label}><p>{text}</p></html>"
    for codec in ("utf-8", "cp949"):
        for declared in (label, ""):
            assert text in decode(meta.encode(codec), declared, html=True).text
            item = Item("a.html", "a.html", meta.encode(codec), "text/html", declared, "")
            assert formats.extract(item).outcome == "kept"


@each_row("case", cases("stray_bytes.jsonl"), ids=lambda case: case["why"])
def test_a_stray_byte_costs_one_character_at_most(case: dict[str, Any]) -> None:
    text = SENTENCE * 20
    raw = text.encode(case["bytes_are"])
    found = decode(raw[: case["at"]] + bytes.fromhex(case["insert"]) + raw[case["at"] :], case["declared"])
    assert found.text.endswith(SENTENCE * 19)
    first = found.text[: -len(SENTENCE * 19)]
    assert sum(char not in first for char in SENTENCE) <= 1
    assert 1 <= found.replaced <= 3  # the two halves of a UTF-8 syllable count one each


def test_a_byte_that_is_lost_does_not_cost_the_word() -> None:
    raw = (SENTENCE * 20).encode("cp949")
    found = decode(raw[:3] + raw[4:], "euc-kr")
    # Which of the two syllables beside it is broken cannot be known.
    assert found.text.endswith(SENTENCE[2:] + SENTENCE * 19)
    assert found.replaced == 1


def test_western_text_under_its_label_is_read() -> None:
    found = decode("Le dictionnaire a été recueilli par des élèves. ".encode("latin-1"), "iso-8859-1")
    assert (found.encoding, found.replaced) == ("cp1252", 0)


def test_bytes_that_are_no_text_are_counted_not_raised() -> None:
    found = decode(bytes(range(128, 256)) * 20)
    assert found.text
    assert found.replaced == found.text.count("\ufffd")


def test_labels_of_the_standard_all_mean_cp949() -> None:
    labels = ("euc-kr", "EUC-KR", "ks_c_5601-1987", "ksc5601", "ms949", "windows-949", "x-windows-949", "uhc", "cp949")
    assert {python_name(label) for label in (*labels, "iso-ir-149")} == {"cp949"}


def test_share_of_hangul_ignores_ascii() -> None:
    assert korean_share("abc 가나") == 1.0
    assert korean_share("abc") == 0.0
    assert korean_share("가é") == 0.5


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "euc-kr", "utf-16", "johab", "nonsense"]), st.booleans())
def test_no_bytes_and_no_label_raise(body: bytes, declared: str, html: bool) -> None:
    found = decode(body, declared, html=html)
    assert found.replaced == found.text.count("\ufffd")


@given(st.text(alphabet=st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=40))
def test_hangul_comes_back_from_cp949_under_its_label(text: str) -> None:
    assert decode(text.encode("cp949"), "euc-kr").text == text


def _bytes_and_label(case: dict[str, Any]) -> str:
    return f"{case['bytes_are']}-{case['said']}"


def sample_pages() -> list[str]:
    """Our own sample pages, three glued together: one of 2,000 syllables is less than one in a thousand."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(PAGES.rglob("*.md"))]
    texts = [text for text in texts if len(hangul(text)) > 400]
    return ["\n".join(texts[at : at + 3]) for at in range(0, len(texts) - 2, 3)]


@each_row("case", cases("encodings_real.jsonl"), ids=_bytes_and_label)
def test_every_page_of_the_sample_comes_back_from_any_encoding_under_any_label(case: dict[str, Any]) -> None:
    for text in sample_pages():
        gold, body = encoded(text, case["bytes_are"])
        found = decode(body, case["said"], html=True)
        assert hangul(found.text) == hangul(gold)
        assert not found.is_undecodable


@each_row("case", cases("encodings_real.jsonl"), ids=_bytes_and_label)
def test_sixty_bytes_are_enough(case: dict[str, Any]) -> None:
    good = total = 0
    for text in sample_pages():
        for line in text.split("\n"):
            gold = line.encode(case["bytes_are"], "ignore")[:60].decode(case["bytes_are"], "ignore")
            if len(hangul(gold)) >= 12:
                found = decode(gold.encode(case["bytes_are"]), case["said"])
                good, total = good + right(hangul(gold), hangul(found.text)), total + len(hangul(gold))
    assert total > 1000
    assert good >= 0.999 * total


@pytest.mark.heavy
@each_row("case", cases("encodings_damaged.jsonl"), ids=lambda case: f"{case['bytes_are']}-{case['said']}")
@each_row(("each", "floor"), [(0, 0.999), (1000, 0.99)], ids=["one stray", "one in a thousand"])
def test_stray_bytes_cost_next_to_nothing(case: dict[str, Any], each: int, floor: float) -> None:
    rng = random.Random(20261124)
    good = total = 0
    for text in sample_pages():
        gold, body = encoded(text, case["bytes_are"])
        found = decode(damage(body, max(1, len(body) // each) if each else 1, rng), case["said"])
        assert not found.is_undecodable
        good, total = good + right(hangul(gold), hangul(found.text)), total + len(hangul(gold))
    assert total > 10_000
    assert good >= floor * total


def test_a_page_pasted_together_from_two_encodings_is_read_in_both() -> None:
    for first, second in (("utf-8", "cp949"), ("cp949", "utf-8")):
        found = decode(f"<p>{SENTENCE * 9}</p>".encode(first) + f"<p>{SENTENCE * 9}펲</p>".encode(second), first)
        assert (found.text, found.replaced) == (f"<p>{SENTENCE * 9}</p><p>{SENTENCE * 9}펲</p>", 0)


@pytest.mark.parametrize("byte", [0x80, 0xA0, 0xC9, 0xFE, 0xFF])
def test_a_byte_that_cp949_does_not_know_is_one_replacement(byte: int) -> None:
    raw = SENTENCE.encode("cp949")
    found = decode(raw + bytes((byte,)) + b" " + raw, "euc-kr")
    assert found.text == f"{SENTENCE}\ufffd {SENTENCE}"


def test_a_character_of_the_users_own_rows_is_one_replacement() -> None:
    raw = SENTENCE.encode("cp949")
    assert decode(raw + b"\xc9\xa1\xfe\xfe " + raw, "euc-kr").text == f"{SENTENCE}\ufffd\ufffd {SENTENCE}"


def test_a_declaration_behind_a_style_sheet_is_read() -> None:
    page = f"<html><head><style>{'a{} ' * 2000}</style><meta charset=shift_jis></head>".encode() + "日本語".encode(
        "cp932"
    )
    assert decode(page, "", html=True).text.endswith("日本語")


def test_a_mark_of_utf8_before_bytes_that_are_not_proves_nothing() -> None:
    assert decode(b"\xef\xbb\xbf" + SENTENCE.encode("cp949"), "utf-8").text == SENTENCE


def test_a_file_that_ends_in_the_middle_of_a_character_loses_that_one() -> None:
    for name in ("cp949", "utf-8", "johab", "utf-16-le"):
        raw = (SENTENCE + "끝").encode(name)[:-1]
        assert decode(raw).text.removesuffix("\ufffd").removesuffix("\ufffd") == SENTENCE, name


def test_shifts_of_iso_2022_kr_that_are_lost_are_found_again() -> None:
    raw = (SENTENCE + "\n").encode("iso2022_kr") * 8
    for shift in (b"\x0e", b"\x0f", b"\x1b"):
        place = raw.index(shift)
        found = decode(raw[:place] + raw[place + 1 :])
        assert found.encoding == "iso2022_kr"
        assert right(hangul(SENTENCE * 8), hangul(found.text)) >= 8 * len(hangul(SENTENCE)) - 3


def test_chinese_and_japanese_are_not_taken_for_korean() -> None:
    for text, name, label in (
        ("这是一个关于词典的故事，每天都要记录新的词语，然后慢慢整理。" * 4, "gb18030", ""),
        ("これは辞書についての話で、毎日新しい言葉を書き留めている。" * 4, "cp932", ""),
        ("これは辞書についての話で、毎日新しい言葉を書き留めている。" * 4, "euc_jp", "euc-jp"),
    ):
        assert decode(text.encode(name), label).text == text


def test_bytes_without_sense_are_read_in_bounded_time() -> None:
    rng = random.Random(1)
    start = time.process_time()
    found = decode(rng.randbytes(2_000_000).replace(b"\0", b"") + SENTENCE.encode("cp949") * 9, "euc-kr")
    assert found.is_undecodable
    assert time.process_time() - start < 5
