"""Search a document for repeats of detected values."""
