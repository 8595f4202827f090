"""How runs grow: with the input, in increments, on clusters, and what that costs."""
