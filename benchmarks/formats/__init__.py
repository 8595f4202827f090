"""Benchmarks of format readers."""
