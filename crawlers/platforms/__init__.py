"""Platforms that many Korean sources are published on, and the markup of their site builders."""
