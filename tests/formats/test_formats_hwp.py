"""HWP 5 documents become the text that a reader sees, and what cannot be read is named."""

from __future__ import annotations

import json
import random
import re
import struct
import time
from pathlib import Path

import pytest

from crawlers.formats.hwp.ole import Container
from crawlers.formats.unreadable import Unreadable
from tests.builders.documents import small_hwp as small
from tests.builders.documents.small_hwp import read
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "formats"
SAMPLES = Path(__file__).parents[3] / "shared" / "corpora" / "hwplib-hwpxlib-samples"
TICKS = 133_488_864_000_000_000  # 2024-01-05 00:00 UTC as a FILETIME


def text_of(*paragraphs: bytes) -> str:
    return read(small.hwp(b"".join(paragraphs))).text


@pytest.mark.parametrize("flags", [0, small.PACKED, small.DISTRIBUTION, small.DISTRIBUTION | small.PACKED])
def test_a_document_is_read_packed_and_locked_or_not(flags: int) -> None:
    body = small.hwp(small.paragraph("말모이는 사전이다."), small.paragraph("둘째 구역"), flags=flags)
    found = read(body)
    assert (found.text, found.format, found.outcome) == ("말모이는 사전이다.\n둘째 구역", "hwp", "kept")


def test_the_placeholder_of_a_distribution_document_is_never_its_text() -> None:
    assert read(small.hwp(small.paragraph(small.PLACEHOLDER), flags=small.DISTRIBUTION)).reason == "damaged"
    without = small.container({"FileHeader": Container(small.hwp(flags=small.DISTRIBUTION)).read("FileHeader")})
    assert read(without).reason == "damaged"


@pytest.mark.parametrize(
    ("flags", "reason"),
    [(small.PASSWORD, "encrypted"), (small.CERTIFICATE, "encrypted"), (small.DRM, "drm"), (small.DRM | 2, "drm")],
)
def test_a_locked_document_is_named_by_its_lock(flags: int, reason: str) -> None:
    found = read(small.hwp(small.paragraph("글"), flags=flags))
    assert (found.outcome, found.reason, found.text) == ("dropped", reason, "")


def test_an_unknown_version_is_named() -> None:
    assert read(small.hwp(small.paragraph("글"), version=0x06010000)).reason == "unsupported-version:6.1"


def test_controls_take_their_width_and_leave_nothing() -> None:
    words = f"가{small.control(2, 'secd')}나{small.control(9, 'tab ')}다{chr(10)}라{chr(24)}마{chr(30)}바{chr(31)}사"
    assert text_of(small.paragraph(words)) == "가나 다\n라-마 바 사"


def test_a_control_whose_data_look_like_characters_is_passed_over_whole() -> None:
    inside = chr(9) + "\u0100\u0a00\ud800\udc00\u000b\u0002" + chr(9)
    assert text_of(small.paragraph(f"앞{inside}\u0900뒤\U0001f600")) == "앞 \u0900뒤\U0001f600"


def test_a_long_paragraph_has_its_size_in_a_number_of_its_own() -> None:
    words = "낱말 모으기 " * 1000
    assert text_of(small.paragraph(words)) == words.strip()


def test_a_large_document_is_found_through_the_list_behind_the_header() -> None:
    words = "낱말 모으기 " * 600_000  # 8.4 MB: more sectors of the table than the header has room for
    assert text_of_unpacked(words) == words.strip()


def text_of_unpacked(words: str) -> str:
    return read(small.hwp(small.paragraph(words), flags=0)).text


def test_a_table_is_rows_and_a_merged_cell_stands_once() -> None:
    def cell(text: str) -> bytes:
        return small.paragraph(text, level=2)

    made = small.table(
        [
            (0, 0, 2, 1, cell("구분")),
            (0, 1, 1, 2, cell("합친 칸")),
            (1, 1, 1, 1, cell("가") + cell("나")),
            (1, 2, 1, 1, cell("다")),
        ],
        caption=cell("표 1. 낱말"),
    )
    assert text_of(small.paragraph(small.control(11, "tbl "), made)).split("\n") == [
        "표 1. 낱말",
        "| 구분 | 합친 칸 | |",
        "| --- | --- | --- |",
        "| | 가 나 | 다 |",
    ]


