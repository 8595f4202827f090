"""PII detection rules for Korean identifiers: pure functions over a text, used by `filters/personal_data.py`.

Rules use RE2 and string methods only; both take time linear in the length of the text.
"""
