"""datatrove, for comparison: what runs in an environment of its own."""
