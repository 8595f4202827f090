"""What the filter `quality_model` reads in a text."""
