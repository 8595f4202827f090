"""Deployments for a Prefect server: forms, limits, alerts, and the folder in which a run starts."""
