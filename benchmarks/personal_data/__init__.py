"""Benchmarks of personal data."""
