"""Features of a text for the filter `quality_model`."""
