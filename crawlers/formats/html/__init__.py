"""HTML: parse a page, find its main content, read its metadata."""
