"""Compare the documents of a probe with what the source declares of them, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from crawlers.catalogue import Definition
from flows.plurals import count_of
from flows.probing.probe_records import Check
from flows.probing.read_items import ReadCapture, ReadDocument
from malmoi.document import Document
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.rights_decision import UNKNOWN, decide

# Field of an attribution template → the field of a document from which it is filled.
NAMED = {"title": "title", "year": "date", "author": "author"}
QUOTED = 60  # characters of an unknown licence value


def check_documents(definition: Definition, captures: Sequence[ReadCapture]) -> Iterator[Check]:
    """Yield a check for each field of the documents: keys, text, the fields of the attribution, licences."""
    read = [one for capture in captures for one in capture.documents]
    if failed := [one.failed for one in captures if one.failed]:
        yield Check("reading", "differs", f"{count_of(len(failed), 'answer')} could not be read: {_tally(failed)}")
    if not read:
        yield Check("items", "differs", f"none in {count_of(len(captures), 'answer')}; correct items() of the source")
        return
    keys = Counter(one.document.id for one in read)
    bad = sum(count > 1 for count in keys.values())
    yield Check("items", "holds", f"{len(read):,} in {count_of(len(captures), 'answer')}")
    yield Check("key", *(("differs", f"{bad:,} repeated; ids need a unique key") if bad else ("holds", "unique")))
    yield from _check_text(read)
    yield from _check_named(definition, [one.document for one in read if not one.dropped])
    yield from _check_licences(definition, [one.document for one in read])


def check_unknown(definition: Definition, captures: Sequence[ReadCapture]) -> Iterator[Check]:
    """Yield the check of the fields that the source neither reads nor leaves out by name, if it declares them."""
    if definition.unknown_fields is None:
        return
    names = sorted({name for one in captures for name in one.unknown_fields})
    yield Check(
        "other fields",
        "differs" if names else "holds",
        f"unknown: {', '.join(names)}; look at them, and add each to the fields of the source" if names else "none",
    )


def _check_text(read: Sequence[ReadDocument]) -> Iterator[Check]:
    texts = [one for one in read if not one.dropped]
    why = [one.dropped for one in read if one.dropped]
    rest = f"; without text: {_tally(why)}" if why else ""
    formats = _tally([one.document.provenance.format or "none" for one in texts])
    if not texts:
        yield Check("text", "differs", f"none{rest}; correct text() of the source, or its `include`")
        return
    lengths = sorted(len(one.document.text) for one in texts)
    hangul = sum(_count_hangul(one.document.text) for one in texts) / max(1, sum(lengths))
    size = f"{lengths[0]:,} to {lengths[-1]:,} characters, {hangul:.0%} Hangul"
    yield Check("text", "holds", f"in {len(texts):,} of {len(read):,}: {size}{rest}")
    strange = [one for one in why if one.startswith("unsupported-format")]
    yield Check("type", "differs" if strange else "holds", _tally(strange) if strange else formats)


def _check_named(definition: Definition, documents: Sequence[Document]) -> Iterator[Check]:
    """Yield a check for each field of a document that the attribution of the source, or its rule, reads."""
    source = definition.source
    wanted = [field for name, field in NAMED.items() if f"{{{name}}}" in source.attribution]
    wanted += ["author"] if source.rule.author and "author" not in wanted else []
    for field in wanted if documents else ():
        count = sum(bool(getattr(one, field)) for one in documents)
        says = f"in {count:,} of {len(documents):,}"
        yield Check(field, "holds" if count else "differs", says if count else f"{says}; the attribution reads it")


def _check_licences(definition: Definition, documents: Sequence[Document]) -> Iterator[Check]:
    """Yield the check of licences: a source with proofs must prove one, and name none that is unknown."""
    rule = definition.source.rule
    decided = [decide(one.evidence, one.signals) for one in documents]
    granted = [one.licence for one in decided if one.use == "redistribute"]
    others = [one.reason or one.use for one in decided if one.use != "redistribute"]
    says = f"{_tally(granted)} in {len(granted):,} of {len(documents):,}" if granted else "no item has a proof"
    says += f"; not granted: {_tally(others)}" if others else ""
    strange = [
        one.quote[:QUOTED] for doc in documents for one in doc.evidence if one.licence == UNKNOWN and one.kind in PROOFS
    ]
    if strange:
        says += f"; unknown value: {_tally(strange)}"
    if not rule.proofs:
        yield Check("licence", "unknown", f"the source declares no proof: each item needs a review; {says}")
        return
    yield Check("licence", "differs" if strange or not granted else "holds", says)


def _tally(words: Sequence[str]) -> str:
    """Return the words, most frequent first, with their numbers.

    >>> _tally(["a", "b", "b"])
    'b ×2, a'
    """
    return ", ".join(f"{word} ×{n}" if n > 1 else word for word, n in Counter(words).most_common(6))


def _count_hangul(text: str) -> int:
    return sum("가" <= char <= "힣" for char in text)
