"""The command line of malmoi."""
