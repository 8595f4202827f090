"""Copies of a finished release at other places: a folder, S3-compatible storage, a dataset hub."""
