"""Lists of terms and rules as data, and their readers."""
