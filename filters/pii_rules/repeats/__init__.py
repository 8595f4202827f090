"""Find a detected value again in its document."""
