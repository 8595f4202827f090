"""Speed, memory and quality, measured on real pages; `make bench`."""

import flows  # noqa: F401 (chooses the allocator of Arrow, before a benchmark imports it)
