"""Wikis of the Wikimedia Foundation."""
