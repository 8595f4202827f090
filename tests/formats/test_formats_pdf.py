"""A PDF becomes paragraphs: its lines are joined as Korean needs, and what repeats on its pages goes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from crawlers import formats
from crawlers.formats import document_metadata
from crawlers.formats.pdf import pdf as reader
from crawlers.formats.pdf import pdf_pages
from crawlers.formats.pdf.line_joining import Joint, learn
from crawlers.formats.unreadable import Unreadable
from malmoi.limits import PDF_MEMORY
from malmoi.source import Item
from tests.builders.documents.nested_pdf import nested, page_tree
from tests.builders.documents.small_pdf import Picture, Put, Stroke, column, pdf, ruled, stuffed
from tests.builders.rows import each_row

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
# Written together and apart often enough that the document can be asked.
HABIT = [
    "위원회가 뜻을 정한다. 각 위원은 위원회가 정한 바를 따르며",
    "낱말을 모으는 위원회가 달마다 모인다. 이 위원회가 사전을",
    "만든다. 사전을 만드는 위원은 낱말을 모은다. 낱말을 모으고",
]


def item(body: bytes, **more: Any) -> Item:
    return Item(
        key="a.pdf", url="https://a.example/a.pdf", body=body, media="application/pdf", charset="", record="r", **more
    )


def text(*pages: list[Put], **more: Any) -> str:
    return reader.extract(item(pdf(list(pages), **more))).text


def reason(body: bytes) -> str:
    with pytest.raises(Unreadable) as said:
        reader.extract(item(body))
    return said.value.reason


def test_lines_that_break_inside_words_are_joined_without_a_space():
    body = ["낱말을 모으는 일은 위원회가 맡고 사전을 만드는 일도 위원", "회가 맡는다. 낱말은 위원", "회가 모은다."]
    found = text(column([*HABIT, "", *body]))
    assert "위원회가 맡는다" in found
    assert "위원 회가" not in found


def test_lines_that_break_between_words_get_a_space():
    found = text(column(["나라말을 모아 엮은 첫 사전은", "1911년에 시작하였고 그 원고는", "오늘까지 남아 있다."]))
    assert found == "나라말을 모아 엮은 첫 사전은 1911년에 시작하였고 그 원고는 오늘까지 남아 있다."


def test_a_line_with_room_for_the_next_word_ends_its_paragraph():
    found = text(
        column(
            ["이 줄은 오른쪽 끝까지 가득 차 있고 다음 줄로 이어지며", "여기서 끝난다.", "새 문단이 여기서 시작한다."]
        )
    )
    assert found.split("\n") == [
        "이 줄은 오른쪽 끝까지 가득 차 있고 다음 줄로 이어지며 여기서 끝난다.",
        "새 문단이 여기서 시작한다.",
    ]


@each_row("mark", ["○", "□", "•", "※", "-", "①", "가.", "1.", "1)", "(1)", "제2조(목적)"])
def test_a_list_marker_begins_a_paragraph(mark: str):
    lines = [
        "첫 줄은 오른쪽 끝까지 가득 차 있으며 그대로 마친다.",
        f"{mark} 둘째 줄은 목록이다. 이 줄도 끝까지 가득 찬다",
    ]
    assert text(column(lines)).split("\n") == lines


def test_the_end_of_a_sentence_is_no_list_marker():
    found = text(
        column([*HABIT, "", "이 안내서는 말모이를 오늘 처음 쓰는 분을 위해 만들어졌습니", "다. 그리고 낱말을 모은다."])
    )
    assert "만들어졌습니다. 그리고" in found


def test_an_indented_line_begins_a_paragraph_and_a_hanging_one_does_not():
    lines = [
        "이 문단의 줄은 오른쪽 끝까지 가득 차 있고 그렇게 끝난다.",
        (10.0, "들여 쓴 줄은 새 문단이라서 앞 줄과 이어지지 않는다."),
    ]
    assert len(text(column(lines)).split("\n")) == 2
    hanging = [
        "○ 목록의 첫 줄은 오른쪽 끝까지 가득 차 있고 이어지는",
        (15.0, "둘째 줄은 표 아래가 아니라 글 아래에 놓인다."),
    ]
    assert len(text(column(hanging)).split("\n")) == 1


def test_a_larger_gap_and_a_larger_size_end_a_paragraph():
    title = [Put(70, 780, "말모이 원고 이야기", 16.0)]
    body = column(
        [
            "말모이 원고는 오랫동안 사라진 줄 알았으나 다시 찾았다",
            "",
            "그 뒤로 사람들은 이 원고를 다시 읽기 시작하였다.",
        ]
    )
    assert len(text(title + body).split("\n")) == 3


def test_a_paragraph_goes_on_over_the_page():
    one = column(["이 문단은 쪽의 마지막 줄에서 끝나지 않고 다음 쪽으로"])
    two = column(["이어지며, 그 사이에는 아무것도 놓이지 않는다. 끝."])
    assert "다음 쪽으로 이어지며" in text(one, two)


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["The committee decided to co-", "operate with the others soon"], "cooperate with"),
        (["The so-called well-known and well-", "known habits of the committee"], "well-known habits"),
        (["이 사전은 한국과 일본과 중국의 한국-", "일본 관계를 다루는 낱말을 싣는다."], "한국-일본 관계"),
    ],
)
def test_a_hyphen_at_a_line_end_goes_only_out_of_a_latin_word(lines: list[str], joined: str):
    assert joined in text(column(lines))


def test_two_columns_are_read_one_after_the_other():
    words = "낱말 사전 원고 문장 이야기 노래 편지 신문 잡지 그림 소설 동화".split()
    left = [part for word in words for part in (f"왼쪽 단에는 {word} 하나가 있고", f"그 {word} 아래에 글이 이어진다")]
    right = [part for word in words for part in (f"오른쪽 단에도 {word} 둘이 있고", f"그 {word} 옆에는 그림이 있다")]
    found = text(column(left, x=50) + column(right, x=320))
    assert found.index("오른쪽") > found.rindex("왼쪽")
    assert "왼쪽 단에는 낱말 하나가 있고 그 낱말 아래에 글이 이어진다" in found


def test_rows_with_the_same_gaps_are_a_table():
    rows = [put for y in range(5) for put in (Put(70, 700 - 16 * y, f"항목{y}"), Put(400, 700 - 16 * y, f"{y}00원"))]
    assert "\n".join(rows_of(text(rows))) == "\n".join(f"| 항목{y} | {y}00원 |" for y in range(5))


def rows_of(found: str) -> list[str]:
    return [line for line in found.split("\n") if line.startswith("| ") and set(line) - set("|-: ")]


def rows_under(grid: list[Stroke], *cells: tuple[float, float, str]) -> list[Any]:
    return [*grid, *(Put(x, y, words) for x, y, words in cells)]


def test_a_ruled_table_is_rows_and_the_lines_of_a_cell_are_joined():
    found = text(
        [
            *rows_under(
                ruled([70, 150, 250], [700, 670, 620]),
                *[(75, 680, "이름"), (155, 680, "뜻과 쓰임")],
                *[
                    (75, 645, "말모이"),
                    (155, 655, "낱말을 모으는 위원"),
                    (155, 639, "회가 처음 본 위원"),
                    (155, 625, "회의 이름이다"),
                ],
            ),
            *column(HABIT, top=560),
        ]
    )
    assert rows_of(found) == ["| 이름 | 뜻과 쓰임 |", "| 말모이 | 낱말을 모으는 위원회가 처음 본 위원회의 이름이다 |"]


@pytest.mark.parametrize("sides", [True, False])
def test_cells_that_no_line_separates_are_one(sides: bool):
    grid = [stroke for stroke in ruled([70, 150, 300, 400], [700, 670, 640], sides=sides) if stroke.y != 670]
    grid.append(Stroke(150, 670, 400, 670))  # the first column has no line between its two rows
    cells = [(75, 665, "갈래"), (155, 680, "하나"), (305, 680, "둘째"), (155, 650, "셋째"), (305, 650, "넷째")]
    found = text(rows_under(grid, *cells))
    assert rows_of(found) == ["| 갈래 | 하나 | 둘째 |", "| | 셋째 | 넷째 |"]


def test_a_table_with_lines_between_its_rows_only_has_columns_where_no_text_is():
    lines = [Stroke(70, y, 500, y) for y in (700, 676, 640, 616)]
    cells = [
        (75, 706, "연도"),
        (300, 706, "가입자"),
        (75, 682, "첫해"),
        (300, 682, "1,204"),
        (75, 660, "이듬해에 단말기를"),
    ]
    cells += [(75, 645, "바꿈"), (300, 660, "2,871"), (75, 622, "그다음 해"), (300, 622, "5,310")]
    assert rows_of(text(rows_under(lines, *cells))) == [
        "| 연도 | 가입자 |",
        "| 첫해 | 1,204 |",
        "| 이듬해에 단말기를 바꿈 | 2,871 |",
        "| 그다음 해 | 5,310 |",
    ]


def test_lines_between_paragraphs_make_no_table():
    lines = [Stroke(70, y, 520, y) for y in (780, 700, 620)]
    assert not rows_of(text([*lines, *column(HABIT, top=760), *column(HABIT, top=680)]))


def test_a_drawing_of_thousands_of_lines_makes_no_table_and_costs_no_text():
    grid = ruled([60 + 0.2 * x for x in range(1_500)], [780 - 0.3 * y for y in range(1_500)])
    found = text([*grid, *column(HABIT)])
    assert "위원회가 뜻을 정한다" in found
    assert not rows_of(found)


def test_a_frame_around_the_text_is_no_table():
    frame = ruled([60, 535], [780, 600])
    assert not rows_of(text([*frame, *column([*HABIT, *HABIT])]))


def test_columns_that_are_written_row_by_row_are_read_one_after_the_other():
    rows = [f"{word} 하나를 왼쪽에 적어 둔다" for word in "낱말 사전 원고 문장 노래 편지 신문 잡지 그림 소설".split()]
    mixed = [
        put
        for at, row in enumerate(rows)
        for put in (Put(50, 760 - 16 * at, row), Put(320, 760 - 16 * at, row.replace("왼", "오른")))
    ]
    found = text(mixed)
    assert found.index("오른쪽") > found.rindex("왼쪽")


def test_code_keeps_its_lines_and_its_indents():
    code = [Put(70, 700, "def mend(word):", fixed=True), Put(90, 686, "return word", fixed=True)]
    body = [*column(HABIT, top=780), *code, *column(HABIT, top=660)]
    assert "\n```\ndef mend(word):\n    return word\n```\n" in text(body)


def test_a_document_in_a_font_of_one_width_is_no_code():
    lines = [Put(70, 760 - 16 * at, line, fixed=True) for at, line in enumerate(HABIT)]
    assert "```" not in text(lines)


def test_a_footnote_follows_the_paragraph_that_goes_on_over_the_page():
    note = [Put(70, 60, "1) 말모이는 처음에 원고의 이름이었다.", 8.0), Put(300, 762, "1)", 5.0)]
    one = column([*HABIT, "", "이 문단은 쪽의 마지막 줄에서도 끝나지 않고 또 다음 쪽으로"])
    two = column(["이어지며, 그 사이에는 아무것도 놓이지 않는다. 끝.", "", *HABIT])
    found = text([*one, *note], two).split("\n")
    assert any("다음 쪽으로 이어지며" in line for line in found)
    assert found.index("1) 말모이는 처음에 원고의 이름이었다.") == 2
    assert [line for line in found if "원고의 이름" in line] == ["1) 말모이는 처음에 원고의 이름이었다."]


def test_old_hangul_of_hanyang_is_unicode_and_icons_stay():
    assert "ᄒᆞᆫ글 문서" in text(column(["\uf53a글 문서는 낱말을 담는다.", *HABIT]))
    assert "\uf53a 문서" in text(column(["\uf53a 문서는 낱말을 담는다.", *HABIT]))


def test_the_middle_dot_of_old_fonts_is_a_middle_dot():
    assert "사전ㆍ원고" in text(column(["사전\u119e원고를 모은다.", *HABIT]))


def test_a_line_to_write_on_is_left_out_of_a_form():
    assert text(column([f"이름 {'.' * 30} (인)", *HABIT])).startswith("이름 (인)")


def pages_with(head: str, foot: str, count: int = 8) -> list[list[Put]]:
    topics = "가나다라마바사아자차카타파하"
    return [
        [
            Put(70, 810, head.format(at // 2)),
            *column([f"{topics[at]}쪽의 글은 다른 쪽의 글과 같지 않다", f"그래서 {topics[at]}쪽의 글은 남는다"]),
            Put(290, 30, foot.format(at + 1)),
        ]
        for at in range(count)
    ]


@pytest.mark.parametrize("foot", ["- {} -", "{}", "{} / 8"])
def test_running_heads_and_page_numbers_go(foot: str):
    found = text(*pages_with("말모이 연구 보고서", foot))
    assert "보고서" not in found
    assert found.count("다른 쪽의 글") == 8
    assert not any(line.strip("- /8").isdigit() for line in found.split("\n"))


def test_a_head_that_changes_by_chapter_goes_too():
    heads = [f"제 {at // 2} 장 {'낱말풀이모음'[at // 2]}의 이야기" for at in range(8)]
    pages = [[Put(70, 810, head), *page[1:]] for head, page in zip(heads, pages_with("", "{}"), strict=True)]
    assert "이야기" not in text(*pages)


def test_titles_of_slides_stay():
    pages = [
        [Put(70, 790, f"{'낱말풀이모음사전'[at]}의 이야기", 24.0), *page[1:]]
        for at, page in enumerate(pages_with("", "{}"))
    ]
    assert text(*pages).count("이야기") == 8


def test_four_pages_say_nothing_about_what_repeats():
    assert text(*pages_with("말모이 연구 보고서", "{}", 4)).count("보고서") == 4


@pytest.mark.parametrize("foot", ["- {} -", "{}", "{} / 4"])
def test_numbers_that_count_the_pages_go_from_two_pages_on(foot: str):
    found = text(*pages_with("말모이 연구 보고서", foot, 2))
    assert found.endswith("남는다")


def test_a_head_with_the_words_of_a_heading_goes():
    titles = ["낱말", "사전", "원고", "이야기", "노래", "편지", "신문"]
    pages = [
        [
            Put(70, 826, f"{title}의 이야기 {at}"),
            Put(70, 781, f"{title}의 이야기", 16.0),
            *page[1:-1],
        ]
        for at, (title, page) in enumerate(zip(titles, pages_with("", "{}"), strict=False))
    ]
    assert text(*pages).count("의 이야기") == 7


def test_widened_places_between_scripts_are_no_spaces():
    lines = [
        put
        for at in range(12)
        for put in (
            Put(70, 760 - 16 * at, "낱말을 모으는 일과 사전을"),
            Put(193.5, 760 - 16 * at, "HWP"),
            Put(212, 760 - 16 * at, "로는"),
        )
    ]
    assert "사전을HWP로는" in text(lines)


def test_a_font_that_does_not_say_its_characters_is_no_text():
    assert reason(pdf([column(HABIT)], mapped=False)) == "no-unicode-text"


def test_mojibake_of_single_bytes_is_no_text():
    assert reason(pdf([column([line.encode("cp949").decode("latin-1") for line in HABIT])])) == "no-unicode-text"


LEADERS = ["·", "…", "․", "‥", "ㆍ", "•", "∙", "⋅", ".", "─", "_", "-", "・", "°", "\uf0b7", " ·", ". "]


@each_row("sign", LEADERS)
@each_row("times", [3, 60])
def test_a_dotted_table_of_contents_drops_no_document_and_is_left_out(sign: str, times: int):
    contents = [f"제{n}장 낱말을 모으는 일 {sign * times} {n}" for n in range(1, 30)]
    found = text(column(["목  차", *contents, *HABIT]))
    assert found.startswith("위원회가 뜻을")
    assert "제1장" not in found


def test_contents_whose_leaders_went_to_the_next_line_are_left_out():
    contents = [line for n in range(1, 9) for line in (f"제{n}장 긴 제목을 가진 장", f"{'·' * 50} {n}")]
    assert text(column(["차례", *contents, "", *HABIT])).startswith("위원회가 뜻을")


def test_contents_without_leaders_are_left_out_below_their_heading():
    contents = [
        put for n in range(1, 9) for put in (Put(70, 740 - 16 * n, f"낱말 {n}"), Put(500, 740 - 16 * n, str(n)))
    ]
    body = column(HABIT, top=540)
    assert text([Put(70, 760, "차례"), *contents, *body]).startswith("위원회가 뜻을")


def test_numbers_that_fall_are_no_contents():
    prices = [f"낱말 {n}번 사전 ····· {90 - n}" for n in range(1, 9)]
    assert text(column([*prices, *HABIT])).count("사전 ····· ") == 8


@pytest.mark.parametrize("line", ["±0.5 °C × 3 ½ §§ 1~2", "«말모이» · ‹사전› ®", "15 µm ± 2 µm, 45°"])
def test_signs_of_measures_are_no_mojibake(line: str):
    assert text(column([line] * 12 + HABIT[:1]))


@pytest.mark.parametrize("leader", ["·" * 40, "." * 40, "\xa1\xa6" * 20])
def test_mojibake_with_a_table_of_contents_is_no_text(leader: str):
    lies = [f"{line.encode('cp949').decode('latin-1')} {leader} 3" for line in HABIT * 3]
    assert reason(pdf([column(lies)])) == "no-unicode-text"


def test_a_font_that_does_not_say_its_characters_is_no_text_beside_leaders():
    assert reason(pdf([column([f"{line} {'·' * 40}" for line in HABIT])], mapped=False)) == "no-unicode-text"


def test_a_bullet_of_a_symbol_font_is_a_bullet():
    assert text(column(["\uf0b7 첫째 낱말", "\uf0b7 둘째 낱말"])) == "• 첫째 낱말\n• 둘째 낱말"


def test_pages_of_pictures_are_scanned_and_empty_pages_have_no_text():
    scan = Picture(0, 0, 595, 842)
    assert reason(pdf([[scan], [scan]])) == "scanned"
    assert reason(pdf([[scan, Put(290, 30, "12")], [scan]])) == "scanned"
    assert reason(pdf([[Picture(100, 100, 200, 100)], []])) == "no-text"
    assert reason(pdf([[], []])) == "no-text"
    assert "위원회가" in text([scan, *column(HABIT)])


def test_a_user_password_locks_and_an_owner_password_does_not():
    assert reason(pdf([column(HABIT)], user="secret")) == "encrypted"
    assert "위원회가" in text(column(HABIT), owner="secret")


def test_damage_is_named_so():
    whole = pdf([column(HABIT)])
    assert {reason(body) for body in (b"", b"%PDF-1.7", whole[:300], b"x" * 1000)} == {"damaged"}


def test_a_file_whose_table_of_objects_is_lost_is_read_nevertheless():
    whole = pdf([column(HABIT)])
    assert "위원회가" in reader.extract(item(whole.replace(b"xref\n0", b"lost\n0"))).text


def test_too_many_pages_are_too_large():
    assert reason(pdf([[Put(70, 700, "가")]] * 5_001)) == "too-large"


@pytest.mark.parametrize("objects", [False, True])
def test_a_page_that_is_used_again_and_again_is_a_bomb(objects: bool):
    body = pdf([[Put(70, 700, "가")]], again=1_000, objects=objects)
    assert reason(body) == "archive-bomb"


WRITINGS = [
    "plain", "deflated", "ascii85", "hex", "object streams", "encrypted", "inherited resources", "contents repeated",
    "cycle", "nothing drawn", "escaped names",
]  # fmt: skip


IN_SOAK = {"ascii85", "hex", "deflated", "inherited resources", "escaped names"}  # each costs its whole limit


@pytest.mark.heavy
@pytest.mark.parametrize("writing", [pytest.param(w, marks=[pytest.mark.soak] * (w in IN_SOAK)) for w in WRITINGS])
def test_forms_that_draw_forms_are_a_bomb(writing: str):
    with pytest.raises(Unreadable) as said:
        reader.extract(item(nested(writing)))
    assert (said.value.reason, said.value.limit) == ("archive-bomb", PDF_MEMORY)


@pytest.mark.parametrize("writing", ["pattern", "type 3 font", "appearance"])
def test_forms_that_are_drawn_elsewhere_than_on_the_page_have_an_end(writing: str):
    assert formats.extract(item(nested(writing))).reason in ("archive-bomb", "no-text", "")


def test_a_page_tree_that_names_its_nodes_again_and_again_has_an_end():
    assert formats.extract(item(page_tree())).reason in ("archive-bomb", "damaged", "too-large")


def test_what_forms_hold_is_read():
    body = nested("plain").replace(b"/X Do " * 10, b"/X Do" + b" " * 55)
    assert reader.extract(item(body)).text == "a"


@pytest.mark.parametrize("size", [100_000_000])
def test_a_page_that_unpacks_without_end_is_a_bomb(size: int):
    assert reason(stuffed(size)) == "archive-bomb"


def test_a_bomb_that_calls_itself_a_picture_is_blanked():
    body = stuffed(100_000_000).replace(b"<</Length ", b"<</Subtype/Image/Length ")
    assert len(pdf_pages.blank_images(body)) == len(body)
    assert reason(body) == "no-text"


def test_a_stream_that_is_packed_twice_is_a_bomb():
    body = pdf([column(HABIT)] * 9, packed=True).replace(b"/Filter/FlateDecode", b"/Filter[/FlateDecode/FlateDecode]")
    assert reason(body.replace(b"stream\n", b"stream\n" + b" " * 600)) == "archive-bomb"


def test_the_document_says_its_title_author_and_date():
    said = {"Title": "말모이 연구", "Author": "조선 광문회", "CreationDate": "D:20140301090000+09'00'"}
    for more in ({}, {"objects": True, "packed": True}, {"owner": "secret"}):
        found = reader.extract(item(pdf([column(HABIT)], info=said, **more)))
        assert (found.title, found.author, found.date) == ("말모이 연구", "조선 광문회", "2014-03-01"), more


def test_names_of_files_programs_and_accounts_are_no_title_and_no_author():
    said = {"Title": "Microsoft Word - 원고.doc", "Author": "Administrator", "CreationDate": "D:00000000"}
    found = reader.extract(item(pdf([column(HABIT)], info=said)))
    assert (found.title, found.author, found.date) == ("", "", "")


def xmp(inner: str, attributes: str = "") -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:tdm="http://www.w3.org/ns/tdmrep/" xmlns:cc="http://creativecommons.org/ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"'
        f' {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


@pytest.mark.parametrize("packed", [False, True])
def test_rights_in_the_packet_are_found_in_the_open_and_packed(packed: bool):
    packet = xmp(
        '<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>'
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">조선 광문회</rdf:li></rdf:Alt></dc:rights>'
        "<xmpRights:WebStatement>https://a.example/terms</xmpRights:WebStatement>",
        'tdm:reservation="1" tdm:policy="https://a.example/policy.json"',
    )
    assert document_metadata.xmp(pdf([column(HABIT)], xmp=packet, packed=packed)) == {
        "tdm:reservation": "1",
        "tdm:policy": "https://a.example/policy.json",
        "cc:license": "https://creativecommons.org/licenses/by/4.0/",
        "dc:rights": "조선 광문회",
        "xmpRights:WebStatement": "https://a.example/terms",
    }


def test_a_reservation_that_a_later_packet_leaves_out_or_denies_stands():
    yes, no = xmp("<tdm:reservation>1</tdm:reservation>"), xmp("<tdm:reservation>0</tdm:reservation>")
    assert document_metadata.xmp(yes + no)["tdm:reservation"] == "1"
    assert document_metadata.xmp(no + yes)["tdm:reservation"] == "1"


@pytest.mark.parametrize(
    "body", [b"", xmp("")[:200], b"<x:xmpmeta>" * 10_000, b"/Type/Metadata>>stream\n" * 10_000, xmp("<dc:title>")]
)
def test_a_packet_that_cannot_be_read_says_nothing(body: bytes):
    assert document_metadata.xmp(body) == {}


def test_the_dispatcher_reads_a_pdf_by_its_bytes():
    found = formats.extract(item(pdf([column(HABIT)])))
    assert (found.outcome, found.format) == ("kept", "pdf")
    assert formats.extract(item(pdf([column(HABIT)], user="secret"))).reason == "encrypted"


@pytest.mark.parametrize(
    ("left", "right", "space"),
    [
        ("그", "사전은", True),
        ("것이다.", "그러나", True),
        ("사전", "에서", False),
        ("(", "사전", False),
        ("(주", ")", False),
    ],
)
def test_what_holds_of_korean_holds_in_a_document_of_two_lines(left: str, right: str, space: bool):
    # Joints that only a document which breaks inside words can have.
    within = [
        Joint("낱말", "을"),
        Joint("모으", "는"),
        Joint("사전", "으로"),
        Joint("하였습니", "다."),
        Joint("위원", "들이"),
    ]
    found = learn([*within, Joint(left, right)], ["낱말을 모으는 사전으로 하였습니다. 위원들이"])
    assert found.within
    assert found.spaces[-1] is space


def test_chinese_and_japanese_take_no_space():
    assert learn([Joint("大韓", "民國"), Joint("これは", "辭典")], ["大韓民國"]).spaces == (False, False)


@pytest.mark.heavy
def test_the_guide_is_joined_as_its_publisher_wrote_it():
    path = CORPORA / "debian-installguide-ko" / "install.ko.pdf.gz"
    if not path.is_file():
        pytest.skip("the corpus debian-installguide-ko is not here")
    found = reader.extract(item(gzip.decompress(path.read_bytes())))
    assert (found.title, found.date) == ("데비안 GNU/리눅스 설치 안내서", "2025-08-17")
    assert found.text.count("\n제 3 장. 데비안") == 0  # a running head
    assert "소프트웨어 개발자를 공개적으로 모집" in found.text
    assert "데비안의 선언입니다." in found.text
