"""Show a run on a Prefect server: progress, funnel, card and release, lineage, names."""
