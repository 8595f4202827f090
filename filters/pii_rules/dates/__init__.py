"""Rules for birth dates."""
