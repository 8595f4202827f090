"""Repositories of institutes and universities."""
