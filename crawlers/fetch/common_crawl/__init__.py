"""Collect pages of Common Crawl: the columnar index names the records, which are then read by byte range."""
