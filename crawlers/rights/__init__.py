"""What stands on a page, in its headers or beside a source about the use of its text, as evidence and signals."""
