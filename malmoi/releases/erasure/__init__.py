"""Erasure from published releases: find documents, write the patch release, and withdraw files of older versions."""
