"""Views of a text that several filters read."""
