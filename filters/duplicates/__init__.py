"""Deduplication: sketch each document, find near-duplicate pairs, and choose the keeper (representative) of each."""
