"""Foretell what the whole of a source gives, from a random sample of it."""
