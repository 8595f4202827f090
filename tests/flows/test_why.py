"""`malmoi why`: a copy beside its keeper, aligned, marked, folded, and never more than there is to see."""

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import data_cards
from flows import why
from flows.console import SafeConsole
from flows.reports.side_by_side import FOLDED, ROWS, Side, align, rows, show_pair
from malmoi.apply import Dropped
from malmoi.document import LicenceEvidence, Signal, Verdict
from malmoi.errors import CallError
from malmoi.releases.partitioning import COPIES
from malmoi.releases.publish import publish
from malmoi.url_privacy import digest_id
from tests.builders.small_release import document, documents, dropped, inputs, stage

KEPT = """봄맞이 청소를 다음 주 토요일 아침 아홉 시에 합니다.
장갑과 빗자루는 마을 회관에 있으니 빈손으로 오셔도 됩니다.
끝나면 함께 점심을 먹고, 남은 음식은 나누어 가져갑니다.
"""
COPY = KEPT.replace("다음 주", "이번 주").replace("회관에 있으니", "회관에있으니") + "문의는 이장에게 하십시오.\n"
WORSE = COPY.replace("장갑과 빗자루", "호미와 낫") + "비가 오면 쉽니다.\n"
LONG = "".join(f"{n}째 줄에는 {n * 7}라는 수가 적혀 있다.\n" for n in range(200))


def printed(width: int = 80, *, color: bool = False) -> tuple[SafeConsole, io.StringIO]:
    to = io.StringIO()
    system = "truecolor" if color else None
    return SafeConsole(file=to, width=width, color_system=system, force_terminal=color), to


def told(where: Path, doc_id: str, width: int = 80, **more: str) -> str:
    out, to = printed(width)
    why.show(where, doc_id, out, **more)
    return to.getvalue()


def table(workspace: Path, name: str, *copies: tuple) -> None:
    (workspace / "surveys" / name).mkdir(parents=True)
    made = pa.table([list(column) for column in zip(*copies, strict=True)], schema=COPIES)
    pq.write_table(made, workspace / "surveys" / name / "table.parquet")


NEAR = ("ga/2", "ga/1", "near", 0.8125, "estimated", "completeness", "")
NEARER = ("ga/3", "ga/1", "near", 0.78125, "exact", "date", "")
SAME = ("ga/4", "ga/1", "exact", 1.0, "exact", "id", "")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    texts = {1: KEPT, 2: COPY, 3: WORSE, 4: KEPT.replace(" ", ""), 5: LONG}
    docs = [replace(document("ga", n), text=text) for n, text in texts.items()]
    stage(root / "3-clean" / "a", "3-clean", docs, [])
    gone = [replace(dropped("ga", d, "near_duplicates", "near-copy"), document=docs[d - 1]) for d in (2, 3, 4)]
    stage(root / "4-judged" / "b", "4-judged", docs, [])
    stage(root / "5-curated" / "c", "5-curated", [docs[0], docs[4]], gone)
    (root / "malmoi.json").write_text('{"format": 1}\n', encoding="utf-8")
    table(root, "now", NEAR, NEARER, SAME)
    return root


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    (root / "tmp").mkdir()
    publish(inputs(root / "in", documents()), root / "r", tmp=root / "tmp")
    data_cards.write(root / "r")
    return root / "r"


def test_a_copy_is_told_its_keeper_how_alike_they_are_and_why(workspace: Path) -> None:
    said = told(workspace, "ga/2", 160)
    assert "cluster  ga/1, 4 documents" in said
    assert "keeper   ga/1\n" in said
    assert "Jaccard similarity 0.812, estimated from signatures (near)" in said
    assert "because it is more complete (completeness)" in said
    assert "{+다음+} 주 토요일" in said and "[-이번-] 주 토요일" in said
    assert "회관에{+␣+}있으니" in said
    assert "[-문의는 이장에게 하십시오.-]" in said


@pytest.mark.parametrize(
    ("kind", "signals", "because"),
    [
        ("image", (), "no proof, only CC-BY-4.0 by image"),
        ("rel-license", ("third-party",), "must look before the text may be used: third-party"),
    ],
)
def test_what_a_document_needs_a_review_for_is_shown(tmp_path: Path, kind: str, signals: tuple, because) -> None:
    marks = (LicenceEvidence("CC-BY-4.0", kind, "item", "CC BY", "a.ccl", "r"),)
    doc = replace(
        document("ga", 1), evidence=marks, signals=tuple(Signal(one, "review", "", "", "r") for one in signals)
    )
    stage(tmp_path / "3-clean" / "a", "3-clean", [], [Dropped(doc, "rights", Verdict("drop", "needs-review"))])
    (tmp_path / "malmoi.json").write_text('{"format": 1}\n', encoding="utf-8")
    said = told(tmp_path, "ga/1", 300)
    assert "dropped by rights: needs-review" in said and because in said, said


