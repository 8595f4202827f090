"""The world of the unseen cases: a small site on loopback, the command as a black box, and readers of every file.

Nothing here imports the product. All people, works and numbers are fictional.
"""

import contextlib
import gzip
import hashlib
import html
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import unicodedata
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
PORT = int(os.environ.get("MALMOI_UNSEEN_PORT", "8777"))
HOST = f"http://127.0.0.1:{PORT}"
PYTHON = sys.executable
MALMOI = str(Path(PYTHON).parent / "malmoi")

WHO = "어부 화가 목수 농부 교사 약사 기관사 정원사 도예가 사서 요리사 항해사 재단사 인쇄공 등대지기 측량사 제빵사 염색공 악공 시계공".split()
PLACE = "포구 언덕 골목 방앗간 나루터 성곽 온실 역사 장터 도서관 다리 염전 과수원 양조장 공방 분교 관측소 우체국 저수지 산장".split()
THING = (
    "그물 물감 대패 씨앗 지도 저울 등잔 화분 가마 목록 반죽 나침반 실패 활자 악보 태엽 망원경 소금 편지 우산".split()
)
WHEN = "이른 새벽에|해가 기울 무렵|장마가 그친 뒤|첫서리가 내린 날|보름달이 뜬 밤|눈이 녹을 때|바람이 잔 오후에|단풍이 든 주말에|안개가 걷히자|비가 오기 전에".split(
    "|"
)
DID = (
    "조심스럽게 꺼내어 햇볕에 말렸다|하나하나 세어 장부에 적었다|이웃에게 나누어 주고 돌아왔다|오래 들여다보다가 다시 제자리에 두었다|"
    "손질하는 법을 아이들에게 가르쳤다|새것으로 바꾸자고 마을 회의에서 말했다|망가진 곳을 고치느라 밤을 새웠다|잃어버린 줄 알았다가 선반 뒤에서 찾았다|"
    "무게를 달아 보고 고개를 끄덕였다|깨끗한 천으로 싸서 상자에 넣었다|다른 고장에서 가져온 것과 견주어 보았다|그림으로 남기려고 공책을 폈다"
).split("|")
WHY = (
    "그 일을 지켜본 사람은 많지 않았다.|기록에는 그 까닭이 짧게만 남아 있다.|덕분에 이듬해 살림이 조금 나아졌다.|나중에야 모두가 그 뜻을 알게 되었다.|"
    "이 방법은 지금도 몇몇 집에서 쓰인다.|소문은 강을 건너 이웃 마을까지 퍼졌다.|그러나 결과는 예상과 사뭇 달랐다.|아무도 그 까닭을 묻지 않았다."
).split("|")


def write_prose(seed: str, sentences: int = 12) -> list[str]:
    """Paragraphs of Korean prose that depend on the seed alone; two seeds share few shingles."""
    draw = random.Random(seed)
    out = []
    for _ in range(sentences):
        josa = draw.choice(WHO)
        end = "은" if (ord(josa[-1]) - 0xAC00) % 28 else "는"
        thing = draw.choice(THING)
        obj = "을" if (ord(thing[-1]) - 0xAC00) % 28 else "를"
        out.append(
            f"{draw.choice(WHEN)} {draw.choice(PLACE)}의 {josa}{end} {thing}{obj} {draw.choice(DID)}. {draw.choice(WHY)}"
        )
    return [" ".join(out[i : i + 3]) for i in range(0, len(out), 3)]


def page(title: str, paragraphs: list[str], *, author: str = "", licence: str = "", head: str = "", links=()) -> bytes:
    """One page of the site; `licence` is the address of a Creative Commons deed for rel=license."""
    mark = f'<p><a rel="license" href="{licence}">크리에이티브 커먼즈 라이선스</a></p>' if licence else ""
    by = f'<meta name="author" content="{html.escape(author)}">' if author else ""
    body = "".join(f"<p>{html.escape(p)}</p>" for p in paragraphs)
    refs = "".join(f'<li><a href="{html.escape(h)}">{html.escape(t)}</a></li>' for h, t in links)
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{html.escape(title)}</title>{by}{head}</head>'
        f"<body><article><h1>{html.escape(title)}</h1>{body}{mark}</article><nav><ul>{refs}</ul></nav></body></html>"
    ).encode()


