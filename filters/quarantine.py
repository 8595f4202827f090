"""Keep documents with resident numbers out of a release; stands between personal_data and redact.

Redaction would take the number away, but a text that printed one is likely to say more about the
person than any mask covers (PIPA art. 24 and 24-2).
"""

from __future__ import annotations

from filters.params import Count
from malmoi.document import Document, Verdict

VERSION = 1

_KINDS = frozenset(("pii:rrn", "pii:frn"))


def judge(doc: Document, *, max_resident_numbers: Count = 0) -> Verdict:
    """Drop a document with more than `max_resident_numbers` resident or foreigner numbers marked.

    `measured` is how many spans of kind pii:rrn and pii:frn the document carries.

    >>> from malmoi.document import Provenance, Span
    >>> doc = Document("a/1", "…", Provenance("a", "", "", "", ""), spans=(Span(0, 1, "pii:rrn"),))
    >>> judge(doc).reason, judge(doc, max_resident_numbers=1).outcome
    ('resident-number', 'keep')
    """
    count = sum(span.kind in _KINDS for span in doc.spans)
    if count > max_resident_numbers:
        return Verdict("drop", "resident-number", measured=count, limit=max_resident_numbers)
    return Verdict("keep", "within-limit", measured=count, limit=max_resident_numbers)
