"""Pages of many publishers, from archives of the web."""
