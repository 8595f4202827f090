"""Tokens, passwords and network addresses."""
