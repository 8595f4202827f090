"""Documentation of free software."""