def docx(paragraphs: list[str]) -> bytes:
    """A small DOCX."""
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = "".join(f"<w:p><w:r><w:t>{html.escape(p)}</w:t></w:r></w:p>" for p in paragraphs)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        z.writestr(
            "_rels/.rels",
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        )
        z.writestr("word/document.xml", f'<?xml version="1.0"?><w:document {w}><w:body>{body}</w:body></w:document>')
    return out.getvalue()


def pdf(paragraphs: list[str]) -> bytes:
    """A PDF of one page whose text layer has a ToUnicode table."""
    lines = [p[i : i + 38] for p in paragraphs for i in range(0, len(p), 38)]
    chars = sorted({c for line in lines for c in line})
    code = {c: n + 1 for n, c in enumerate(chars)}
    rows = [f"<{code[c]:04X}> <{c.encode('utf-16-be').hex().upper()}>" for c in chars]
    blocks = "\n".join(
        f"{len(rows[i : i + 90])} beginbfchar\n" + "\n".join(rows[i : i + 90]) + "\nendbfchar"
        for i in range(0, len(rows), 90)
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{blocks}\nendcmap end end"
    ).encode()
    text = "BT /F 11 Tf 16 TL 50 780 Td " + " ".join(
        "<" + "".join(f"{code[c]:04X}" for c in line) + "> Tj T*" for line in lines
    )
    content = zlib.compress((text + " ET").encode())
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type0/BaseFont/AAAAAA+Made/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 8 0 R>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/AAAAAA+Made/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 7 0 R/DW 1000>>",
        b"<</Type/FontDescriptor/FontName/AAAAAA+Made/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(cmap), cmap),
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for n, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (n, one)
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % p for p in places)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, at)
    return bytes(out)


BY, BY_SA = (
    "https://creativecommons.org/licenses/by/4.0/deed.ko",
    "https://creativecommons.org/licenses/by-sa/4.0/deed.ko",
)
CANARY = {  # made-up words that occur nowhere else
    "body": "뀨뱌루멍텅주",
    "title": "쀼룽가락지섬",
    "author": "훼봉달메뚜기",
    "url": "kwyjibo-lantern-fish",
    "docx": "꿰뜰망새바우",
    "pdf": "쩨름보나릿골",
    "link": "뾰족구리안내문",
    "nfd": "퉤낌봉우리촌",
    "fullwidth": "ＺＱＸＪＶＫＷ",
    "phone": "010-0000-8642",
    "name": "촬뉴봉 두메바람골",
}


