"""What Prefect costs beside the work: CPU of task runs, share of a large run, time until the first task."""
