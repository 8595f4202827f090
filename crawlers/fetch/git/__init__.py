"""Collect a git repository at one commit."""