class Site:
    """What the server answers; cases may change `files` between two crawls."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.put("/licence.html", page("이용 안내", ["이 누리집의 모든 글은 CC BY 4.0으로 이용할 수 있다."]))
        self.files["/robots.txt"] = ("text/plain", b"User-agent: *\nAllow: /\n")
        for n in range(24):
            sa = n % 4 == 3
            self.essay(f"/essay/{n:02}.html", f"essay {n}", title=f"마을 이야기 {n}호", licence=BY_SA if sa else BY)
        for n in (1, 2, 3):
            self.essay(f"/series/a/{n}.html", f"series a {n}", title=f"연재 갑 {n}회")
        self.essay("/series/ab/1.html", "series ab", title="연재 갑을 1회")
        self.essay("/board/view?no=7&type=b", "board 7", title="게시판 일곱째 글")
        self.essay("/board/view?no=70&type=b", "board 70", title="게시판 일흔째 글")
        self.essay("/글/가을.html", "autumn", title="가을의 기록")
        original = write_prose("original", 15)
        self.put("/copy/original.html", page("원본 기록", original, licence=BY))
        altered = [*original[:-1], original[-1].replace("그 ", "저 "), "끝에 편집자가 한 줄을 덧붙였다."]
        self.put("/copy/altered.html", page("다른 기록", altered, licence=BY))
        for kind in ("body", "nfd", "fullwidth", "phone", "name"):
            said = (
                f"사람들은 그 이름을 {CANARY[kind]} 하고 불렀다."
                if kind != "phone"
                else f"문의 전화는 {CANARY[kind]}이다."
            )
            said = unicodedata.normalize("NFD", said) if kind == "nfd" else said
            self.essay(f"/canary/{kind}.html", f"canary {kind}", title=f"표본 {kind}", extra=said)
        self.essay("/canary/title.html", "canary title", title=f"{CANARY['title']}에 대하여")
        self.essay("/canary/author.html", "canary author", title="지은이가 있는 글", author=CANARY["author"])
        self.essay(f"/canary/{CANARY['url']}.html", "canary url", title="주소가 특이한 글")
        self.put(
            "/canary/links.html",
            page(
                "이웃 글 모음",
                write_prose("links"),
                licence=BY,
                links=[("/canary/title.html", CANARY["link"]), ("/essay/01.html", "마을 이야기")],
            ),
        )
        self.files["/canary/a.docx"] = (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            docx([*write_prose("docx"), f"이 문서의 암호말은 {CANARY['docx']} 이다."]),
        )
        self.files["/canary/a.pdf"] = (
            "application/pdf",
            pdf([*write_prose("pdf"), f"이 문서의 암호말은 {CANARY['pdf']} 이다."]),
        )
        self.started = [p for p in self.files if p not in ("/robots.txt", "/licence.html")]

    def put(self, path: str, body: bytes) -> None:
        self.files[path] = ("text/html; charset=utf-8", body)

    def essay(self, path: str, seed: str, *, title: str, author: str = "", licence: str = BY, extra: str = "") -> None:
        self.put(path, page(title, [*write_prose(seed), *([extra] if extra else [])], author=author, licence=licence))

    def sitemap(self) -> bytes:
        locs = "".join(
            f"<url><loc>{html.escape(HOST + quote(p, safe='/?=&%'))}</loc></url>"
            for p in sorted(self.files)
            if p not in ("/robots.txt", "/licence.html")
        )
        return (
            f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locs}</urlset>'.encode()
        )

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path == "/sitemap.xml":
            return 200, "application/xml", self.sitemap()
        kind, body = self.files.get(unquote(path), ("text/plain", b""))
        return (200, kind, body) if body else (404, "text/plain", b"not here")


@contextlib.contextmanager
def serve(site: Site):
    """The site on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            status, kind, body = site.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


SOURCE = f'''"""A village archive, on loopback."""

from malmoi.source import LicenceClaim, Manners, Sitemap, Source

SOURCE = Source(
    name="village",
    title="마을 기록관",
    publisher="가상 마을",
    access=Sitemap(urls=("{HOST}/sitemap.xml",), scope=("{HOST}/",)),
    claim=(LicenceClaim("CC-BY-4.0", quote="CC BY 4.0으로 이용할 수 있다", url="{HOST}/licence.html"),),
    register="essay",
    manners=Manners(delay=0.01, loopback=("127.0.0.1:{PORT}",)),
)
'''


