"""URLs, robots.txt and the scope of a source: shared by fetch, formats and rights."""
