"""DOCX documents."""
