"""Lists of terms, and features of the model that `domain` asks."""
