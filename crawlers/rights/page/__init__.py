"""Licence marks on a web page, and the text that each applies to."""
