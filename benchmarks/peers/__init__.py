"""Other tools, for comparison: scripts, and the requirements of the environments of their own in which they run."""
