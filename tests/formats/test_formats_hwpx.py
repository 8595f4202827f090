"""HWPX and HWPML become the same text as HWP 5 does; HWP 3 is named."""

from __future__ import annotations

import time

import pytest

from tests.builders.documents import small_hwp as small
from tests.builders.documents.small_hwp import read
from tests.builders.rows import each_row

# HWPX -------------------------------------------------------------------------------------------------------------


def owpml(*paragraphs: str) -> str:
    return read(small.hwpx("".join(paragraphs)), "a.hwpx").text


def test_sections_come_in_the_order_of_the_spine() -> None:
    found = read(small.hwpx(small.p("둘째"), small.p("첫째"), small.p("셋째"), order=(1, 0)), "a.hwpx")
    assert (found.text, found.format) == ("첫째\n둘째\n셋째", "hwpx")


def test_a_package_without_a_list_of_parts_is_read_by_their_names() -> None:
    assert read(small.hwpx(small.p("하나"), small.p("둘"), more={"Contents/content.hpf": ""})).text == "하나\n둘"


def test_a_section_that_the_package_names_and_does_not_hold_is_damage() -> None:
    item, spine = '<item id="s" href="Contents/section7.xml"/>', '<spine><itemref idref="s"/></spine>'
    package = f"<package><manifest>{item}</manifest>{spine}</package>"
    assert read(small.hwpx(small.p("하나"), more={"Contents/content.hpf": package})).reason == "damaged"


def test_elements_inside_words_are_white_space_and_marks_are_nothing() -> None:
    inner = '가<hp:tab width="1"/>나<hp:lineBreak/>다<hp:nbSpace/>라<hp:fwSpace/>마<hp:markpenBegin color="#FF"/>바'
    assert owpml(small.p(f"<hp:t>{inner}</hp:t>")) == "가 나\n다 라 마바"


def test_what_a_tracked_change_deleted_is_left_out_across_runs() -> None:
    first = (
        '<hp:t>변경<hp:deleteBegin Id="1"/> 지움</hp:t></hp:run><hp:run><hp:t>더 지움<hp:deleteEnd Id="1"/> 남음</hp:t>'
    )
    assert owpml(small.p(first), small.p('<hp:t><hp:insertBegin Id="2"/>넣음</hp:t>')) == "변경 남음\n넣음"


@each_row(
    "hidden",
    ["header", "footer", "hiddenComment", "secPr", "fieldBegin", "pageNum", "edit", "linesegarray", "shapeComment"],
)
def test_what_is_not_the_body_is_left_out(hidden: str) -> None:
    inner = f"<hp:ctrl><hp:{hidden}><hp:subList>{small.p('숨음')}</hp:subList></hp:{hidden}></hp:ctrl>"
    assert owpml(small.p(f"<hp:t>보임</hp:t>{inner}")) == "보임"


def test_tables_boxes_notes_and_equations_stand_where_they_belong() -> None:
    made = small.cells([small.p("이름"), small.p("뜻")], [small.p("말"), small.p("모", "이") + small.p("둘")])
    box = f"<hp:rect><hp:drawText><hp:subList>{small.p('상자')}</hp:subList></hp:drawText></hp:rect>"
    note = f"<hp:ctrl><hp:footNote><hp:subList>{small.p('각주')}</hp:subList></hp:footNote></hp:ctrl>"
    equation = "<hp:equation><hp:shapeComment>수식입니다.</hp:shapeComment><hp:script>x^2</hp:script></hp:equation>"
    assert owpml(small.p(made), small.p("<hp:t>낱</hp:t>" + note + box + "<hp:t>말</hp:t>" + equation)).split("\n") == [
        "| 이름 | 뜻 |",
        "| --- | --- |",
        "| 말 | 모이 둘 |",
        "낱말 x^2",
        "각주",
        "상자",
    ]


def test_boxes_in_groups_and_captions_are_read_once() -> None:
    box = f"<hp:rect><hp:drawText><hp:subList>{small.p('안')}</hp:subList></hp:drawText></hp:rect>"
    caption = f"<hp:caption><hp:subList>{small.p('그림 1')}</hp:subList></hp:caption>"
    assert owpml(small.p(f"<hp:container>{caption}{box}</hp:container>")) == "안\n그림 1"
    equation = f"<hp:equation><hp:script>x</hp:script>{caption}</hp:equation>"
    assert owpml(small.p("<hp:t>식</hp:t>" + equation)) == "식 x\n그림 1"


