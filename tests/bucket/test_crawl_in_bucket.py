"""An archive in a bucket of the operator is asked and read as one at a web address, without a contact."""

import json
from collections.abc import Callable
from pathlib import Path

from crawlers import catalogue
from crawlers.fetch import common_crawl_collector
from crawlers.fetch.job import Job, check
from malmoi.archive import capture
from malmoi.storage.bucket import Bucket
from tests.fetch.small_crawl import page, robots, source, write


def test_a_crawl_is_collected_from_a_bucket(place: str, machine: Callable[[str], None], tmp_path: Path) -> None:
    folder = write(tmp_path / "archive", [*(page(n) for n in range(9)), page(99, "a.com"), robots("www.moj.go.kr")])
    bucket = Bucket(place)
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.upload(path.relative_to(folder).as_posix(), path)
    file = source(tmp_path, place).replace("crawl.py", "bucket.py")
    text = (tmp_path / "crawl.py").read_text(encoding="utf-8")
    Path(file).write_text(text[: text.index(", manners=")] + ")\n", encoding="utf-8")
    definition = catalogue.load(file)
    job = Job(file, tmp_path / "run")
    common_crawl_collector.collect(job, definition, check(job, definition))
    stats = json.loads((tmp_path / "run" / "stats.json").read_text())
    rows, torn = capture.index(tmp_path / "run" / "pages.warc.gz", "pages.warc.gz")
    assert (stats["failed"], torn) == ([], [])
    assert {row.url for row in rows} == {page(n).url for n in range(9)} | {robots("www.moj.go.kr").url}
