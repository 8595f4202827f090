"""Speed, memory and quality, measured on real pages; `make bench`."""
