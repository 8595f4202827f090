"""Quarantine documents with resident numbers, and those whose id contains personal data.

An id contains personal data if it has an identifier, or a value that is masked in the text of its own document. Runs
between personal_data and redact. Redaction would remove a resident number, but a text that printed one probably says
more about the person than a mask covers (PIPA art. 24 and 24-2). An id is permanent and cannot be masked: two masked
ids may be equal (docs/decisions/0008).
"""

from __future__ import annotations

from typing import Final

from filters.personal_data import Kind, has_personal_data
from filters.personal_data import mark as marks
from filters.pii_rules.repeats import find_masked
from malmoi import url_privacy
from malmoi.document import Document, Provenance, Verdict
from malmoi.parameter_bounds import Count

VERSION = 3
LIBRARIES = ("ahocorasick_rs", "google-re2", "numpy")
NEEDS = ("personal_data",)

_KINDS: Final[tuple[Kind, ...]] = ("rrn", "frn")
_MARKS: Final = frozenset(f"pii:{kind}" for kind in _KINDS)
_NOWHERE = Provenance("", "", "", "", "")


def judge(doc: Document, *, max_resident_numbers: Count = 0) -> Verdict:
    """Drop a document with resident or foreigner numbers, or with personal data in its id.

    `measured` is the number of resident and foreigner numbers in the text, title, author and URL, with percent-escapes
    decoded. A document for training only may contain up to `max_resident_numbers`; one to be redistributed, none.

    >>> from malmoi.document import Provenance, Span
    >>> doc = Document("a/1", "…", Provenance("a", "", "", "", ""), spans=(Span(0, 1, "pii:rrn"),))
    >>> judge(doc).reason, judge(doc, max_resident_numbers=1).outcome
    ('resident-number', 'drop')
    >>> judge(Document("a/u/hong%40example.kr", "…", Provenance("a", "", "", "", ""))).reason
    'personal-data-in-id'
    """
    limit = max_resident_numbers if doc.label("use") == "train-only" else 0
    beside = "\n\n".join((doc.title, doc.author, url_privacy.decode_escapes(doc.provenance.url)))
    found = marks(Document("", beside, _NOWHERE), kinds=_KINDS)
    count = sum(span.kind in _MARKS for span in (*doc.spans, *found))
    if count > limit:
        return Verdict("drop", "resident-number", measured=count, limit=limit)
    # All kinds, whatever the recipe replaces, which includes all that a release would change in an id.
    has_identifier = url_privacy.has_personal_data(doc.id, lambda text: "" if has_personal_data(text) else text)
    if has_identifier or find_masked(url_privacy.decode_escapes(doc.id.partition("/")[2]), doc):
        return Verdict("drop", "personal-data-in-id", measured=1, limit=0)
    return Verdict("keep", "within-limit", measured=count, limit=limit)
