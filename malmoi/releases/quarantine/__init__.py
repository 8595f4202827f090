"""Documents in quarantine: what a person sees of a find of the second detector, and how it is cleared."""
