"""Texts, labels and training of the quality model: `filters/lexicons/quality.model` (docs/quality-model.md)."""
