"""From a source to documents: sources, fetching, formats and rights."""
