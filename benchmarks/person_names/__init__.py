"""Train and measure the model that finds names of persons: `filters/pii_rules/people/names.model`."""
