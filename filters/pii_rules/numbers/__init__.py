"""Identifiers written as numbers."""
