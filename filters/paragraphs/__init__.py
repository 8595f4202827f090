"""The survey of repeated paragraphs: what a paragraph is known by, how many documents have it, and where one stays."""