def test_a_caption_precedes_or_follows_its_object_as_on_the_page() -> None:
    def with_caption(element: str, side: str) -> str:
        caption = f'<hp:caption side="{side}"><hp:subList>{small.p("설명")}</hp:subList></hp:caption>'
        return owpml(small.p(element.replace(">", f">{caption}", 1)))

    table, rows = small.cells([small.p("가"), small.p("나")]), "| 가 | 나 |\n| --- | --- |"
    box = f"<hp:rect><hp:drawText><hp:subList>{small.p('상자')}</hp:subList></hp:drawText></hp:rect>"
    for above, below in (("TOP", "BOTTOM"), ("LEFT", "RIGHT")):
        assert (with_caption(table, above), with_caption(table, below)) == (f"설명\n{rows}", f"{rows}\n설명")
        assert (with_caption(box, above), with_caption(box, below)) == ("설명\n상자", "상자\n설명")


@pytest.mark.parametrize(
    "prompt",
    [
        '<hp:stringParam name="Command">Clickhere:set:40:Direction:wstring:8:이름을 쓰세요. </hp:stringParam>',
        '<hp:stringParam name="Direction">이름을 쓰세요.</hp:stringParam>',
    ],
)
def test_the_prompt_of_an_empty_form_field_is_left_out(prompt: str) -> None:
    def form(typed: str, dirty: int = 0, kind: str = "CLICK_HERE") -> str:
        begin = f'<hp:fieldBegin type="{kind}" dirty="{dirty}"><hp:parameters>{prompt}</hp:parameters></hp:fieldBegin>'
        begin, end = f"<hp:ctrl>{begin}</hp:ctrl>", "<hp:ctrl><hp:fieldEnd/></hp:ctrl>"
        return owpml(small.p(f"<hp:t>성명: </hp:t>{begin}", typed, end, "<hp:t> (인)</hp:t>"))

    assert form("이름을 쓰세요.") == "성명: (인)"
    assert form("이름을 쓰세요.", dirty=1) == form("이름을 쓰세요.", kind="HYPERLINK") == "성명: 이름을 쓰세요. (인)"
    assert form("주시경") == "성명: 주시경 (인)"


def test_the_eighth_level_has_a_number_too() -> None:
    levels = "".join(f'<hh:paraHead level="{at}" numFormat="DIGIT">^{at})</hh:paraHead>' for at in range(1, 11))
    shapes = "".join(
        f'<hh:paraPr id="{at}"><hh:heading type="NUMBER" idRef="1" level="{at}"/></hh:paraPr>' for at in (7, 9)
    )
    head = f'<hh:numbering id="1">{levels}</hh:numbering>{shapes}'
    body = small.p("여덟째", shape=7) + small.p("열째", shape=9) + small.p("열째", shape=9)
    assert read(small.hwpx(body, head=head)).text == "1) 여덟째\n1) 열째\n2) 열째"


def test_the_large_first_letter_belongs_to_its_word() -> None:
    letter = f"<hp:drawText><hp:subList>{small.p('발')}</hp:subList></hp:drawText>"
    assert owpml(small.p(f'<hp:rect dropcapstyle="DoubleLine">{letter}</hp:rect>', "광다이오드")) == "발광다이오드"


def test_numbers_of_the_head_are_counted_through_tables_and_sections() -> None:
    head = (
        '<hh:numbering id="3"><hh:paraHead level="1" start="1" numFormat="DIGIT">^1.</hh:paraHead>'
        '<hh:paraHead level="2" start="1" numFormat="HANGUL_SYLLABLE">^1.^2)</hh:paraHead></hh:numbering>'
        '<hh:bullet id="1" char="\uf0a7"/>'
        '<hh:paraPr id="0"><hh:heading type="NONE" idRef="0" level="0"/></hh:paraPr>'
        '<hh:paraPr id="1"><hh:heading type="NUMBER" idRef="3" level="0"/></hh:paraPr>'
        '<hh:paraPr id="2"><hh:heading type="NUMBER" idRef="3" level="1"/></hh:paraPr>'
        '<hh:paraPr id="3"><hh:heading type="BULLET" idRef="1" level="0"/></hh:paraPr>'
    )
    first = small.p("하나", shape=1) + small.p("둘", shape=2) + small.p(small.cells([small.p("셋", shape=2)]))
    body = small.hwpx(first, small.p("넷", shape=1) + small.p("다섯", shape=3), head=head)
    assert read(body).text == "1. 하나\n1.가) 둘\n1.나) 셋\n2. 넷\n• 다섯"


def test_the_package_gives_title_author_and_date() -> None:
    body = small.hwpx(small.p("글"), title="말모이 계획", author="주시경", date="2024-01-05T20:00:00Z")
    assert (read(body).title, read(body).author, read(body).date) == ("말모이 계획", "주시경", "2024-01-06")


