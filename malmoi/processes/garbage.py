"""Garbage collection in processes that import much: seldom, and without the objects of the imports."""

import gc

COLLECT_AFTER = 20_000  # new objects; Python's 700 costs imports and conversions a tenth of their time


def collect_seldom() -> None:
    """Collect after COLLECT_AFTER new objects."""
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()


def exclude_imports() -> None:
    """Leave all objects that exist now out of later collections, which then copy no memory that forks share."""
    gc.freeze()
