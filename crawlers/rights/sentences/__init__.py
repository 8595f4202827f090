"""Sentences that grant, restrict or attribute."""
