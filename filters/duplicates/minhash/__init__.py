"""MinHash: shingles, signatures, bands, similarity."""
