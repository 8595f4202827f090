"""Text analysis shared by all rules: labels, digits, dates, checksums, table columns, the name model."""
