"""The survey of repeated paragraphs: keys of paragraphs, counts of their documents, and the keeper of each."""
