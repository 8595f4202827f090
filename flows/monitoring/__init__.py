"""What a Prefect server shows of a run: progress, funnel, card and release, lineage, names."""
