"""Addresses and postcodes."""
