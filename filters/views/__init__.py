"""Views of a text that several filters share."""
