"""Rules for names and birth dates."""
