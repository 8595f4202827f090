"""Clusters of near-duplicates and their representatives."""
