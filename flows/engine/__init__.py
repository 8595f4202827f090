"""Run stages: jobs, workers, surveys, progress."""
