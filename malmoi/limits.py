"""Limits on untrusted input: all code that reads such input takes them from here, and messages name the limit.

`docs/limits.md` lists them; a test compares the page with this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30

Unit: TypeAlias = Literal["bytes", "seconds", "code points", "items", "levels", "ratio"]


@dataclass(frozen=True, slots=True)
class InputLimit:
    """The largest value that untrusted input may have; messages and docs/limits.md use `name`."""

    name: str
    value: int
    unit: Unit
    bounds: str  # what is counted, and where the number comes from

    def describe(self) -> str:
        """Return the limit as messages quote it.

        >>> InputLimit("answer_bytes", 32 * 1024 * 1024, "bytes", "one answer as sent").describe()
        'limit answer_bytes: 32 MiB'
        >>> InputLimit("sitemap_addresses", 50_000, "items", "addresses of one list").describe()
        'limit sitemap_addresses: 50,000'
        """
        return f"limit {self.name}: {self.amount()}"

    def amount(self) -> str:
        """Return the value with its unit.

        >>> InputLimit("verify_seconds", 60, "seconds", "one question of a card").amount()
        '60 seconds'
        """
        if self.unit == "bytes":
            for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
                if self.value >= size and self.value % size == 0:
                    return f"{self.value // size:,} {unit}"
        if self.unit == "ratio":
            return f"{self.value:,} : 1"
        return f"{self.value:,}" if self.unit == "items" else f"{self.value:,} {self.unit}"


def list_limits() -> tuple[InputLimit, ...]:
    """Return all limits of this module, in the order of their definition."""
    return tuple(value for value in globals().values() if isinstance(value, InputLimit))


# Network: crawls of pages (crawlers/fetch).

REQUEST_SECONDS = InputLimit("request_seconds", 30, "seconds", "one request, to the last byte of its answer")
REDIRECTS = InputLimit("redirects", 5, "items", "redirects of one address")
# Browsers stop between 100 and 300 KiB.
ANSWER_HEAD_BYTES = InputLimit("answer_head_bytes", 256 * _KIB, "bytes", "status line and headers of one answer")
ANSWER_BYTES = InputLimit("answer_bytes", 32 * _MIB, "bytes", "one answer as sent")
ANSWER_UNPACKED_BYTES = InputLimit("answer_unpacked_bytes", 64 * _MIB, "bytes", "one answer after decompression")
# Below 1 MiB no ratio is suspicious: blank pages compress 1000 : 1.
ANSWER_RATIO = InputLimit("answer_ratio", 200, "ratio", "an answer above 1 MiB: decompressed to compressed")
ANSWER_MEMBERS = InputLimit("answer_members", 10_000, "items", "gzip members or zstd frames of one answer")
ANSWER_CODINGS = InputLimit("answer_codings", 2, "items", "nested content codings; servers send one")
# RFC 9110, section 4.1, asks for at least 8,000 octets; longer addresses than this are traps: calendars, sessions.
ADDRESS_BYTES = InputLimit("address_bytes", 2_000, "bytes", "one address")
PAGE_LINKS = InputLimit("page_links", 10_000, "items", "links of one page")
PAGE_LINK_BYTES = InputLimit("page_link_bytes", 16 * _MIB, "bytes", "part of one page that is searched for links")
# sitemaps.org allows a sitemap 50,000 addresses and 50 MiB.
LIST_ADDRESSES = InputLimit("list_addresses", 50_000, "items", "addresses of one sitemap or feed")
LIST_BYTES = InputLimit("list_bytes", 50 * _MIB, "bytes", "one sitemap or feed after decompression")
# 50,000 addresses take some 3 seconds.
LIST_SECONDS = InputLimit("list_seconds", 10, "seconds", "CPU time to read one sitemap or feed")
LISTS = InputLimit("lists", 10_000, "items", "sitemaps and feeds of one run")
# Answers above 128 KiB are parsed in a separate process. A harmless page of 16 MB takes half a second.
PARSE_SECONDS = InputLimit("parse_seconds", 4, "seconds", "CPU time to read the links of one page")
PARSE_MEMORY_BYTES = InputLimit("parse_memory_bytes", _GIB, "bytes", "address space of the process that parses a page")
FRONTIER_ADDRESSES = InputLimit("frontier_addresses", 2_000_000, "items", "addresses that one run requests or queues")
# RFC 9309, section 2.5, asks for at least 500 KiB.
ROBOTS_BYTES = InputLimit("robots_bytes", 500 * _KIB, "bytes", "part of one robots.txt that is read")

# Network: dumps and repositories (crawlers/fetch/dump, crawlers/fetch/git, crawlers/fetch/streaming_client.py).

DUMP_CONNECT_SECONDS = InputLimit("dump_connect_seconds", 20, "seconds", "connecting to one address of a host")
DUMP_HEAD_SECONDS = InputLimit(
    "dump_head_seconds", 30, "seconds", "from connecting to the last header of a dump, redirects included"
)
DUMP_HEAD_BYTES = InputLimit("dump_head_bytes", 256 * 1024, "bytes", "status line and headers of one answer")
DUMP_SLOW_SECONDS = InputLimit("dump_slow_seconds", 60, "seconds", "time in which a dump must deliver dump_slow_bytes")
DUMP_SLOW_BYTES = InputLimit(
    "dump_slow_bytes", 60_000, "bytes", "minimum received in dump_slow_seconds: 1 kB per second, as for git"
)
DUMP_PAGE_SECONDS = InputLimit(
    "dump_page_seconds", 60, "seconds", "one robots.txt or licence page of a dump, redirects and retries included"
)
DUMP_PAGE_BYTES = InputLimit(
    "dump_page_bytes", 32 * 1024 * 1024, "bytes", "one robots.txt or licence page of a dump, as sent"
)
DUMP_REDIRECTS = InputLimit("dump_redirects", 5, "items", "redirects of one request; none from https to http")
DUMP_RATIO = InputLimit(
    "dump_ratio", 400, "ratio", "decompressed to compressed, above 64 MiB; a bzip2 export has about 5"
)
DUMP_XZ_MEMORY = InputLimit("dump_xz_memory", 256 * 1024 * 1024, "bytes", "dictionary of xz; `xz -9` needs 65 MiB")

GIT_SECONDS = InputLimit("git_seconds", 3600, "seconds", "one git fetch of a repository, or one other git command")
GIT_REPOSITORY = InputLimit(
    "git_repository", 4_000_000_000, "bytes", "fetched part of a repository; kubernetes/website needs less than a tenth"
)
GIT_FILE = InputLimit("git_file", 16 * 1024 * 1024, "bytes", "one file of a repository; no page of prose is longer")
GIT_ENTRIES = InputLimit(
    "git_entries", 2_000_000, "items", "entries of a tree; nested references can multiply them without bound"
)
GIT_NAME = InputLimit("git_name", 4096, "bytes", "path of a file; PATH_MAX of Linux")
GIT_FILES = InputLimit("git_files", 400_000, "items", "files that the globs match")
GIT_CONTENT = InputLimit(
    "git_content", 8_000_000_000, "bytes", "all matched files; a small pack can expand to far more"
)

# Archives (malmoi/archive/capture.py, record_boundaries.py).

# Twice the head of an answer: our own archives must be readable whatever the crawler accepted.
ARCHIVE_BODY = InputLimit("archive_body", 64 * 1024 * 1024, "bytes", "one payload after content decoding")
ARCHIVE_RATIO = InputLimit("archive_ratio", 200, "ratio", "payload decoded to encoded, above 64 KiB")
ARCHIVE_MEMBER = InputLimit("archive_member", 65 * 1024 * 1024, "bytes", "one gzip member: a payload and its headers")
ARCHIVE_HEAD = InputLimit("archive_head", 256 * 1024, "bytes", "status line and headers of one archived answer")
ARCHIVE_DAMAGED = InputLimit("archive_damaged", 100_000, "items", "records of one archive that cannot be read")
ARCHIVE_ADDRESS = InputLimit("archive_address", 8192, "code points", "address of a record")

# Formats: one document in a worker (crawlers/formats).
PDF_MEMORY = InputLimit(
    "pdf_memory", 512 << 20, "bytes", "memory that reading one PDF may take; a book of 270,000 code points takes 40 MiB"
)
PDF_SECONDS = InputLimit("pdf_seconds", 30, "seconds", "CPU time for one PDF if no worker sets a budget")
MARKDOWN_LINES = InputLimit(
    "markdown_lines", 100_000, "items", "lines of one Markdown file; above, it is read as plain text"
)
MARKDOWN_MARKS = InputLimit(
    "markdown_marks",
    50_000,
    "items",
    "brackets, back-ticks, bars … of one Markdown file, each; above, it is read as plain text",
)
MARKDOWN_TAG_STEPS = InputLimit(
    "markdown_tag_steps", 5_000_000, "code points", "text searched for the ends of tags in one Markdown file"
)
FRONT_MATTER_CHARS = InputLimit("front_matter_chars", 65_536, "code points", "YAML front matter of a Markdown text")
FRONT_MATTER_VALUES = InputLimit(
    "front_matter_values", 5_000, "items", "values in the front matter; aliases are refused"
)
FRONT_MATTER_DEPTH = InputLimit("front_matter_depth", 20, "levels", "nested lists and objects in the front matter")

# `malmoi try` and worker processes.
WORKER_CPU_SECONDS = InputLimit(
    "worker_cpu_seconds", 10, "seconds", "CPU time of one document; the slowest real page measured took 1.2 s"
)
WORKER_MEMORY_BYTES = InputLimit(
    "worker_memory_bytes",
    6 << 30,
    "bytes",
    "address space of one worker, shared memory included; `ulimit -v` lowers it",
)
TRY_FILE_BYTES = InputLimit("try_file_bytes", 256 << 20, "bytes", "one file given to `malmoi try`")
TRY_LINE_BYTES = InputLimit("try_line_bytes", 128 << 20, "bytes", "one line of JSON given to `malmoi try`")

# Third-party releases (malmoi/releases/verification/verify.py, flows/limited_process.py).
VERIFY_UNPACKED = InputLimit(
    "verify_unpacked",
    200,
    "ratio",
    "decompressed columns of a Parquet file of a release to its size; 64 MiB are always read",
)
VERIFY_ROWS = InputLimit(
    "verify_rows", 1, "ratio", "rows of a Parquet file of a release to its bytes; 100,000 rows are always read"
)
# A footer takes some 3 KiB for each row group; parsed it takes ten times as much.
VERIFY_FOOTER = InputLimit("verify_footer", 16 << 20, "bytes", "footer of a Parquet file of a release")
VERIFY_TEXT = InputLimit("verify_text", 64 << 20, "bytes", "card, manifest, sums or page of a release; read as a whole")
VERIFY_SIGNATURE = InputLimit("verify_signature", 64 << 10, "bytes", "signature of a release; one takes 1 KiB")
STAMP_BYTES = InputLimit("stamp_bytes", 64 << 10, "bytes", "answer of a time-stamp authority; one takes 2 to 8 KiB")
STAMP_SECONDS = InputLimit("stamp_seconds", 60, "seconds", "asking a time-stamp authority, to the end of its answer")
VERIFY_SECONDS = InputLimit(
    "verify_seconds", 60, "seconds", "CPU time to verify a release, plus one second for each 256 KiB of its files"
)
VERIFY_MEMORY = InputLimit(
    "verify_memory",
    4 << 30,
    "bytes",
    "address space of the process that verifies a release; of another reader its growth, plus four times its files",
)
VERIFY_SPILL = InputLimit(
    "verify_spill", 1 << 30, "bytes", "temporary files while a release is verified, plus four times its own files"
)
# A comparison runs in a process with the limits of `malmoi verify`.
DIFF_LISTED = InputLimit(
    "diff_listed", 100_000, "items", "documents or values that `malmoi diff` lists in each class; counts are complete"
)
