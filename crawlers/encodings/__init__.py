"""Charset decoding: labels, detection, repair."""
