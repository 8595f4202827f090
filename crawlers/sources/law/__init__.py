"""Statutes, rules, judgments and what the State says of them."""
