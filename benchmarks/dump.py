"""How fast a dump is collected, and in how much memory: a synthetic export, made while it is served on loopback.

    python -m benchmarks.dump [MB]    MB of unpacked export, 1000 by default

The pages are written here, from a fixed seed. What is measured is the process of the crawler (download, unpacking,
blocks, archive), then the index of its archive, then the text of the pages, each in a process of its own.
"""

from __future__ import annotations

import bz2
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WORDS = (
    "물 산 강 마을 사람 하늘 바람 도시 기술 공정 반도체 설비 검사 계획 자료 방법 시간 결과 문제 연구 역사 문화 언어 글"
).split()
ENDINGS = ("은", "는", "이", "가", "을", "를", "에서", "으로", "와", "의")
HEAD = (
    b'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ko">\n  <siteinfo>\n'
    b"    <base>https://ko.example.kr/wiki/a</base>\n    <generator>MediaWiki 1.46</generator>\n  </siteinfo>\n"
)
INDEX = """
import resource, sys, time
from pathlib import Path
from malmoi.archive import capture
began = time.perf_counter()
rows, torn = capture.index(Path(sys.argv[1]), "pages.warc.gz")
print(len(rows), len(torn), time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
TEXT = """
import resource, sys, time
from pathlib import Path
from crawlers.formats.mediawiki import mediawiki_export as export
from malmoi.archive import capture
pages = chars = 0
spent = 0.0
for entry in capture.scan(Path(sys.argv[1])):
    if entry[1] != "resource":
        continue
    began = time.process_time()
    for item in export.pages(entry[2]):
        chars += len(export.text(item).text)
        pages += 1
    spent += time.process_time() - began
    if pages >= 20_000:
        break
print(pages, chars, spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def sentence(rng: random.Random) -> str:
    """One sentence of nonsense."""
    words = [f"{rng.choice(WORDS)}{rng.choice(ENDINGS)}" for _ in range(rng.randint(4, 12))]
    if rng.random() < 0.3:
        words[1] = f"[[{words[1]}|{words[2]}]]"
    if rng.random() < 0.1:
        words.append("&lt;ref&gt;{{서적 인용|제목=책|쪽=3}}&lt;/ref&gt;")
    return f"{' '.join(words)} {rng.randint(1, 9999)}이다. "


def page(number: int, rng: random.Random) -> bytes:
    """One page of some kilobytes."""
    parts = ["{{정보 상자|이름=가|값=나}}\n"]
    for _ in range(rng.randint(1, 8)):
        parts += (f"== {rng.choice(WORDS)} ==\n", *(sentence(rng) for _ in range(rng.randint(2, 12))), "\n")
    return (
        f"  <page>\n    <title>쪽 {number}</title>\n    <ns>0</ns>\n    <id>{number}</id>\n    <revision>\n"
        f"      <timestamp>2026-08-30T04:05:06Z</timestamp>\n      <model>wikitext</model>\n"
        f'      <text xml:space="preserve">{"".join(parts)}</text>\n    </revision>\n  </page>\n'
    ).encode()


def pieces(size: int) -> Iterator[bytes]:
    """A bzip2 file of many members, as Wikimedia makes them; `size` bytes unpacked."""
    rng = random.Random(11)
    made, number, batch = len(HEAD), 0, [HEAD]
    while made < size:
        number += 1
        batch.append(page(number, rng))
        made += len(batch[-1])
        if number % 2000 == 0:
            yield bz2.compress(b"".join(batch))
            batch = []
    yield bz2.compress(b"".join((*batch, b"</mediawiki>\n")))


def serve(size: int) -> ThreadingHTTPServer:
    """A host that sends the dump as fast as it is made."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = self.path == "/dump.xml.bz2"
            self.send_response(200 if found else 404)
            self.send_header(*(("Transfer-Encoding", "chunked") if found else ("Content-Length", "0")))
            self.end_headers()
            for piece in pieces(size) if found else ():
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if found:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def measured(code: str, archive: Path) -> list[str]:
    """What `code` prints of the archive, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code, str(archive)], check=True, capture_output=True, text=True)
    return done.stdout.split()


def main(argv: list[str]) -> int:
    """Print the figures."""
    size = int(argv[0]) * 1_000_000 if argv else 1_000_000_000
    server = serve(size)
    with tempfile.TemporaryDirectory(prefix="malmoi-bench-") as folder:
        home, port = Path(folder), server.server_address[1]
        source = home / "wiki.py"
        source.write_text(
            "from malmoi.source import *\n"
            f"SOURCE = Source('wiki', 't', 'p', Dump('http://127.0.0.1:{port}/dump.xml.bz2'),\n"
            f"    manners=Manners(delay=0, loopback=('127.0.0.1:{port}',)))\n",
            encoding="utf-8",
        )
        job = home / "job.json"
        job.write_text(json.dumps({"source": str(source), "run_dir": str(home / "run")}))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "crawlers.fetch", str(job)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        stats = json.loads((home / "run" / "stats.json").read_text())
        archive = home / "run" / "pages.warc.gz"
        megabytes, cpu = stats["bytes"] / 1e6, usage.ru_utime + usage.ru_stime
        print(f"export      {megabytes:,.0f} MB unpacked, {stats['records']:,} pages, {stats['pages']:,} blocks")
        print(f"collect     {seconds:.0f} s with the making of the dump, {cpu:.0f} s CPU of its own")
        print(f"            {megabytes / cpu:.1f} MB/s of CPU, peak {usage.ru_maxrss / 1024:.0f} MB")
        rows, torn, took, peak = measured(INDEX, archive)
        print(f"index       {rows} rows, {torn} torn, {float(took):.0f} s, peak {int(peak) / 1024:.0f} MB")
        count, chars, spent, peak = measured(TEXT, archive)
        print(f"text        {count} pages, {int(chars) / int(count):,.0f} characters each")
        print(f"            {float(spent) / int(count) * 1000:.2f} ms CPU a page, peak {int(peak) / 1024:.0f} MB")
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
