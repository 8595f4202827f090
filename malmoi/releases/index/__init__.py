"""The deduplication index over published releases."""
