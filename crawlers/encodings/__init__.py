"""Decode bytes: charset labels, detection, repair."""
