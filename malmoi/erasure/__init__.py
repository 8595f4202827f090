"""Erasure: what must not appear again (tombstones), and how documents and texts are compared with it."""