def test_a_keeper_stands_beside_the_least_alike_of_its_copies(workspace: Path) -> None:
    said = told(workspace, "ga/1", 160)
    assert "keeper of 3 duplicates" in said
    assert said.index("ga/3: Jaccard") < said.index("ga/2: Jaccard") < said.index("ga/4: equal except for white space")
    assert "its date is earlier (date)" in said
    assert "duplicate: ga/3" in said and "[-호미와 낫-]" in said


def test_only_the_first_copies_of_many_are_listed(workspace: Path) -> None:
    table(workspace, "many", *((f"na/{n}", "ga/5", "near", 0.9, "exact", "id", "") for n in range(2000)))
    said = told(workspace, "ga/5", 160)
    assert "keeper of 2,000 duplicates" in said and "… and 1,990 more" in said
    assert len(said.splitlines()) < 60
    assert "The text of na/0 is no longer available" in said


def test_surveys_that_agree_speak_once(workspace: Path) -> None:
    table(workspace, "again", NEAR, NEARER, SAME)
    said = told(workspace, "ga/2", 160)
    assert said.count("duplicates (survey") == 1
    assert "duplicates (survey again, now)" in said


def test_a_keeper_of_an_earlier_release_is_shown_as_it_was_published(workspace: Path, release: Path) -> None:
    table(workspace, "earlier", ("ga/5", "na/3", "near", 0.9, "estimated", "earlier-release", "sample/1.0.0"))
    said = told(workspace, "ga/5", 160)
    assert "The text of na/3 of sample/1.0.0 is no longer available" in said
    shutil.copytree(release, workspace / "6-releases/sample/1.0.0")
    said = told(workspace, "ga/5", 160)
    assert "keeper   na/3 of the earlier release sample/1.0.0" in said
    assert "keeper, as published in sample/1.0.0: na/3" in said


def test_any_two_documents_can_be_compared(workspace: Path) -> None:
    said = told(workspace, "ga/1", against="ga/4")
    assert said.startswith("Jaccard similarity of these two texts: 1.0000\n")
    assert "document: ga/1" in said and "against: ga/4" in said
    assert "Jaccard similarity of these two texts: 0.0000" in told(workspace, "ga/1", against="ga/5")
    with pytest.raises(CallError, match="no document 'ga/99'"):
        told(workspace, "ga/1", against="ga/99")


def test_a_release_tells_what_is_published_and_where_the_rest_is(release: Path) -> None:
    said = told(release, "ga/106", 160)
    assert "dropped" in said and "keeper   na/3" in said
    assert re.search(r"attribution of the keeper: .*나라회", said)
    assert "A release contains no dropped texts" in said and "malmoi why WORKSPACE ID" in said
    said = told(release, "na/104", 160)
    assert "na/900 of the earlier release sample/0.9.0" in said
    assert "0.953, estimated" in said
    assert "duplicates" not in told(release, "ga/2")
    with pytest.raises(CallError, match="no document"):
        told(release, "ga/77")


def test_two_published_documents_can_be_compared_a_dropped_one_not(release: Path) -> None:
    assert "{+" in told(release, "ga/1", against="ga/2")
    with pytest.raises(CallError, match="does not publish 'ga/106'"):
        told(release, "ga/1", against="ga/106")


def test_a_masked_id_is_for_the_release(workspace: Path) -> None:
    with pytest.raises(CallError, match=r"masked id .* Pass the folder of the release"):
        told(workspace, digest_id("ga/1"))


def test_what_is_neither_workspace_nor_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="neither a workspace nor a release"):
        told(tmp_path, "ga/1")


WORDS = st.text(st.sampled_from("가나다라마바 \n\t\u3000a1.́"), max_size=60)


