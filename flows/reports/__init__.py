"""Reports for the operator."""
