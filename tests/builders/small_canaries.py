"""Canaries: a made-up value of every kind of personal data for every place where one may hide in a corpus.

No two places share a value, so that a survivor says where it came from. No number here was given to anybody:
resident numbers are of one made-up day, card and account numbers of no issuer, domains are reserved for examples.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import flows
from tests.builders.small_site import Answer, Site

INSIDE = (  # places inside pages, files and rows
    "body", "title", "author", "description", "alt", "table", "footer", "comment", "signal", "markdown", "row",
    "row-title", "row-author", "keeper", "copy", "dropped", "unlicensed", "failed", "licence-file",
)  # fmt: skip
ADDRESSES = ("path", "query", "file-name", "row-key")
PLACES = (*INSIDE, *ADDRESSES)
SYLLABLES = "민서지준하윤도연은수재영현정유아나다라소시우주채태"
# kind → (what is written for serial number n, the part of it that may not survive)
MADE: dict[str, Callable[[int], tuple[str, str]]] = {
    "rrn": lambda n: (f"주민등록번호 990131-1{n:02}4567", f"990131-1{n:02}4567"),
    "frn": lambda n: (f"외국인등록번호 990131-5{n:02}4567", f"990131-5{n:02}4567"),
    "passport": lambda n: (f"여권번호 M00{n:02}0017", f"M00{n:02}0017"),
    "driver_license": lambda n: (f"운전면허 11-00-00{n:02}17-00", f"11-00-00{n:02}17-00"),
    "phone": lambda n: (f"전화 010-00{n:02}-4321", f"010-00{n:02}-4321"),
    "email": lambda n: (f"메일 canary{n:02}@example.kr", f"canary{n:02}@example.kr"),
    "messenger": lambda n: (f"카카오톡 아이디 bird{n:02}talk", f"bird{n:02}talk"),
    "brn": lambda n: (f"사업자등록번호 1{n:02}-12-00017", f"1{n:02}-12-00017"),
    "crn": lambda n: (f"법인등록번호 1101{n:02}-0000017", f"1101{n:02}-0000017"),
    "account": lambda n: (f"계좌번호 0012{n:02}-01-000017", f"0012{n:02}-01-000017"),
    "card": lambda n: (f"카드번호 0000-00{n:02}-0000-0017", f"0000-00{n:02}-0000-0017"),
    "health_insurance": lambda n: (f"건강보험증번호 0{n:02}00000017", f"0{n:02}00000017"),
    "vehicle": lambda n: (f"차량번호 1{n:02}가 0017", f"1{n:02}가 0017"),
    "address": lambda n: (f"주소 서울특별시 종로구 없는로 1{n:02}, 101동 1203호", f"없는로 1{n:02}"),
    "postcode": lambda n: (f"우편번호 03{n:02}1", f"03{n:02}1"),
    "birth_date": lambda n: (f"생년월일 19{n + 40}년 3월 17일", f"19{n + 40}년 3월 17일"),
    "name": lambda n: (f"피해자 홍{SYLLABLES[n]}솔", f"홍{SYLLABLES[n]}솔"),
    "ip": lambda n: (f"접속 IP 주소 211.1{n:02}.77.88", f"211.1{n:02}.77.88"),
    "mac": lambda n: (f"MAC 주소 00:1b:63:84:45:{n + 16:02x}", f"00:1b:63:84:45:{n + 16:02x}"),
    "url_secret": lambda n: (f"https://a.example.kr/?access_token=q7Rz{n:02}LmX92kPv4TbN8", f"q7Rz{n:02}LmX92kPv4TbN8"),
    "key": lambda n: (f"api_key = 'AKIAQ7RZ{n:02}LMX92KPV4T'", f"AKIAQ7RZ{n:02}LMX92KPV4T"),
}
KINDS = tuple(MADE)


def said(kind: str, place: str) -> str:
    """What is written in a place: the value with the words that call it what it is."""
    return MADE[kind](PLACES.index(place))[0]


def named(kind: str, place: str) -> str:
    """The same without an address in front, as it may stand in a name."""
    return said(kind, place).removeprefix("https://a.example.kr/?")


def secret(kind: str, place: str) -> str:
    """The part of it that may not survive."""
    return MADE[kind](PLACES.index(place))[1]


def recipe(root: Path) -> Path:
    """The general recipe, but for documents with resident numbers, and values of institutions, which are redacted."""
    general = (Path(flows.__file__).parent / "recipes" / "general.toml").read_text(encoding="utf-8")
    kept = general.replace('filter = "quarantine"', 'filter = "quarantine"\nmax_resident_numbers = 1000')
    kept = "\n".join(line for line in kept.split("\n") if not line.startswith("keep_official"))
    (root / "birds.toml").write_text(kept, encoding="utf-8")
    return root / "birds.toml"


# What is planted -----------------------------------------------------------------------------------------------

WORDS = """
이른 아침에|해가 질 무렵|첫눈이 내리던 날|장마가 끝난 뒤|보름달이 뜬 밤에|바람이 잔 오후에|봄볕이 든 뜰에서
마을 사람들이|이웃 아저씨가|서당 훈장이|나루터 사공이|장터 상인이|대장간 일꾼이|산지기 할머니가|방앗간 주인이
낡은 그물을|깨진 항아리를|마른 장작을|두꺼운 책을|무거운 짐을|새 지붕을|긴 편지를|작은 배를|묵은 씨앗을
조심스레 고쳐 놓았다.|함께 나누어 들었다.|말없이 바라보았다.|이웃에게 빌려 주었다.|정성껏 닦아 두었다.
그래야 겨울을 날 수 있었다.|누구도 그 까닭을 묻지 않았다.|아이들은 옆에서 웃었다.|모두가 한숨을 돌렸다.
"""


def prose(name: str, sentences: int = 9) -> list[str]:
    """Sentences that no other name gets."""
    draw, words = random.Random(name), [line.split("|") for line in WORDS.split("\n") if line]
    return [" ".join(draw.choice(choices) for choices in words) for _ in range(sentences)]


def page(kind: str, *, address: str) -> bytes:
    """A page of one kind under CC BY, with a canary in every place that a page has."""
    here = prose(f"page {kind} {address}")
    return f"""<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{said(kind, "title")} 안내</title>
