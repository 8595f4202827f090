"""Harvest a repository by OAI-PMH: lists, resumption tokens, deleted records, files of licensed records."""
