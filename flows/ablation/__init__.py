"""Run an ablation: the same small model on equal tokens of several inputs, measured on held-out texts and probes."""
