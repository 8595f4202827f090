"""The survey of copies: sketch each document, find pairs that are alike, and name the one that is kept."""
