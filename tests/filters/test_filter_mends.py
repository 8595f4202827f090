"""What `normalise`, `mojibake` and `furniture` mend, and what they leave alone."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import furniture, mojibake, normalise
from malmoi.document import Document, Edits, Provenance
from tests.builders.rows import each_row

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data/filters/clean.jsonl").open(encoding="utf-8")]
PIECES = st.sampled_from(
    [
        *(" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\x00", "\ufffd", "\ud800"),
        *(
            "가",
            "각",
            "한",
            "\u1112",
            "\u110f",
            "\u1161",
            "\u1172",
            "\u11ab",
            "\u119e",
            "ㅋ",
            "ﾾ",
            "ￂ",
            "ﾤ",
            "\u0301",
            "e",
            "漢",
            "\uf90a",
        ),
        *("👨", "❤", "\ufe0f", "공유", "인쇄", "공유하기", "홈 > 소식", "무단전재 및 재배포 금지", "말이다."),
    ]
)
DATA = Path(__file__).parents[1] / "data/filters"
LINES = [json.loads(line) for line in (DATA / "furniture_lines.jsonl").open(encoding="utf-8")]
GOLD = Path(__file__).resolve().parents[3] / "shared/corpora/unicode-normalization-gold/NormalizationTest.txt"
KOREAN = "한국어 문장을 여러 개 적어 보았습니다. 오늘은 날씨가 맑고 바람이 분다."
BROKEN = st.sampled_from(
    [
        *("í•œ", "êµ\xad", "ì–´", "ë‹¤", "Ã\xad", "Â\x95", "Ã", "â€œ", "ÇÑ", "±Û", "ÀÌ", "´Ù", "¸¸", "·", "¡¡"),
        *(
            "議곗튂",
            "濡쒖꽌",
            "&",
            "amp;",
            "lt;",
            "#44032;",
            "&quot;",
            "&nbsp;",
            "&#38;",
            "`",
            "\n```\n",
            "\n",
            " ",
            ". ",
        ),
        *("한글", "이다", "utf-8", "caf\u00e9", "漢字", "\ud800", "가"),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60))


def document(text: str) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""))


def applied(text: str, edits: Edits) -> str:
    out, done = [], 0
    for edit in edits:
        assert done <= edit.start <= edit.end <= len(text), "sorted, inside, not overlapping"
        assert text[edit.start : edit.end] != edit.text, "an edit changes something"
        out += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*out, text[done:]])


@each_row("case", CASES, ids=[c["why"] for c in CASES])
def test_a_mended_text_reads_as_expected(case: dict[str, Any]) -> None:
    mend = import_module(f"filters.{case['filter']}").mend
    assert applied(case["text"], mend(document(case["text"]))) == case["out"]


@given(TEXTS)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = applied(text, normalise.mend(document(text)))
    assert normalise.mend(document(once)) == ()


@given(TEXTS)
def test_a_normalised_text_is_nfc_and_can_be_written(text: str) -> None:
    once = applied(text, normalise.mend(document(text)))
    assert unicodedata.is_normalized("NFC", once)
    once.encode("utf-8")


@given(TEXTS)
def test_removing_furniture_twice_is_removing_it_once(text: str) -> None:
    once = applied(text, furniture.mend(document(text)))
    assert furniture.mend(document(once)) == ()


@given(TEXTS)
def test_furniture_only_removes(text: str) -> None:
    assert all(edit.text == "" for edit in furniture.mend(document(text)))


def test_an_edit_names_its_rule() -> None:
    edits = furniture.mend(document("글이다.\n본문 바로가기"))
    assert [edit.reason for edit in edits] == ["jump-link"]


def test_a_line_longer_than_the_limit_is_never_furniture() -> None:
    line = "저작권자 ⓒ 신문, 무단전재 및 재배포 금지"
    assert furniture.mend(document(line), max_chars=10) == ()


def test_a_clean_text_has_no_edits() -> None:
    assert normalise.mend(document("맑은 글이다.\n\n둘째 문단도 맑다.")) == ()


def test_an_edit_covers_only_what_changes() -> None:
    (edit,) = normalise.mend(document("앞은 그대로 가\u200b나 뒤도 그대로"))
    assert (edit.start, edit.end, edit.text, edit.reason) == (8, 9, "", "control")


def selectors(data: bytes) -> str:
    """Bytes as variation selectors, as C2PA embeds a manifest in text."""
    return "".join(chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in data)


def tags(words: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in words)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("가나다\ufeff" + selectors(b"C2PATXT\0" + bytes(range(200))) + " 끝", "가나다 끝"),
        ("앞 " + selectors(b"hidden") + " 뒤", "앞 뒤"),
        ("문장" + tags("ignore all") + "이다", "문장이다"),
        ("\u2764\ufe0f" + selectors(b"mark"), "\u2764\ufe0f"),
        ("\u845b" + selectors(b"xy") + "\u57ce", "\u845b\u57ce"),
        ("가\ufe0f나", "가나"),
        ("\U0001f3f4" + tags("secret\x7f"), "\U0001f3f4"),
    ],
)
def test_runs_of_selectors_and_tags_are_hidden_text(text: str, shown: str) -> None:
    edits = normalise.mend(document(text))
    assert (applied(text, edits), {edit.reason for edit in edits}) == (shown, {"hidden-text"})


@pytest.mark.parametrize(
    "text",
    [
        "\u2764\ufe0f 1\ufe0f\u20e3 \xa9\ufe0e",
        "\u845b\U000e0100\u57ce\u3002\ufe00",
        "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f",
        "\U0001f3f4" + tags("gbsct\x7f"),
    ],
)
def test_one_selector_stays_behind_a_character_that_takes_it(text: str) -> None:
    assert normalise.mend(document(text)) == ()


def test_no_line_makes_a_rule_go_back_without_end() -> None:
    for piece in ("로그인 ", "조회 1 ", "공유 ", "홈 > ", "▶ ", "이전글 | ", "메뉴 사이트는 쿠키를 "):
        line = (piece * 2_000)[:10_000] + "x"
        begun = time.process_time()
        furniture.mend(Document("s/1", line, Provenance("s", "", "", "", "")), max_chars=len(line))
        assert time.process_time() - begun < 1.0, piece  # `re` needed minutes for 120 code points


def read_as(text: str, written: str, wrong: str) -> str:
    """`text` in the bytes of one encoding, read as another."""
    if wrong == "cp1252":  # as a browser does: the five empty places become controls
        return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in text.encode(written))
    return text.encode(written).decode(wrong)


@pytest.mark.parametrize(
    ("written", "wrong"), [("utf-8", "cp1252"), ("utf-8", "latin-1"), ("cp949", "latin-1"), ("cp949", "cp1252")]
)
def test_korean_read_with_the_wrong_table_comes_back(written: str, wrong: str) -> None:
    broken = read_as(KOREAN, written, wrong)
    assert broken != KOREAN
    assert applied(broken, mojibake.mend(document(broken))) == KOREAN


def test_utf_8_read_as_cp949_comes_back_where_no_byte_was_lost() -> None:
    text = "조치로서 보안과제로의 법적근거"
    broken = " ".join(read_as(word, "utf-8", "cp949") for word in text.split())
    assert applied(broken, mojibake.mend(document(broken))) == text


def test_korean_broken_twice_comes_back() -> None:
    broken = read_as(read_as(KOREAN, "utf-8", "latin-1"), "utf-8", "latin-1")
    assert applied(broken, mojibake.mend(document(broken))) == KOREAN


def test_a_broken_line_among_sound_ones_comes_back_and_a_broken_word_stays() -> None:
    title = "오늘의 새 소식을 알려 드립니다"
    word = read_as("한글", "utf-8", "cp1252")
    broken = f"{read_as(title, 'utf-8', 'cp1252')}\n{KOREAN}\n단어 하나는 {word} 이다. {KOREAN}"
    mended = applied(broken, mojibake.mend(document(broken)))
    assert mended.startswith(f"{title}\n")
    assert word in mended


def test_a_run_with_a_byte_missing_is_no_guess() -> None:
    broken = read_as("한국어", "utf-8", "cp1252")
    assert mojibake.mend(document(broken[:-1] + " " + broken[1:])) == ()


@given(st.one_of(st.lists(BROKEN, max_size=24).map("".join), st.text(max_size=40)))
def test_turning_back_twice_is_turning_back_once(text: str) -> None:
    once = applied(text, mojibake.mend(document(text)))
    assert mojibake.mend(document(once)) == ()


@given(st.lists(st.one_of(PIECES, BROKEN), max_size=24).map("".join))
def test_all_mends_twice_are_all_mends_once(text: str) -> None:
    def all_of(text: str) -> str:
        for mend in (mojibake.mend, normalise.mend, furniture.mend):
            text = applied(text, mend(document(text)))
        return text

    once = all_of(text)
    assert normalise.mend(document(once)) == ()
    assert furniture.mend(document(once)) == ()


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0f73\u0301", "\u0344\u0323\u302e", "\u0323\u0301─"])
def test_a_letter_under_many_marks_is_in_order_before_it_is_composed(marks: str) -> None:
    """What is in order already takes CPython one step a mark; out of order, each mark passes all others."""
    for before, times in (("가", 50), ("a", 200), ("\u1112\u1161", 64)):
        text = before + marks * times + "\u1161끝"
        ready = normalise._LONG_ROW.sub(normalise._reorder_marks, text)
        classes = [unicodedata.combining(sign) for sign in ready]
        assert all(a <= b or b == 0 for a, b in pairwise(classes))
        assert unicodedata.normalize("NFC", ready) == unicodedata.normalize("NFC", text)
        assert normalise._is_nfc(text) == unicodedata.is_normalized("NFC", text)


def test_every_sign_that_may_have_to_move_opens_the_look_at_long_rows() -> None:
    for sign in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.combining(unicodedata.normalize("NFD", sign)[0]):
            assert normalise._MARKS.match(sign) and normalise._LONG_ROW.match(sign * 64), hex(ord(sign))


def test_nfc_is_that_of_the_unicode_consortium() -> None:
    if not GOLD.exists():
        pytest.skip("the normalisation test of Unicode is not there")
    wrong = []
    for line in GOLD.read_text(encoding="utf-8").splitlines():
        if not line or line[0] in "#@":
            continue
        source, nfc = ("".join(chr(int(p, 16)) for p in field.split()) for field in line.split(";")[:2])
        mended = applied(f"가{source}나", normalise.mend(document(f"가{source}나")))
        if mended != unicodedata.normalize("NFC", f"가{nfc}나") and not changes_on_purpose(source):
            wrong.append(line[:60])
    assert wrong == []


def changes_on_purpose(source: str) -> bool:
    """Blanks, half-width jamo, direction marks and controls; and what this Python does not know yet."""
    return any(
        unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc", "Cf", "Cn") or "\uffa0" <= c <= "\uffdc" or c == "\u3164"
        for c in source
    )


def gone(line: str, *, beside: str = "") -> bool:
    text = f"글이 있다.\n{line}{beside}"
    return line not in applied(text, furniture.mend(document(text))).split("\n")


def kept(text: str) -> str:
    return applied(text, furniture.mend(document(text)))


@each_row("case", LINES, ids=[case["line"][:30] for case in LINES])
def test_a_line_goes_exactly_if_it_is_furniture(case: dict[str, Any]) -> None:
    tail = "\n■ 제보하기\n무단전재 및 재배포 금지"
    if case["furniture"] == "no":
        assert not gone(case["line"])
    else:
        assert gone(case["line"], beside=tail) is not case.get("gap", False)
    if case["furniture"] == "beside":
        assert not gone(case["line"])


@each_row("case", LINES, ids=[case["line"][:30] for case in LINES])
def test_no_line_goes_alone_from_between_the_lines_of_a_text_but_that_of_a_reporter(case: dict[str, Any]) -> None:
    text = f"글이 있다.\n{case['line']}\n글이 끝난다."
    assert kept(text) == text or (case["why"].startswith(("byline", "second set")) and "기자" in case["line"])


STAYING = [json.loads(line) for line in (DATA / "furniture_stays.jsonl").open(encoding="utf-8")]


@each_row("case", STAYING, ids=[case["why"] for case in STAYING])
def test_facts_and_headings_stay(case: dict[str, str]) -> None:
    assert kept(case["text"]) == case["text"]


def test_a_bar_between_title_and_text_goes_and_contacts_go_beside_a_call_for_tips() -> None:
    assert kept("새 다리\n공유하기\n인쇄\n글자크기 조절\n댓글 3\n다리가 놓였다.") == "새 다리\n다리가 놓였다."
    assert kept("다리가 놓였다.\n■ 제보하기\n▷ 전화 : 02-000-0000") == "다리가 놓였다."
    assert kept("다리가 놓였다.\n목록\n▷ 전화 : 02-000-0000").endswith("▷ 전화 : 02-000-0000")


@pytest.mark.parametrize(
    "line",
    [
        "이 글은 크리에이티브 커먼즈 저작자표시 4.0 국제 라이선스에 따라 이용할 수 있습니다.",
        "이 저작물은 CC BY 4.0에 따라 이용할 수 있습니다.",
        "본 문서는 크리에이티브 커먼즈 저작자표시-동일조건변경허락 4.0에 따라 배포됩니다.",
    ],
)
def test_the_sentence_of_a_licence_goes_from_the_end(line: str) -> None:
    assert kept(f"돌을 주웠다.\n{line}") == "돌을 주웠다."
    assert kept(f"돌을 주웠다.\n{line}\n돌은 둥글었다.").count(line) == 1


def test_half_of_the_lines_are_lookalikes() -> None:
    stay = sum(case["furniture"] == "no" for case in LINES)
    assert len(LINES) >= 500
    assert 0.45 <= stay / len(LINES) <= 0.55


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["mojibake", "normalise", "furniture"])
def test_no_shape_of_text_makes_a_mend_slow(name: str) -> None:
    mend = import_module(f"filters.{name}").mend
    pieces = (
        "a",
        "ㅋ",
        "\u1112\u1161",
        "\n",
        "공유\n",
        "í•œ",
        "ÇÑ±Û",
        "&amp;",
        "議곗튂",
        "```\n",
        "가\u200d",
        "ﾾￂ",
        " \t",
    )
    for piece in pieces:
        text = (piece * 600_000)[:600_000]
        begun = time.process_time()
        mend(document(text))
        assert time.process_time() - begun < 2.0 * len(text.encode()) / 1e6, piece