def test_the_beginning_of_the_first_line_is_no_title() -> None:
    assert read(small.hwpx(small.p("말모이는 사전이다."), title="말모이는")).title == ""


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("<m:manifest xmlns:m='m'><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>", "encrypted"),
        ("<manifest><file-entry><drm-info/></file-entry></manifest>", "drm"),
        ("<manifest", "damaged"),
    ],
)
def test_a_locked_archive_is_named_by_its_lock(manifest: str, reason: str) -> None:
    assert read(small.hwpx(small.p("글"), more={"META-INF/manifest.xml": manifest}), "a.hwpx").reason == reason


def test_entities_and_bombs_in_an_archive_are_named() -> None:
    bomb = {"Contents/section0.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}
    assert read(small.hwpx(small.p("글"), more=bomb)).reason == "xml-entities"
    assert read(small.hwpx("<hp:p/>" * 10_000_000)).reason == "archive-bomb"


def test_a_paragraph_that_would_take_all_memory_is_too_large() -> None:
    wide = "".join(f"<hp:run a{number % 7}='{number}'/>" for number in range(600_000))
    assert read(small.hwpx(f"<hp:p>{wide}</hp:p>")).reason == "too-large"


def test_a_long_section_costs_time_by_its_length_only() -> None:
    body = small.hwpx("".join(small.p(f"{number}번째 문단이다.") for number in range(60_000)))
    started = time.process_time()
    assert read(body).text.count("\n") == 59_999
    assert time.process_time() - started < 5


def test_markup_nested_without_end_is_damage() -> None:
    assert read(small.hwpx("<hp:p><hp:run>" * 3000 + "</hp:run></hp:p>" * 3000)).reason == "damaged"


# HWPML, HWP 3 -----------------------------------------------------------------------------------------------------


def test_one_file_of_hwpml_is_read_whatever_it_is_called() -> None:
    head = (
        "<DOCSUMMARY><TITLE>말모이 계획</TITLE><AUTHOR>주시경</AUTHOR><DATE>2024년 1월 5일 금요일</DATE></DOCSUMMARY>"
        "<MAPPINGTABLE><NUMBERINGLIST><NUMBERING Id='1'><PARAHEAD Level='1' NumFormat='HangulSyllable'>^1.</PARAHEAD>"
        "</NUMBERING></NUMBERINGLIST><PARASHAPELIST><PARASHAPE Id='4' HeadingType='Number' Heading='1' Level='0'/>"
        "</PARASHAPELIST></MAPPINGTABLE>"
    )
    cell = "<CELL ColAddr='{}' RowAddr='0'><PARALIST><P><TEXT><CHAR>{}</CHAR></TEXT></P></PARALIST></CELL>"
    body = small.hwpml(
        "<P ParaShape='4'><TEXT><SECDEF/><CHAR>첫<TAB/>줄</CHAR></TEXT></P>",
        "<P><TEXT><FIELDBEGIN Type='Clickhere' Dirty='false' Command='Clickhere:set:9:Direction:wstring:3:쓰세요 '/>"
        "<CHAR>쓰세요</CHAR><FIELDEND/></TEXT></P>",
        f"<P><TEXT><TABLE><ROW>{cell.format(0, '가')}{cell.format(1, '나')}</ROW></TABLE></TEXT></P>",
        "<P><TEXT><HEADER><PARALIST><P><TEXT><CHAR>머리</CHAR></TEXT></P></PARALIST></HEADER><CHAR>끝</CHAR></TEXT></P>",
        head=head,
    )
    found = read(body, "a.hwp")
    assert (found.format, found.text) == ("hwpml", "가. 첫 줄\n| 가 | 나 |\n| --- | --- |\n끝")
    assert (found.title, found.author, found.date) == ("말모이 계획", "주시경", "2024-01-05")


def test_pictures_in_hwpml_may_be_longer_than_a_text_may() -> None:
    picture = "<BINDATASTORAGE><BINDATA Id='1' Encoding='Base64'>" + "QUJD" * 3_000_000 + "</BINDATA></BINDATASTORAGE>"
    assert read(small.hwpml("<P><TEXT><CHAR>글</CHAR></TEXT></P>", head=picture)).text == "글"


def test_a_cut_off_hwpml_is_damage() -> None:
    assert read(small.hwpml("<P><TEXT><CHAR>글</CHAR></TEXT></P>")[:-20], "a.hml").reason == "damaged"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"HWP Document File V3.00 \x1a\1\2\3\4\5" + bytes(2000), "unsupported-version:hwp3"),
        (b"HWP Document File V3.00 \x1a\1\2\3\4\5" + bytes(96) + b"\1\0" + bytes(2000), "encrypted"),
        (b"HWP Document File V3.00 \x1a", "damaged"),
    ],
)
def test_the_format_of_the_nineties_is_named(body: bytes, reason: str) -> None:
    assert (read(body).format, read(body).reason) == ("hwp3", reason)
