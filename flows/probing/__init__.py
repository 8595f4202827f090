"""Ask a source for a few items, and compare each field with what the source declares."""
