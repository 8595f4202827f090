"""Other extractors, for comparison: they run in an environment of their own."""
