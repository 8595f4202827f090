"""Rules for numeric identifiers."""
