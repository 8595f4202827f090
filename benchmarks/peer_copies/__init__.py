"""Other finders of copies, for comparison: what runs in an environment of its own."""