def test_a_caption_precedes_or_follows_its_object_as_on_the_page() -> None:
    cells = [(0, column, 1, 1, small.paragraph(text, level=2)) for column, text in enumerate("가나")]
    below = small.table(cells, caption=small.paragraph("표 1. 낱말", level=2), side=3)
    assert text_of(small.paragraph(small.control(11, "tbl "), below)) == "| 가 | 나 |\n| --- | --- |\n표 1. 낱말"

    def box(side: int) -> bytes:
        head = small.record(71, 1, b" osg" + bytes(40)) + small.record(72, 2, struct.pack("<8xI", side))
        head += small.paragraph("그림 1", level=2) + small.record(76, 2, bytes(40)) + small.record(72, 3, bytes(8))
        return small.paragraph(small.control(11, "gso "), head + small.paragraph("상자", level=3))

    assert [text_of(box(side)) for side in range(4)] == ["그림 1\n상자", "상자\n그림 1"] * 2


def test_a_table_of_one_cell_is_paragraphs_and_a_table_in_it_is_a_table() -> None:
    inner = small.table(
        [(0, 0, 1, 1, small.paragraph("가", level=4)), (0, 1, 1, 1, small.paragraph("나", level=4))], level=3
    )
    held = small.paragraph("제목", level=2) + small.paragraph(small.control(11, "tbl "), inner, level=2)
    outer = small.table([(0, 0, 1, 1, held)])
    assert text_of(small.paragraph(small.control(11, "tbl "), outer)) == "제목\n| 가 | 나 |\n| --- | --- |"


def test_a_table_inside_a_row_stands_below_its_table() -> None:
    inner = small.table(
        [(0, 0, 1, 1, small.paragraph("안", level=4)), (0, 1, 1, 1, small.paragraph("쪽", level=4))], level=3
    )
    held = small.paragraph("칸", level=2) + small.paragraph(small.control(11, "tbl "), inner, level=2)
    outer = small.table([(0, 0, 1, 1, held), (0, 1, 1, 1, small.paragraph("옆", level=2))])
    rule = "| --- | --- |"
    assert text_of(small.paragraph(small.control(11, "tbl "), outer)) == f"| 칸 | 옆 |\n{rule}\n| 안 | 쪽 |\n{rule}"


def test_a_note_stands_behind_its_paragraph_with_its_number_and_not_inside_a_word() -> None:
    number = small.record(71, 3, b"onta" + struct.pack("<IHHHH", 1, 1, 0, 0, ord(")")))
    note = small.with_list("fn  ", small.paragraph(f"{small.control(18, 'atno')} 각주다.", number, level=2))
    made = small.paragraph(f"말모이{small.control(17, 'fn  ')}는 사전이다.", note)
    assert text_of(made) == "말모이는 사전이다.\n1) 각주다."


def test_a_note_that_is_only_a_number_is_none() -> None:
    number = small.record(71, 3, b"onta" + struct.pack("<IHHHH", 1, 1, 0, 0, ord(")")))
    note = small.with_list("fn  ", small.paragraph(f"{small.control(18, 'atno')} ", number, level=2))
    assert text_of(small.paragraph(f"말{small.control(17, 'fn  ')}", note)) == "말"


@pytest.mark.parametrize(("code", "kind"), [(16, "head"), (16, "foot"), (15, "tcmt"), (2, "secd"), (3, "%%me")])
def test_page_furniture_and_hidden_comments_are_left_out(code: int, kind: str) -> None:
    hidden = small.with_list(kind, small.paragraph("보이지 않는다", level=2))
    assert text_of(small.paragraph(f"{small.control(code, kind)}보인다", hidden)) == "보인다"


def test_a_numbered_header_does_not_count_among_the_paragraphs() -> None:
    numbering = (bytes(12) + small.counted("^1.")) * 7 + struct.pack("<H7I", 1, *[1] * 7)
    head = small.record(23, 0, numbering) + small.record(25, 0, struct.pack("<I26xHH", 2 << 23, 1, 0))
    header = small.with_list("head", small.paragraph("머리말", level=2))
    section = small.paragraph(f"{small.control(16, 'head')}하나", header) + small.paragraph("둘")
    assert read(small.hwp(section, flags=0, more={"DocInfo": head})).text == "1. 하나\n2. 둘"


def test_memos_at_the_end_of_a_section_are_left_out() -> None:
    memo = small.record(93, 1, bytes(4)) + small.record(72, 1, bytes(8)) + small.paragraph("메모다", level=1)
    assert text_of(small.paragraph("본문이다", memo)) == "본문이다"


def test_a_master_page_behind_the_last_paragraph_is_left_out() -> None:
    master = small.record(72, 1, bytes(8)) + small.paragraph("바탕쪽이다", level=1)
    assert text_of(small.paragraph("본문이다", master)) == "본문이다"


