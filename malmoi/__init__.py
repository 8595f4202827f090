"""Core of Malmoi: document types, workspace, pipeline and releases of licensed Korean text with licence evidence."""

__version__ = "0.1.0"