@given(WORDS, WORDS)
def test_pieces_cover_both_texts_and_equal_means_equal(left: str, right: str) -> None:
    pieces = align(left, right)
    assert "".join(left[slice(*p.left)] for p in pieces) == left
    assert "".join(right[slice(*p.right)] for p in pieces) == right
    for p in pieces:
        one, other = left[slice(*p.left)], right[slice(*p.right)]
        assert (one == other) == (p.kind == "equal")
        assert p.kind != "spacing" or not (one.strip() or other.strip())


@given(WORDS, WORDS)
def test_every_code_point_stands_in_a_row_or_is_folded(left: str, right: str) -> None:
    found = list(rows(left, right))
    assert sum(len(p.text) for r in found for p in r.left) + sum(r.folded for r in found) == len(left)
    assert sum(len(p.text) for r in found for p in r.right) + sum(r.folded for r in found) == len(right)


def test_small_changes_are_found_small() -> None:
    def changed(left: str, right: str) -> list[tuple[str, str]]:
        pieces = [p for p in align(left, right) if p.kind != "equal"]
        return [(left[slice(*p.left)], right[slice(*p.right)]) for p in pieces]

    assert changed("한 번에 다섯 권까지 빌린다.", "한 번에 일곱 권까지 빌린다.") == [("다섯", "일곱")]
    assert changed("책을 빌려 읽다", "책을빌려 읽다") == [(" ", "")]
    assert changed("첫 줄\n둘째 줄\n셋째 줄", "첫 줄\n셋째 줄") == [("둘째 줄\n", "")]
    assert changed(LONG, LONG.replace("777라는", "778라는")) == [("7", "8")]
    assert changed("같다", "같다") == []
    assert changed("", "새 글") == [("", "새 글")]


def test_long_equal_stretches_are_folded_and_counted() -> None:
    found = list(rows(LONG + KEPT + LONG, LONG + COPY + LONG))
    folds = [row.folded for row in found if row.folded]
    assert len(folds) == 2 and min(folds) > len(LONG) - FOLDED
    assert {row.sign for row in found if not row.folded} == {"=", "≠", "<", ">"} - {"<"}
    out, to = printed()
    show_pair(Side("a", "copy", LONG), Side("b", "keeper", LONG + "끝"), out)
    assert f"… {folds[0]:,} equal" not in to.getvalue() and re.search(r"… [\d,]+ equal code points …", to.getvalue())


@pytest.mark.parametrize("width", [80, 160, 41])
@pytest.mark.parametrize("color", [False, True])
def test_both_columns_fit_the_width_in_korean_too(width: int, color: bool) -> None:
    out, to = printed(width, color=color)
    wide = "가나다라마바사아자차카타파하" * 12
    show_pair(Side("가" * 90, "copy", wide + "\n" + COPY), Side("b", "keeper", wide + "끝\n" + KEPT), out)
    said = re.sub(r"\x1b\[[\d;]*m", "", to.getvalue())
    lines = said[said.index("copy: ") :].splitlines()
    assert max(map(cell_len, lines)) <= width
    column = (width - 3) // 2
    assert all(cell_len(line) >= column for line in lines if line.strip())
    assert ("[-" in to.getvalue()) is not color


def test_signs_that_steer_a_terminal_are_not_passed_on(workspace: Path) -> None:
    out, to = printed()
    evil = "\x1b]0;제목\x07가\u202e나\u200b다\x1b[2J"
    show_pair(Side("a\x1b[31m", "copy", evil), Side("b", "keeper", evil + "\x85라"), out)
    assert not set(to.getvalue()) & set("\x1b\x07\u202e\u200b\x85")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("가" * 200_000, "나" * 200_000),
        ("가" * 200_000, "가나" * 100_000),
        ("가나다" * 70_000, "나다라가" * 50_000),
        ("가\n" * 100_000, "가\n나\n" * 50_000),
        ("\n".join(map(str, range(30_000))), "\n".join(map(str, range(30_000, 0, -1)))),
    ],
)
def test_hostile_texts_are_shown_in_few_lines(left: str, right: str) -> None:
    out, to = printed()
    show_pair(Side("a", "copy", left), Side("b", "keeper", right), out)
    assert len(to.getvalue().splitlines()) < 60 * ROWS


def test_what_is_left_out_is_counted() -> None:
    left = "".join(f"{n}번 문장이 여기에 있다.\n" for n in range(300))
    out, to = printed()
    show_pair(Side("a", "copy", left), Side("b", "keeper", left.replace("번 문장이", "번째 글이")), out)
    assert f"… {300 - ROWS} more differences not shown" in to.getvalue()
