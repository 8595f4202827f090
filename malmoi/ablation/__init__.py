"""Train one small language model for each of several inputs, and compare them on texts that none of them contains."""
