"""Evaluation sets given as files: their items, an index over them, and the search for them in a text."""
