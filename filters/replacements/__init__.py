"""Replacement values for redacted identifiers."""
