"""The engine of the near-duplicate survey."""
