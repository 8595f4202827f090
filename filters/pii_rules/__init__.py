"""Rules for Korean identifiers: pure functions over a text, used by `filters/personal_data.py`.

Only RE2 and string methods look at text here: both take time linear in the length of the text.
"""
