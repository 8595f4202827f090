"""Other makers of MinHash signatures, for comparison: what runs in an environment of its own."""
