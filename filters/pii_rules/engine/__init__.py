"""Engine of the rule tables: reads `rules.toml` of each room, and finds the matches of all rules in a text."""
