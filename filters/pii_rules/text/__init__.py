"""What all rules read: labels, digits, dates, checksums, table columns, the name model."""
