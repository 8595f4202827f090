"""Licences, and the decision about permitted use of a document."""
