"""The article in the data that a page carries for its scripts: values, bodies, choice."""
