"""The model of registers: what it reads, and its weights."""
