"""Addresses, robots.txt and the scope of a source: what fetch, formats and rights share."""
