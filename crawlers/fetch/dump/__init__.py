"""Collect a dump: download, decompress, cut into records, archive."""
