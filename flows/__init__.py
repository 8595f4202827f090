"""Prefect flows and the command line: collect, curate, release, run."""