<meta name="author" content="{said(kind, "author")}">
<meta name="description" content="{said(kind, "description")}">
<meta name="robots" content="noimageai, {said(kind, "signal")}"></head><body><main><article><h2>{kind} 이야기</h2>
<p>{" ".join(here[:4])} 문의할 곳은 {said(kind, "body")} 입니다.</p><!-- {said(kind, "comment")} -->
<p><img src="a.png" alt="{said(kind, "alt")}">{" ".join(here[4:])}</p>
<table><tr><th>구분</th><th>내용</th></tr><tr><td>알림</td><td>{said(kind, "table")}</td></tr></table></article>
<footer><a rel="license" href="https://creativecommons.org/licenses/by/4.0/deed.ko">이 글은 CC BY 4.0으로 이용할 수
있습니다. {said(kind, "footer")}</a></footer></main></body></html>""".encode()


SOURCES = '''"""Canaries {name}."""
from pathlib import Path
from malmoi.source import Extracted, Folder, LicenceClaim, LicenceRule, Manners, Site, Source
from crawlers import defaults
SOURCE = Source(
    name={name!r}, title="카나리아", publisher="시험", attribution="{{publisher}}, {{title}}, {{author}}, {{url}}",
    access={access}, {more}
)
'''
FAILS = """
def text(parsed):
    if "failed" in parsed.item.key:
        raise ValueError(parsed.item.body)
    return defaults.text(parsed)
"""
GRANT = "CC BY 4.0으로 이용할 수 있다"


def site(root: Path, served: Site, *, addresses: bool) -> Path:
    """Serve the pages, and write the source that crawls them; with `addresses` the canaries stand in those too."""
    html, links = {"Content-Type": "text/html; charset=utf-8"}, []
    served.answers = {"/robots.txt": Answer(b"User-agent: *\nDisallow:\n", headers={"Content-Type": "text/plain"})}
    for number, kind in enumerate(KINDS):
        path = f"/pages/{number}.html"
        if addresses:
            inner, asked = quote(named(kind, "path"), safe="@:=,'"), quote_plus(named(kind, "query"))
            path = f"/pages/{inner}.html?v={asked}".replace("v=access_token%3D", "access_token=")
        served.answers[path] = Answer(page(kind, address=path if addresses else ""), headers=html)
        links.append(path)
        bare = f"<p>{' '.join(prose(f'unlicensed {kind}'))} {said(kind, 'unlicensed')}</p>"
        served.answers[f"/bare/{number}.html"] = Answer(f"<title>{number}</title>{bare}".encode(), headers=html)
        links.append(f"/bare/{number}.html")
    front = "".join(f'<p><a href="{link}">{number}</a></p>' for number, link in enumerate(links))
    served.answers["/"] = Answer(f"<title>차례</title>{front}".encode(), headers=html)
    host = served.base.removeprefix("http://")
    access = f"Site(start=({served.base + '/'!r},), scope=({served.base + '/'!r},))"
    rule = f'LicenceRule(("rel-license",), (("http://{host}/", "footer"),))'
    more = f"manners=Manners(delay=0.0, concurrency=4, loopback=({host!r},)), rule={rule},"
    (root / "site.py").write_text(SOURCES.format(name="birds", access=access, more=more), encoding="utf-8")
    return root / "site.py"


def folder(root: Path, *, addresses: bool) -> Path:
    """Write files and rows, and the source that reads them: copies, too short, too odd and broken ones among them."""
    home = root / "files"
    home.mkdir()
    rows = []
    for number, kind in enumerate(KINDS):
        name = named(kind, "file-name") if addresses else f"{number}"
        told = "\n\n".join(prose(f"markdown {kind}"))
        (home / f"{name}.md").write_text(f"# {kind}\n\n{told}\n\n- {said(kind, 'markdown')}\n", encoding="utf-8")
        same = "\n\n".join(prose(f"copy {kind}", 14))
        for place in ("keeper", "copy"):
            (home / f"{place}-{number}.md").write_text(f"{same}\n\n알림: {said(kind, place)}\n", encoding="utf-8")
        (home / f"dropped-{number}.md").write_text(f"{said(kind, 'dropped')}\n", encoding="utf-8")
        rows.append({"id": named(kind, "row-key") if addresses else f"row-{number}",
                     "title": f"{said(kind, 'row-title')} 안내", "author": said(kind, "row-author"),
                     "text": f"{' '.join(prose(f'row {kind}'))} {said(kind, 'row')}"})  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (home / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (home / "failed.md").write_text("\n\n".join(said(kind, "failed") for kind in KINDS), encoding="utf-8")
    grant = [f"이 글은 {GRANT}.", *(said(kind, "licence-file") for kind in KINDS)]
    (home / "LICENCE.txt").write_text("\n".join(grant) + "\n", encoding="utf-8")
    more = f'claim=(LicenceClaim("CC-BY-4.0", {GRANT!r}, file="LICENCE.txt"),), rule=LicenceRule(("licence-file",)),'
    source = SOURCES.format(name="nests", access=f"Folder(Path({str(home)!r}))", more=more) + FAILS
    (root / "folder.py").write_text(source, encoding="utf-8")
    return root / "folder.py"


# Where they are looked for -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hay:
    """Something that may hold canaries: where it stands, and its text."""

    where: str
    text: str


def hay(folder: Path) -> Iterator[Hay]:
    """Everything below a folder: names, the bytes of every file, and the decoded strings of every Parquet file."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        yield Hay(f"{name} (name)", name)
        yield Hay(f"{name} (bytes)", path.read_bytes().decode("utf-8", "replace"))
        if path.suffix == ".parquet":
            yield from decoded(name, pq.read_table(path, partitioning=None))
        if path.suffix == ".arrow":
            yield from decoded(name, pa.ipc.open_file(path).read_all())


