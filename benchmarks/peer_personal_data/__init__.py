"""Other detectors of personal data, for comparison: what runs in an environment of its own."""
