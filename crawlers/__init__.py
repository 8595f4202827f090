"""Turn a source into documents: source definitions, fetching, formats and rights."""
