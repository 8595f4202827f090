"""What `benchmarks.simulated_captures` composes: words, texts and pages that nobody wrote."""
