"""Evaluation sets given as files: their items, an index over them, and the search for items in a text."""