def malmoi(*words: object, cwd: Path | None = None, stdin: str = "", status: int | None = 0, timeout: int = 240):
    """Run the command; returns the finished process, whose output is text."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST"))} | {
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [MALMOI, *map(str, words)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=env,
        check=False,
    )
    done.out = done.stdout + done.stderr
    assert status is None or done.returncode == status, (
        f"malmoi {' '.join(map(str, words))}: {done.returncode}\n{done.out[-3000:]}"
    )
    assert "Traceback" not in done.out, done.out[-3000:]
    return done


def rows(release: Path, table: str = "data") -> list[dict]:
    """All rows of data/ or of one audit table, without malmoi."""
    files = (
        sorted((release / table).rglob("*.parquet")) if table == "data" else [release / "audit" / f"{table}.parquet"]
    )
    return [row for f in files for row in pq.ParquetFile(f).read().to_pylist()]


def ids(release: Path) -> set[str]:
    return {row["id"] for row in rows(release)}


def ask_duckdb(query: str) -> list[tuple]:
    return duckdb.sql(query).fetchall()


# ---- every file, unpacked


def unpack(name: str, data: bytes, depth: int = 0):
    """(name, bytes) of a file and of all that is packed in it: gzip members, zstd frames, zip members, Parquet columns."""
    yield name, data
    if depth > 4:
        return
    if data[:2] == b"\x1f\x8b":
        rest, out = data, b""
        while rest[:2] == b"\x1f\x8b":
            d = zlib.decompressobj(31)
            with contextlib.suppress(zlib.error):
                out += d.decompress(rest) + d.flush()
            if not d.unused_data:
                break
            rest = d.unused_data
        yield from unpack(f"{name}!gz", out, depth + 1)
        for n, part in enumerate(re.split(rb"\r\n\r\n", out)):
            if part[:2] in (b"\x1f\x8b", b"PK") or part[:4] == b"%PDF":
                yield from unpack(f"{name}!gz#{n}", part, depth + 1)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        yield from unpack(f"{name}!zst", pa.input_stream(io.BytesIO(data), compression="zstd").read(), depth + 1)
    elif data[:4] == b"PAR1":
        file = pq.ParquetFile(io.BytesIO(data))
        yield f"{name}!schema", repr((file.schema_arrow, file.schema_arrow.metadata, file.metadata.metadata)).encode()
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            stats = [group.column(i).statistics for i in range(group.num_columns)]
            yield f"{name}!stats", repr([(s.min, s.max) for s in stats if s and s.has_min_max]).encode()
        for batch in file.iter_batches():
            yield f"{name}!rows", repr(batch.to_pylist()).encode("utf-8", "surrogatepass")
    elif data[:4] == b"PK\x03\x04":
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as z:
            for member in z.namelist():
                yield from unpack(f"{name}!{member}", z.read(member), depth + 1)
    elif data[:4] == b"%PDF":
        for n, found in enumerate(re.finditer(rb"stream\r?\n(.*?)endstream", data, re.S)):
            with contextlib.suppress(zlib.error):
                yield f"{name}!stream{n}", zlib.decompress(found.group(1))


def spellings(word: str) -> set[bytes]:
    """The ways in which a word may be written in a file."""
    out = set()
    for form in {
        word,
        unicodedata.normalize("NFD", word),
        unicodedata.normalize("NFKC", word),
        word.replace("-", ""),
        word.replace(" ", ""),
    }:
        for coding in ("utf-8", "utf-16-le", "utf-16-be", "cp949"):
            with contextlib.suppress(UnicodeEncodeError):
                out.add(form.encode(coding))
        out |= {
            quote(form).encode(),
            quote(form).lower().encode(),
            json.dumps(form)[1:-1].encode(),
            "".join(f"&#{ord(c)};" for c in form).encode(),
            "".join(f"&#x{ord(c):x};" for c in form).encode(),
        }
    return {s for s in out if len(s) > 5}


def places(folder: Path, *words: str, skip: tuple[str, ...] = ()) -> list[str]:
    """Files below a folder, names included, that hold one of the words in any spelling, also inside what is packed."""
    sought = {s for w in words for s in spellings(w)}
    found = set()
    for path in sorted(p for p in folder.rglob("*")):
        relative = str(path.relative_to(folder))
        if any(relative.startswith(s) for s in skip):
            continue
        if any(s in relative.encode("utf-8", "surrogateescape") for s in sought):
            found.add(relative)
        if path.is_symlink() or not path.is_file():
            continue
        for name, data in unpack(relative, path.read_bytes()):
            if any(s in data for s in sought):
                found.add(name)
    return sorted(found)


def remake_sums(release: Path) -> None:
    """Write SHA256SUMS anew, as a forger would."""
    kept = []
    for line in (release / "SHA256SUMS").read_text("utf-8").splitlines():
        name = line[66:]
        if (release / name).is_file():
            kept.append(name)
    extra = {
        str(p.relative_to(release))
        for p in release.rglob("*")
        if p.is_file() and p.name not in ("SHA256SUMS", "manifest.dsse.json", "withdrawn.json")
    }
    names = sorted({*kept, *extra})
    (release / "SHA256SUMS").write_text(
        "".join(f"{hashlib.sha256((release / n).read_bytes()).hexdigest()}  {n}\n" for n in names), "utf-8"
    )


def copy(folder: Path, target: Path) -> Path:
    """A copy with links as links and its own bytes."""
    shutil.copytree(folder, target, symlinks=True)
    return target


def latest(workspace: Path, name: str = "general") -> Path:
    return (workspace / "6-releases" / name / "latest").resolve()


def tree(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink()
    }


__all__ = [n for n in dir() if not n.startswith("_")]
_ = gzip
