"""How fast the index of a crawl is asked, and whether faults and kills lose a record or fetch one twice; on loopback.

    python -m benchmarks.scale.common_crawl [ROWS] [RECORDS]    1,000,000 rows and 400 records by default

Index and records are made here, in the columns and the layout of Common Crawl. The question is asked in a process of
its own, of local files and of a host that serves ranges. The records come from a host that answers every third request
with a fault: the whole file instead of a range, half of a range, another range, 503, or an end of the connection. The
crawler is killed five times. Most of the time is waiting after faults.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.fetch.small_crawl import CRAWL, LIST, TABLE, Host, page, served, write

FAULTS = ("whole", "truncated", "wrong-range", "503", "reset")
FILES = 4
# 2 % of the pages are of offices, 8 % of other Korean hosts.
INDEX = """
COPY (
  WITH hosts AS (
    SELECT i, CASE WHEN i % 50 = 0 THEN 'office' || (i % 997) || '.go.kr'
      WHEN i % 50 < 5 THEN 'shop' || (i % 9973) || '.co.kr' ELSE 'site' || (i % 99991) || '.com' END AS host
    FROM range({rows}) t(i))
  SELECT array_to_string(list_reverse(string_split(host, '.')), ',') || ')/board/' || i || '.html' AS url_surtkey,
    'https://www.' || host || '/board/' || i || '.html' AS url, 'www.' || host AS url_host_name,
    string_split(host, '.')[-1] AS url_host_tld, string_split(host, '.')[-2] AS url_host_2nd_last_part,
    string_split(host, '.')[-3] AS url_host_3rd_last_part, 'www' AS url_host_4th_last_part,
    NULL::VARCHAR AS url_host_5th_last_part, string_split(host, '.')[-1] AS url_host_registry_suffix,
    host AS url_host_registered_domain, string_split(host, '.')[-1] AS url_host_private_suffix,
    host AS url_host_private_domain, array_to_string(list_reverse(string_split(host, '.')), '.') || '.www'
      AS url_host_name_reversed, 'https' AS url_protocol, NULL::INTEGER AS url_port,
    '/board/' || i || '.html' AS url_path, NULL::VARCHAR AS url_query, NULL::VARCHAR AS fetch_redirect,
    'UTF-8' AS content_charset, '1754.1' AS warc_segment,
    CAST('2026-08-10 01:02:03' AS TIMESTAMP) + to_seconds(i) AS fetch_time, CAST(200 AS SMALLINT) AS fetch_status,
    upper(substr(md5(CAST(i AS VARCHAR)), 1, 32)) AS content_digest, 'text/html' AS content_mime_type,
    'text/html' AS content_mime_detected, CASE WHEN i % 50 < 5 THEN 'kor' WHEN i % 7 = 0 THEN 'eng,kor' ELSE 'eng' END
      AS content_languages, NULL::VARCHAR AS content_truncated,
    'crawl-data/{crawl}/segments/1754.1/warc/CC-MAIN-' || lpad(CAST(i % 90000 AS VARCHAR), 5, '0') || '.warc.gz'
      AS warc_filename, CAST(i * 997 % 1000000000 AS INTEGER) AS warc_record_offset,
    CAST(4000 + i % 50000 AS INTEGER) AS warc_record_length
  FROM hosts WHERE {part} ORDER BY url_surtkey
) TO '{target}' (FORMAT parquet, COMPRESSION gzip, ROW_GROUP_SIZE 100000)
"""
ASK = """
import re, sys, time
from pathlib import Path
from crawlers.fetch import common_crawl_index
from crawlers.fetch.common_crawl_index import list_local
from malmoi.source import CommonCrawl, Source
access = CommonCrawl(sys.argv[2], hosts=tuple(sys.argv[4:]), data=Path(sys.argv[1]))
tables = list_local(Path(sys.argv[1]), sys.argv[2])
began, cpu = time.perf_counter(), time.process_time()
count = common_crawl_index.select(Source('a', '', '', access), access, tables, Path(sys.argv[3]))
seconds, spent = time.perf_counter() - began, time.process_time() - cpu
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]  # ru_maxrss begins with the parent's
print(count, round(seconds, 2), round(spent, 2), peak)
"""


def make_index(folder: Path, rows: int) -> None:
    """Write the index of pages, sorted by key, into FILES files, and the list of them."""
    names = []
    for number in range(FILES):
        name = f"{TABLE}/subset=warc/part-0000{number}-x.c000.gz.parquet"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Files are sorted among each other too: hosts of one ending share a file or two.
        part = ("i % 50 >= 35", "i % 50 BETWEEN 20 AND 34", "i % 50 BETWEEN 5 AND 19", "i % 50 < 5")[number]
        duckdb.execute(INDEX.format(rows=rows, crawl=CRAWL, part=part, target=target))
        names.append(name)
    (folder / LIST).parent.mkdir(parents=True, exist_ok=True)
    (folder / LIST).write_text("\n".join(names) + "\n")


def ask(folder: Path, *hosts: str) -> list[str]:
    """Candidates, seconds, CPU seconds and peak KiB of one question, in a process of its own."""
    target = folder / "candidates.parquet"
    command = [sys.executable, "-c", ASK, str(folder), CRAWL, str(target), *hosts]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def write_source(home: Path, host: Host, more: str) -> list[str]:
    """Write a source and a job; return the command of the crawler."""
    loopback = host.base.removeprefix("http://").rstrip("/")
    source, job = home / "crawl.py", home / "job.json"
    source.write_text(
        "from malmoi.source import *\n"
        f"SOURCE = Source('crawl', 't', 'p', CommonCrawl({CRAWL!r}, data={host.base!r}, {more}),\n"
        f"    manners=Manners(delay=0, loopback=({loopback!r},)))\n",
        encoding="utf-8",
    )
    job.write_text(json.dumps({"source": str(source), "run_dir": str(home / "run")}))
    return [sys.executable, "-m", "crawlers.fetch", str(job)]


def measure_remote(home: Path, index: Path) -> None:
    """Print what the same question takes from a host: it stops at its bound, before the first record."""
    with served(Host(index)) as host:
        command = write_source(home, host, "hosts=('*.go.kr',), max_pages=1")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 3 and "the index names" in done.stderr, done.stderr
    size, requests = host.sent(".parquet"), sum(path.endswith(".parquet") for path, _ in host.asked)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    whole = sum(path.stat().st_size for path in index.rglob("*.parquet"))
    print(f"  of a host    {size / 1e6:.1f} of {whole / 1e6:.1f} MB in {requests} requests, {cpu:.1f} s CPU in all")


def measure_records(home: Path, count: int) -> None:
    """Print how many records a faulty host sent whole and how often, across five kills."""
    folder = write(home / "archive", [page(n, f"www.office{n % 40}.go.kr") for n in range(count)], group=500, files=9)
    with served(_Faulty(folder)) as host:
        command = write_source(home, host, "hosts=('*.go.kr',)")
        began, kills = time.perf_counter(), 0
        while True:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            host.after, host.halt = (kills + 1) * count // 6, lambda p=process: p.send_signal(signal.SIGKILL)
            if kills == 5:
                host.halt = None
            if process.wait() == 0:
                break
            kills += 1
        seconds = time.perf_counter() - began
    stats, sent = json.loads((home / "run" / "stats.json").read_text()), host.records()
    archived = sum(b"/board/" in line for line in _read_addresses(home / "run" / "pages.warc.gz"))
    print(
        f"records        {count:,} in {len(sent):,} ranges, {len(host.asked):,} requests, {host.count:,} faults, "
        f"{kills} kills"
    )
    print(f"  archived     {archived:,}; lost {count - archived}; failed {len(stats['failed'])}")
    print(f"  twice        {sum(sent.values()) - len(sent)} ranges sent whole twice: those in flight at a kill")
    print(f"  pace         {len(host.asked) / seconds:.0f} requests/s with delay 0, waits after faults included")


@dataclass
class _Faulty(Host):
    """A host with a fault in every third answer for a record."""

    count: int = 0

    def __post_init__(self) -> None:
        self.faults = self

    def get(self, key: object) -> list[str]:
        """The faults of the next answer for a path and a range."""
        if not isinstance(key, tuple) or not str(key[0]).endswith(".warc.gz") or len(self.asked) % 3:
            return []
        self.count += 1
        return [FAULTS[self.count % len(FAULTS)]]


def _read_addresses(archive: Path) -> list[bytes]:
    import gzip

    with gzip.open(archive) as file:
        return [line for line in file if line.startswith(b"WARC-Target-URI:")]


def main(argv: list[str]) -> int:
    """Print the figures."""
    rows, records = (int(argv[n]) if len(argv) > n else default for n, default in enumerate((1_000_000, 400)))
    with tempfile.TemporaryDirectory(prefix="malmoi-bench-") as folder:
        home = Path(folder)
        make_index(home / "index", rows)
        print(f"index          {rows:,} rows in {FILES} files")
        for name, hosts in (("*.go.kr", ("*.go.kr",)), ("every host", ())):
            count, seconds, cpu, peak = ask(home / "index", *hosts)
            print(f"  {name:<12} {int(count):,} pages in {seconds} s ({cpu} s CPU), peak {int(peak) / 1024:.0f} MB")
        measure_remote(home, home / "index")
        (home / "records").mkdir()
        measure_records(home / "records", records)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
