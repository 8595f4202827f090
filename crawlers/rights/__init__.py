"""What stands on a page, in its headers or beside a source about the use of its text, as evidence and signals."""

VERSION = 1  # raise it when marks, claims or signals are read otherwise: every format depends on it
