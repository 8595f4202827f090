"""Benchmarks of deduplication."""
