"""Policies that a host declares for all its pages."""
