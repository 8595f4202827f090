"""The independent look over a release: what it finds, what it leaves alone, and that it never shows a value."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters import redact
from malmoi.releases import residue
from malmoi.releases.publish import publish
from malmoi.releases.residue import Residue, kinds
from tests.builders.rows import each_row
from tests.builders.small_release import documents, inputs

ROOT = Path(__file__).resolve().parents[2]
FOUND = [
    ("연락처는 010-0000-1234입니다", "phone"),
    ("연락처는 ０１０－００００－１２３４입니다", "phone"),
    ("연락처는 01\u200b0-0000\u200b-1234입니다", "phone"),
    ("전   화  0 3 3 - 0 0 0 - 4 1 7 2", "phone"),
    ("공일공 이삼사오 육칠팔구로 주세요", "phone"),
    ("국제전화 +82 10-0000-1234", "phone"),
    ("사무실 02)000-1234", "phone"),
    ("메일은 hong@example.kr로", "email"),
    ("메일은 info@naver.com입니다", "email"),
    ("민원실 담당자 02-123-4567", "phone"),
    ("대표전화 010-0000-1234", "phone"),
    ("메일은 hong 골뱅이 example.kr로", "email"),
    ("메일은 hong＠example．kr로", "email"),
    ("뽑히신 분은 hong at example.kr로", "email"),
    ("편집팀 (hong at example.co.kr)", "email"),
    ("주민등록번호 991331-1234567", "rrn"),
    ("신청인 (990131-1234567)", "rrn"),
    ("신청인 990131-1******", "rrn"),
    ("주민등록번호 990131-\n1234567", "rrn"),
    ("외국인등록번호 9901315234567", "frn"),
    ("카드번호 0000-0000-0000-0001", "card"),
    ("결제는 4000-0000-0000-0002로", "card"),
    ("결제는 4000 0000 0000 0002로", "card"),
    ("계좌번호 000-00-000001", "account"),
    ("개인사업자 000-12-00000", "brn"),
    ("운전면허 11-00-000000-00", "driver_license"),
    ("면허는 서울 00-000001-00이다", "driver_license"),
    ("보험증번호 0-0000000001", "health_insurance"),
    ("여권번호 M000A0000", "passport"),
    ("차는 00가 0000이다", "vehicle"),
    ("생년월일: 1990년 1월 2일", "birth_date"),
    ("없는로 12, 101동 1203호", "address"),
    ("접속 ip=1.255.10.20", "ip"),
    ("접속 2001:2d8:0:1::9d", "ip"),
    ("단말 02:00:00:aa:bb:cc", "mac"),
    ("https://a.example/?access_token=abcd1234efgh", "url_secret"),
    ("postgres://app:pass0000@db/orders", "url_secret"),
    ("AKIA0000TESTTEST0000", "key"),
    ("token ghp_0000TestTestTestTest0000TestTestTest", "key"),
    ("-----BEGIN PRIVATE KEY-----", "key"),
]
LEFT_ALONE = [
    "[전화번호1], [이메일1], [주민등록번호2]로 연락",
    "옮긴이 허영주 민붕식 9788960770065",
    "주민등록번호 [주민등록번호1], 계좌번호 [계좌번호1] 2024-01-02 10:20:30",
    "대표번호 1588-0000",
    "법인등록번호 110111-0000000",
    "사업자등록번호 000-81-00000",
    "2024-01-02 ~ 2024-03-04, 1592-1598년",
    "ISBN 978-89-0000-000-0, 바코드 8801234567893",
    "버전 21.14.30.211, 제1.2.3.4조",
    "사건 2009헌바145144, 문서번호 2024-0000-12345678",
    "sha256 a01012345678b0c4d5e6f7",
    "291조9000억 원과 12개9800원",
    "react@18.2.0과 @types/node",
    "1,234,567,890원",
    "sk-learn-contrib-tutorial-2024, npm_config_registry_for_the_whole_team",
    "4539, 1488, 0343, 6467",
    "값 4539 1488 0343 6467 5120",
    "걸린 때 1707058862118, 1712105148259",
    "hardware ethernet 01:23:45:67:89:AB;",
    "Have a look at www.example.org, or online at api.example.org",
    "all talks of the conference 2024 at conf2024.example.org",
    "0061 0315 0300 05AE 1E010 0315 0062",
    "hong@example.com, kim@mail.example.org, lee@club.example, user@host.test",
    "info@malmoi-a.kr, helpdesk@univ.ac.kr, webmaster@city.go.kr",
    "010-0000-0000, 02-000-0000, 사업자등록번호 000-00-00000",
    "주민등록번호 123456-1234567, 000000-0000000",
    "카드번호 4242-4242-4242-4242, 1234-5678-9012-3456, 1111-2222-3333-4444",
    "계좌번호 123-456-789012, 여권번호 M12345678, 면허번호 11-22-333333-44",
    "정보공개과 Tel. 044-200-1234, 고객센터 02-123-4567, 대표전화: 031-123-4567",
]


@each_row(("text", "kind"), FOUND, ids=[t[:24] for t, _ in FOUND])
def test_what_tells_a_person_is_found_once_with_its_kind(text: str, kind: str) -> None:
    assert list(residue.kinds(text)) == [kind]


@each_row("text", LEFT_ALONE)
def test_placeholders_and_ordinary_numbers_are_left_alone(text: str) -> None:
    assert list(residue.kinds(text)) == []


def scan(folder: Path) -> list[Residue]:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    looks = [look for name in names for look in residue.look(folder, name)]
    return sorted(Residue(look.file, look.column, kind, count) for look in looks for kind, count in look.found)


def test_a_release_without_personal_data_has_no_residue(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", documents()), tmp_path / "release", tmp=tmp_path / "tmp")
    assert scan(tmp_path / "release") == []


def test_a_canary_is_found_in_every_column_and_every_kind_of_file(tmp_path: Path) -> None:
    canary = "010-0000-1234"
    (tmp_path / "data").mkdir()
    forms = pa.array([{"form": ["전화", "010", "-", "0000", "-", "1234"]}])
    table = pa.table({"text": [canary], "title": [f"제목 {canary}"], "n": [1], "morphemes": forms,
                      "pii": pa.array([[{"kind": canary, "n": 1}]]),
                      "source": pa.array([canary]).dictionary_encode()})  # fmt: skip
    pq.write_table(table, tmp_path / "data" / "a.parquet")
    for name in ("card.json", "README.md", "run.log", "NOTICE"):
        (tmp_path / name).write_text(f"첫 줄\n{canary}\n", encoding="utf-8")
    (tmp_path / f"{canary}.txt").write_text("", encoding="utf-8")
    assert scan(tmp_path) == [
        Residue(f"{canary}.txt", "", "phone", 1),
        *(Residue(name, "", "phone", 1) for name in ("NOTICE", "README.md", "card.json")),
        *(Residue("data/a.parquet", column, "phone", 1)
          for column in ("morphemes.form", "pii.kind", "source", "text", "title")),
        Residue("run.log", "", "phone", 1),
    ]  # fmt: skip


def test_two_values_side_by_side_do_not_grow_into_one_number(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["구역 010-00", "00-1234"]}), tmp_path / "a.parquet")
    assert scan(tmp_path) == []


def test_morphemes_are_read_with_the_blanks_that_stood_between_them(tmp_path: Path) -> None:
    text, forms = "npx app@latest Next.js 쪽 010-0000-1234", "npx app @ latest Next . js 쪽 010 - 0000 - 1234".split()
    starts, at = [], 0
    for form in forms:
        starts.append(text.index(form, at))
        at = starts[-1] + len(form)
    whole = {"form": forms, "tag": ["SL"], "start": starts, "length": [len(form) for form in forms]}
    uneven = {"form": ["010-0000-", "1234"], "tag": ["SN"], "start": [0], "length": [9]}
    for rows, count in (([whole, None], 1), ([uneven], 1)):
        pq.write_table(pa.table({"morphemes": rows}), tmp_path / "a.parquet")
        assert list(residue.kinds("".join(forms))) == ["phone", "email"]
        assert [(one.column, one.kind, one.count) for one in scan(tmp_path)] == [("morphemes.form", "phone", count)]


def test_a_long_line_is_read_in_pieces_and_nothing_at_the_seam_is_lost(tmp_path: Path) -> None:
    text = "가" * (residue.PIECE - 5) + " 010-0000-1234 " + "나" * 10
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    assert [(one.file, one.kind) for one in scan(tmp_path)] == [("long.txt", "phone")]


def test_a_file_that_cannot_be_read_is_an_error_and_not_a_proof(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(pa.ArrowInvalid):
        scan(tmp_path)


def test_the_second_look_shares_nothing_with_the_first() -> None:
    for path in (ROOT / "malmoi" / "releases" / "residue").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not [n for n in names if n.split(".")[0] in ("filters", "re", "re2", "regex")], path.name


@each_row("range_", redact._RESERVES)
def test_what_stands_in_the_place_of_a_value_is_no_find(range_: str) -> None:
    reserve = redact._RESERVES[range_]
    label = {"card": "카드번호", "brn": "사업자등록번호", "rrn": "주민등록번호", "frn": "외국인등록번호"}.get(
        range_, ""
    )
    for number in (1, 7, 99, min(reserve.size, 254), reserve.size):
        value = reserve.form(number)
        assert list(kinds(f"{label} {value} 입니다")) == [], value


HOSTILE = (
    "1",
    "1 ",
    "010-",
    "a@",
    "@a.",
    "990131-1",
    "주민등록번호",
    "::",
    "1:",
    "여권",
    "https://",
    "=",
    "공일",
    "12가",
)


@pytest.mark.heavy
@pytest.mark.parametrize("part", HOSTILE)
def test_the_work_grows_with_the_text_and_no_faster(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(n: int) -> int:
        calls: Counter[str] = Counter()
        text = part * n
        sys.setprofile(lambda frame, event, _: calls.update([event]))
        try:
            for _ in residue.kinds(text):
                pass
        finally:
            sys.setprofile(None)
        return calls.total()

    assert work(1600) <= 5 * work(400) + 200