def test_a_box_stands_behind_the_words_it_was_anchored_in() -> None:
    made = small.paragraph(f"앞말{small.control(11, 'gso ')}뒷말", small.box(small.paragraph("상자", level=3)))
    assert text_of(made) == "앞말뒷말\n상자"


def test_an_equation_a_ruby_and_an_overlay_are_words() -> None:
    caption = small.record(72, 2, bytes(8)) + small.paragraph("수식 1", level=2)
    equation = small.record(71, 1, b"deqe") + caption + small.record(88, 2, bytes(4) + small.counted("a over b"))
    ruby = small.record(71, 1, b"tudt" + small.counted("漢字") + small.counted("한자") + bytes(16))
    overlay = small.record(71, 1, b"spct" + small.counted("\U000f02b1") + bytes(8))
    words = f"식{small.control(11, 'eqed')}이다 {small.control(23, 'tdut')} {small.control(23, 'tcps')}"
    assert text_of(small.paragraph(words, equation, ruby, overlay)) == "식 a over b 이다 漢字(한자) ①\n수식 1"


def test_the_text_of_a_field_is_kept_and_its_command_is_not() -> None:
    field = small.record(71, 1, b"klh%" + bytes(5) + small.counted("https://a.example;1;0;0;") + bytes(4))
    words = f"{small.control(3, '%hlk')}누리집{small.control(4, '%hlk')}을 보라"
    assert text_of(small.paragraph(words, field)) == "누리집을 보라"


@pytest.mark.parametrize(
    ("typed", "flags", "text"),
    [
        ("이름을 쓰세요.", 0, "성명: (인)"),
        ("이름을 쓰세요.", 0x8000, "성명: 이름을 쓰세요. (인)"),
        ("주시경", 0, "성명: 주시경 (인)"),
    ],
)
def test_the_prompt_of_an_empty_form_field_is_left_out(typed: str, flags: int, text: str) -> None:
    command = "Clickhere:set:40:Direction:wstring:8:이름을 쓰세요. HelpState:wstring:0:  "
    field = small.record(71, 1, b"klc%" + struct.pack("<IB", flags, 9) + small.counted(command) + bytes(4))
    inner = small.record(71, 1, b"klh%" + bytes(5) + small.counted("https://a.example;1;0;0;") + bytes(4))
    begin, end = small.control(3, "%clk"), small.control(4, "%clk")
    link = f"{small.control(3, '%hlk')}{typed}{small.control(4, '%hlk')}"
    assert text_of(small.paragraph(f"성명: {begin}{typed}{end} (인){end}", field)) == text
    assert text_of(small.paragraph(f"성명: {begin}{link}{end} (인)", field, inner)) == text


def test_a_number_may_be_the_path_of_all_levels() -> None:
    numbering = b"".join(bytes(12) + small.counted(pattern) for pattern in ("^1.", "^n", "^N", "", "", "", ""))
    numbering += struct.pack("<H7I", 1, 2, *[1] * 6)
    head = small.record(23, 0, numbering)
    head += b"".join(small.record(25, 0, struct.pack("<I26xHH", 2 << 23 | at << 25, 1, 0)) for at in range(3))
    section = b"".join(small.paragraph("글", shape=at) for at in (0, 1, 1, 2))
    found = read(small.hwp(section, flags=0, more={"DocInfo": head}))
    assert found.text.split("\n") == ["2. 글", "2.1 글", "2.2 글", "2.2.1. 글"]


def test_numbers_of_paragraphs_are_said_as_they_are_printed() -> None:
    level = struct.pack("<IHHI", 8 << 5, 0, 0, 0)
    numbering = bytes(12) + small.counted("제^1조") + level + small.counted("^2.") + (bytes(12) + small.counted("")) * 5
    numbering += struct.pack("<H7I", 1, *[1] * 7)
    shapes = [0, 2 << 23, 2 << 23 | 1 << 25, 3 << 23]
    head = small.record(23, 0, numbering) + small.record(24, 0, bytes(12) + "\uf06c".encode("utf-16-le"))
    head += b"".join(small.record(25, 0, struct.pack("<I26xHH", flags, 1, 0)) for flags in shapes)
    section = b"".join(
        small.paragraph(text, shape=shape)
        for text, shape in [
            ("목적", 1),
            ("하나", 2),
            ("둘", 2),
            ("정의", 1),
            ("셋", 2),
            ("", 1),
            ("점", 3),
            ("없음", 0),
        ]
    )
    found = read(small.hwp(section, flags=0, more={"DocInfo": head}))
    assert found.text.split("\n") == ["제1조 목적", "가. 하나", "나. 둘", "제2조 정의", "가. 셋", "• 점", "없음"]


