"""The archive of captures: WARC files and collection runs."""
