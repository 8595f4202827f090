"""Versions of a release: their comparison, their changelog, and the pointer to the latest."""
