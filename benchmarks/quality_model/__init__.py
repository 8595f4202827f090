"""Texts, labels and training of the quality model: `filters/lexicons/quality_model.bin` (docs/quality-model.md)."""