@each_row(
    ("words", "text"),
    [
        ("\uf06c 가", "• 가"),
        ("\uf0fe 가", "☑ 가"),
        ("\uf04a 가", "가"),
        ("\uf08d 가 \uf0e0 나", "❷ 가 → 나"),
        ("\U000f02b2 가 \U000f02c4 나 \U000f02cf", "② 가 ⑳ 나 ❷"),
        ("홍길동 \U000f012b", "홍길동 (인)"),
        ("\uf53a글", "ᄒᆞᆫ글"),
        ("\ue0bc\uf784\uf806", "ᅟᅡᆮ\u115f\u1160"),
        ("\ue000\uf8ff", "\ue000\uf8ff"),
        ("가\u200b나\ufeff\x1b", "가나"),
        ("ㅋㅋ 가\u3000나  다", "ㅋㅋ 가 나 다"),
    ],
)
def test_letters_of_symbol_fonts_and_of_hanyang_and_hancom_become_unicode(words: str, text: str) -> None:
    assert text_of(small.paragraph(f"{words}\n끝")) == f"{text}\n끝"


def test_a_table_of_contents_below_its_heading_is_left_out() -> None:
    tab = small.control(9, "tab ")
    entries = [small.paragraph(f"{n}. 낱말 {n}{tab}{n + 2}") for n in range(1, 6)]
    assert text_of(small.paragraph("목  차"), *entries, small.paragraph("머리말")) == "머리말"
    assert text_of(small.paragraph("값"), *entries, small.paragraph("머리말")).startswith("값\n1. 낱말 1 3")


def test_contents_in_a_frame_below_a_framed_heading_are_left_out() -> None:
    tab = small.control(9, "tab ")
    entries = b"".join(small.paragraph(f"{n}. 낱말 {n}{tab}{n + 2}", level=2) for n in range(1, 6))
    frame = small.table([(0, 0, 1, 1, small.paragraph("차  례", level=2)), (1, 0, 1, 1, entries)])
    assert text_of(small.paragraph(small.control(11, "tbl "), frame), small.paragraph("머리말")) == "머리말"
    title, frame = small.paragraph("목 차"), small.table([(0, 0, 1, 1, entries)])
    assert text_of(title, small.paragraph(small.control(11, "tbl "), frame), small.paragraph("머리말")) == "머리말"


def test_the_summary_gives_title_author_and_the_day_in_korea() -> None:
    more = {"\x05HwpSummaryInformation": small.summary("말모이 계획", "주시경", TICKS + 16 * 36_000_000_000)}
    found = read(small.hwp(small.paragraph("글"), more=more))
    assert (found.title, found.author, found.date) == ("말모이 계획", "주시경", "2024-01-06")


@pytest.mark.parametrize("raw", [b"", b"\xfe\xff", small.summary("보고.hwp", "user", 0), bytes(60), b"\xff" * 200])
def test_an_implausible_or_broken_summary_says_nothing_and_costs_no_text(raw: bytes) -> None:
    found = read(small.hwp(small.paragraph("글"), more={"\x05HwpSummaryInformation": raw}))
    assert (found.text, found.title, found.author, found.date) == ("글", "", "", "")


def test_one_unreadable_section_makes_the_document_damaged() -> None:
    body = small.hwp(small.paragraph("가"), small.paragraph("나"), more={"BodyText/Section1": b"\xff\xff\xff"})
    assert (read(body).outcome, read(body).reason, read(body).text) == ("dropped", "damaged", "")


def test_a_missing_section_makes_the_document_damaged() -> None:
    streams = Container(small.hwp(small.paragraph("가"), small.paragraph("나"), small.paragraph("다")))
    kept = {path: streams.read(path) for path in streams.paths if path != "BodyText/Section1"}
    assert read(small.container(kept)).reason == "damaged"


def test_a_document_of_pictures_has_no_text() -> None:
    assert read(small.hwp(small.paragraph(""))).reason == "no-text"


def test_a_deflate_bomb_is_named_and_not_unpacked() -> None:
    body = small.hwp(bytes(100_000_000))
    assert len(body) < 200_000
    assert read(body).reason == "archive-bomb"


@pytest.mark.parametrize(
    "section",
    [
        small.record(66, 0, bytes(22))[:-1],
        struct.pack("<II", 66 | 0xFFF << 20, 0xFFFFFFF0),
        struct.pack("<I", 67 | 0xFFF << 20),
        b"".join(small.record(66 if level % 2 == 0 else 71, level, bytes(22)) for level in range(1000)),
    ],
    ids=["cut off", "longer than its stream", "without its size", "a thousand deep"],
)
def test_broken_records_are_damage(section: bytes) -> None:
    assert read(small.hwp(section)).reason == "damaged"


