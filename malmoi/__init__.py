"""The words, the corridor and the releases of Malmoi: licensed Korean text, gathered with proof."""

__version__ = "0.1.0"
