"""Limits on untrusted input: every door reads them here, and a message names the limit that caused it.

`docs/limits.md` lists them; a test compares the page with this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["bytes", "seconds", "code points", "items", "levels", "ratio"]


@dataclass(frozen=True, slots=True)
class InputLimit:
    """The largest value that a door accepts; `name` is what messages and docs/limits.md call it."""

    name: str
    value: int
    unit: Unit
    bounds: str  # what is counted, and where the number comes from

    def describe(self) -> str:
        """The limit as a message gives it.

        >>> InputLimit("answer_bytes", 32 * 1024 * 1024, "bytes", "one answer as sent").describe()
        'limit answer_bytes: 32 MiB'
        >>> InputLimit("sitemap_addresses", 50_000, "items", "addresses of one list").describe()
        'limit sitemap_addresses: 50,000'
        """
        return f"limit {self.name}: {self.amount()}"

    def amount(self) -> str:
        """The value with its unit.

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


def defined() -> tuple[InputLimit, ...]:
    """All limits of this module, in the order of their definition."""
    return tuple(value for value in globals().values() if isinstance(value, InputLimit))


# Network: crawls of pages (crawlers/fetch).

# Network: dumps and repositories (crawlers/fetch/stream.py, unpack.py, git.py).

# Archives (malmoi/capture.py, members.py).

# Formats: one document in a worker (crawlers/formats).
PDF_MEMORY = InputLimit(
    "pdf_memory", 512 << 20, "bytes", "memory that reading one PDF may take; a book of 270,000 code points takes 40 MiB"
)
PDF_SECONDS = InputLimit("pdf_seconds", 30, "seconds", "CPU for one PDF where no worker sets a budget")
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
    "markdown_tag_steps", 5_000_000, "code points", "what is looked at for the ends of tags in one Markdown file"
)
FRONT_MATTER_CHARS = InputLimit("front_matter_chars", 65_536, "code points", "YAML before a Markdown text")
FRONT_MATTER_VALUES = InputLimit("front_matter_values", 5_000, "items", "values in it; it has no aliases")
FRONT_MATTER_DEPTH = InputLimit("front_matter_depth", 20, "levels", "lists and objects in one another in it")

# `malmoi try` and worker processes.
TRY_FILE_BYTES = InputLimit("try_file_bytes", 256 << 20, "bytes", "one file given to `malmoi try`")
TRY_LINE_BYTES = InputLimit("try_line_bytes", 128 << 20, "bytes", "one line of JSON given to `malmoi try`")

# Releases that somebody else made (malmoi/releases/verify.py).
