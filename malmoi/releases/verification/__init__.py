"""Verify a release from its folder alone."""
