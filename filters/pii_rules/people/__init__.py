"""Names and birth dates."""
