"""Licences, and the decision what a document may be used for."""