def decoded(name: str, table: pa.Table) -> Iterator[Hay]:
    """The values of every column of strings, at any depth; lists of strings, such as morphemes, put together."""
    for column in table.column_names:
        yield from _strings(f"{name}, {column}", table[column].combine_chunks())


def _strings(where: str, column: pa.Array) -> Iterator[Hay]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _strings(where, column.dictionary_decode())
    elif pa.types.is_string(kind):
        yield Hay(where, "\n".join(v for v in column.to_pylist() if v))
    elif pa.types.is_binary(kind):
        yield Hay(where, "\n".join(v.decode("utf-8", "replace") for v in column.to_pylist() if v))
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _strings(f"{where}.{field.name}", pc.struct_field(column, field.name))
    elif pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        yield Hay(where, "\n".join("".join(map(str, v)) for v in column.to_pylist() if v))
    elif pa.types.is_list(kind):
        yield from _strings(where, pc.list_flatten(column))


def survivors(found: Iterable[Hay], places: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """(kind, place) → where the canary was seen, in any disguise; an empty dictionary means that all are gone."""
    needles = [(kind, place, needle) for place in places for kind in KINDS for needle in _disguises(kind, place)]
    seen: dict[tuple[str, str], list[str]] = {}
    for one in found:
        plain = "\n".join(dict.fromkeys((one.text, unquote(one.text), unquote_plus(one.text))))
        views = {"as": plain, "lower": plain.lower(), "bare": re.sub(r"[^0-9A-Za-z가-힣\n]", "", plain).lower()}
        for kind, place, (view, needle) in needles:
            if needle in views[view] and _whole(views[view], needle):
                seen.setdefault((kind, place), []).append(one.where)
    return {key: list(dict.fromkeys(where)) for key, where in seen.items()}


def _disguises(kind: str, place: str) -> set[tuple[str, str]]:
    """A canary as it stands, in small letters, without signs and blanks, percent-encoded and in base64."""
    value = secret(kind, place)
    forms = {("as", value), ("lower", value.lower()), ("as", quote(value)), ("as", quote(value, safe="").lower())}
    bare = re.sub(r"[^0-9A-Za-z가-힣]", "", value).lower()
    if len(bare) >= 8:  # a shorter one may stand in a digest by chance
        forms.add(("bare", bare))
    for lead in range(3):  # of the three alignments, the part that does not depend on what stands around it
        coded = base64.b64encode(b"\0" * lead + value.encode()).decode().rstrip("=")
        inner = coded[4 if lead else 0 : len(coded) // 4 * 4 - 4]
        if len(inner) >= 8:
            forms.add(("as", inner))
    return forms


def _whole(text: str, needle: str) -> bool:
    """Whether it stands somewhere as more than a stretch of a longer row of digits or letters; long ones always do."""
    if len(needle) >= 8:
        return True
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(needle)}(?![0-9A-Za-z])", text) is not None