def test_tables_in_tables_are_written_once_on_each_level() -> None:
    held = small.paragraph("속", level=2 + 2 * 40)
    for depth in range(39, -1, -1):
        made = small.table([(0, 0, 1, 1, held)], level=3 + 2 * depth)
        held = small.paragraph(small.control(11, "tbl "), made, level=2 + 2 * depth)
    started = time.process_time()
    assert text_of(small.paragraph("겉"), held) == "겉\n속"
    assert time.process_time() - started < 2


def test_columns_merged_over_all_rows_leave_no_more_gaps_than_columns() -> None:
    cells = [(number // 2, number % 2, 65_535, 1, small.paragraph("가", level=2)) for number in range(2_000)]
    rows = ["| 가 | 가 |"] * 1_000
    rows.insert(1, "| --- | --- |")
    assert text_of(small.paragraph(small.control(11, "tbl "), small.table(cells))) == "\n".join(rows)


def test_sectors_in_a_ring_end() -> None:
    body = bytearray(small.hwp(small.paragraph("가" * 5000), flags=0))
    (table,) = struct.unpack_from("<I", body, 76)
    at = 512 * (table + 1)
    for number in range(128):
        struct.pack_into("<I", body, at + 4 * number, number)
    with pytest.raises(Unreadable, match="damaged"):
        Container(bytes(body))


def test_a_table_of_sectors_that_is_named_again_and_again_is_damage() -> None:
    body = bytearray(small.hwp(small.paragraph("가")))
    (table,) = struct.unpack_from("<I", body, 76)
    struct.pack_into("<109I", body, 76, *[table] * 109)
    assert read(bytes(body)).reason == "damaged"


# Mutation and real documents --------------------------------------------------------------------------------------


def whole_documents() -> list[bytes]:
    made = small.table([(0, 0, 1, 1, small.paragraph("가", level=2)), (0, 1, 1, 1, small.paragraph("나", level=2))])
    section = small.paragraph("말모이" * 50) + small.paragraph(small.control(11, "tbl "), made)
    return [
        small.hwp(section, flags=0),
        small.hwp(section, more={"BinData/a": random.Random(1).randbytes(9000)}),
        small.hwp(section, flags=small.DISTRIBUTION | small.PACKED),
        small.hwpx(small.p("말모이", small.cells([small.p("가"), small.p("나")])), head="<a/>"),
        small.hwpml("<P><TEXT><CHAR>말모이</CHAR></TEXT></P>"),
    ]


def mutated(body: bytes, chance: random.Random) -> bytes:
    raw = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(raw))
        raw[at : at + chance.choice((1, 1, 1, 4))] = chance.randbytes(chance.choice((1, 1, 4)))
    return bytes(raw[: chance.randrange(len(raw))] if chance.random() < 0.3 else raw)


@pytest.mark.parametrize("at", range(5))
def test_a_damaged_document_has_an_outcome_at_once(at: int) -> None:
    body = whole_documents()[at]
    assert read(body).outcome == "kept"
    chance = random.Random(at)
    for _ in range(100):
        started = time.process_time()
        found = read(mutated(body, chance))
        assert time.process_time() - started < 5
        assert (found.outcome == "kept") == bool(found.text) == (not found.reason)


def samples(pattern: str) -> list[Path]:
    if not SAMPLES.is_dir():
        pytest.skip(f"{SAMPLES.name} is not here")
    return sorted(SAMPLES.rglob(pattern))


def test_every_real_document_is_read_or_named() -> None:
    cases = [json.loads(line) for line in (DATA / "hwp_samples.jsonl").read_text(encoding="utf-8").splitlines()]
    expected = {case["file"]: case for case in cases}
    found = [*samples("*.hwp"), *samples("*.hwpx")]
    assert {str(path.relative_to(SAMPLES)) for path in found} == set(expected)
    for path in found:
        case, got = expected[str(path.relative_to(SAMPLES))], read(path.read_bytes(), path.name)
        assert (got.reason, len(re.findall("[가-힣]", got.text))) == (case["reason"], case["syllables"]), path.name
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", got.text)


def test_no_real_document_gives_the_placeholder() -> None:
    for path in samples("distribution.hwp"):
        text = read(path.read_bytes(), path.name).text
        assert "상위 버전의 배포용" not in text
        assert text.startswith("강남세움복지관 공고")
