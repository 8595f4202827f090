"""What `domain` reads: lists of terms, and features of a model."""
