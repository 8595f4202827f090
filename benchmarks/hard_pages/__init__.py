"""Korean pages that are hard to extract, written for this benchmark with the text that an editor would take."""
