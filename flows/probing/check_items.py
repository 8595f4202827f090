"""Compare the documents of a probe with what the source declares of them: each field, and the licences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from crawlers.catalogue import Definition
from crawlers.sampling import Stratum
from filters.duplicates.sketch import U32, jaccard, shingle_hashes
from filters.korean.hangul import is_hangul
from flows.plurals import count_of, tally
from flows.probing.check_answers import grade_share
from flows.probing.probe_records import Check, State
from flows.probing.read_items import MAX_WORDS, ReadCapture, ReadDocument
from malmoi.document import Document, LicenceEvidence
from malmoi.licensing import rights_decision
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.rights_decision import UNKNOWN, Rights, decide
from malmoi.source import LicenceRule

UNEXPECTED = "unexpected-licence"  # signal of crawlers/rights/declared.py


def check_licences(rule: LicenceRule, read: Sequence[ReadDocument]) -> Iterator[Check]:
    """Yield the check of licences: a source with proofs must prove one, and name none that it does not expect."""
    decided = [(one, decide(one.document.evidence, one.document.signals)) for one in read]
    granted = [rights.licence for _, rights in decided if _is_granted(rule, rights)]
    others = [explain(one, rights) for one, rights in decided if not _is_granted(rule, rights)]
    says = f"{tally(granted)} in {len(granted):,} of {len(read):,}; not granted" if granted else "no item is granted"
    says = f"{says}: {tally(others, '; ')}" if others else says.removesuffix("; not granted")
    if not rule.proofs:
        yield Check("licence", "unknown", f"the source declares no proof: each item needs a review; {says}")
        return
    if others:
        says += f". Expected: {', '.join(rule.expected) or 'any licence of docs/rights.md'}"
    strange = any(_is_strange(one) for one in read)
    state: State = "differs" if strange or not granted else "partly" if others else "holds"
    yield Check("licence", state, says)


def _is_granted(rule: LicenceRule, rights: Rights) -> bool:
    """Whether the use is open, or the one that the source expects, such as training alone."""
    return rights.use == "redistribute" or (rights.use == "train-only" and rights.licence in rule.expected)


def _is_strange(one: ReadDocument) -> bool:
    """Whether a proof has an unknown value, or names a licence that the source does not expect."""
    unknown = any(found.licence == UNKNOWN and found.kind in PROOFS for found in one.document.evidence)
    return unknown or any(signal.name == UNEXPECTED for signal in one.document.signals)


def explain(one: ReadDocument, rights: Rights) -> str:
    """Explain why a document is not granted: the value that was found, or that its place is empty."""
    doc = one.document
    proofs = [found for found in doc.evidence if found.kind in PROOFS]
    if unknown := [found for found in proofs if found.licence == UNKNOWN]:
        return f"unknown value: {_quote(unknown[0])}"
    if signal := next((signal for signal in doc.signals if signal.name == UNEXPECTED), None):
        return f"{_quote(proofs[0])} is {signal.quote}, which is not expected"
    said = rights_decision.explain(rights)
    if named := proofs or doc.evidence:
        said += f" ({_quote(named[0])})"
    return "; ".join(filter(None, (said, one.place)))


def _quote(found: LicenceEvidence) -> str:
    return f"{found.quote[:MAX_WORDS]!r} at {found.place}" if found.quote else f"at {found.place}"


# Field of an attribution template → the field of a document from which it is filled.
NAMED = {"title": "title", "year": "date", "author": "author"}
WALLS = ("error", "login", "shell", "frame")  # kinds of pages (crawlers/formats/html/page_kind.py) without content
COMPARED = 50  # texts that are compared with each other
ALIKE = 0.8  # Jaccard similarity of shingles; the threshold of near-duplicates in the recipe `general`


def check_documents(
    definition: Definition, captures: Sequence[ReadCapture], strata: Sequence[Stratum]
) -> Iterator[Check]:
    """Yield a check for each field of the documents: keys, text, the fields of the attribution."""
    read = [one for capture in captures for one in capture.items]
    if failed := [f"{one.failed} ({one.form})" if one.form else one.failed for one in captures if one.failed]:
        yield Check("reading", "differs", f"{count_of(len(failed), 'answer')} could not be read: {tally(failed, '; ')}")
    if not read:
        lists = sum(bool(one.documents) for one in captures)
        forms = tally([one.form for one in captures if one.form] + ["a page of links"] * lists)
        says = f"none in {count_of(len(captures), 'answer')}{f' ({forms})' if forms else ''}"
        yield Check("items", "differs", f"{says}; correct items() of the source")
        return
    holding, empty = [one for one in captures if one.items], _find_empty(captures, strata)
    says = f"{len(read):,} in {count_of(len(holding), 'answer')}"
    if empty:
        says += f"; none in {count_of(len(empty), 'other')} of the same kind ({tally([one.form for one in empty])})"
    yield Check("items", "partly" if empty else "holds", says)
    bad = sum(count > 1 for count in Counter(one.document.id for one in read).values())
    yield Check("key", *(("differs", f"{bad:,} repeated; ids need a unique key") if bad else ("holds", "unique")))
    yield from _check_text(read)
    yield from _check_type(read, [one.contradiction for one in captures if one.contradiction], len(captures))
    yield from _check_copies([one.document for one in read if not one.dropped])
    yield from _check_named(definition, [one.document for one in read if not one.dropped])


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


def check_totals(captures: Sequence[ReadCapture], strata: Sequence[Stratum]) -> Iterator[Check]:
    """Yield the check of the number of results that answers state: it is not far above what the source finds.

    A list states its own number, so a number below that of the source proves nothing, except 0.
    """
    totals = [total for one in captures for total in one.totals]
    holding = [one for one in captures if one.items]
    if not totals or not holding or any(one.counted == "at least" for one in strata):
        return
    urls = {one.url for one in holding}
    units = sum(one.units for one in strata if urls & set(one.chosen)) if strata else len(holding)
    found = units * sum(len(one.items) for one in holding) / len(holding)
    says = f"an answer states {max(totals):,} results; the source finds {found:,.0f}"
    if not max(totals) or max(totals) > 2 * found:
        yield Check("total", "differs", f"{says}; look at the parameters of the request, and at follow()")
    else:
        yield Check("total", "holds", says)


def check_ends(rule: LicenceRule, recipe: str, ends: Sequence[tuple[str, str]]) -> Iterator[Check]:
    """Yield the check of what a recipe keeps: `ends` are the filter and the reason that dropped each document.

    Without a proof in its rule a source releases nothing until a person has decided.
    """
    kept = sum(not by for by, _ in ends)
    dropped = tally([f"{by}: {reason}" if reason else by for by, reason in ends if by])
    state: State = "holds" if 2 * kept >= len(ends) else "partly" if kept else "differs" if rule.proofs else "unknown"
    says = f"{kept:,} of {len(ends):,} by the recipe {recipe}"
    yield Check("kept", state, f"{says}; dropped: {dropped}" if dropped else says)


def grade(count: int, total: int) -> State:
    """Return the state of a field that `count` of `total` documents have.

    >>> grade(3, 3), grade(1, 3), grade(0, 3)
    ('holds', 'partly', 'differs')
    """
    return "holds" if count == total else "partly" if count else "differs"


def _find_empty(captures: Sequence[ReadCapture], strata: Sequence[Stratum]) -> list[ReadCapture]:
    """Return the captures without documents in a stratum where others have some; the rest are lists."""
    holding = {one.url for one in captures if one.items}
    mixed = {url for one in strata if holding & set(one.chosen) for url in one.chosen}
    return [one for one in captures if not one.documents and not one.failed and one.url in mixed]


def _check_text(read: Sequence[ReadDocument]) -> Iterator[Check]:
    why = [one.dropped or ("" if one.document.text.strip() else "empty") for one in read]
    texts = [one for one, reason in zip(read, why, strict=True) if not reason]
    why = [reason for reason in why if reason]
    rest = f"; without text: {tally(why)}" if why else ""
    if not texts:
        yield Check("text", "differs", f"none{rest}; correct text() of the source, or its `include`")
        return
    lengths = sorted(len(one.document.text) for one in texts)
    hangul = sum(is_hangul(char) for one in texts for char in one.document.text) / max(1, sum(lengths))
    size = f"{lengths[0]:,} to {lengths[-1]:,} characters, {hangul:.0%} Hangul"
    yield Check("text", grade(len(texts), len(read)), f"in {len(texts):,} of {len(read):,}: {size}{rest}")


def _check_type(read: Sequence[ReadDocument], contradictions: Sequence[str], captures: int) -> Iterator[Check]:
    strange = [one.dropped for one in read if one.dropped.startswith("unsupported-format")]
    kinds = [kind for one in read if (kind := one.document.label("page_kind", "")) in WALLS and not one.dropped]
    if contradictions:
        state = grade_share(len(contradictions), captures - len(contradictions))
        yield Check("type", state, f"{tally(contradictions)}; look whether it is an error page")
    elif strange:
        yield Check("type", "differs", tally(strange))
    elif kinds:
        says = f"{tally(kinds)} among {count_of(len(read), 'page')}, by their words and structure; look at them"
        yield Check("type", "differs" if 2 * len(kinds) >= len(read) else "partly", says)
    elif formats := [one.document.provenance.format or "none" for one in read if not one.dropped]:
        yield Check("type", "holds", tally(formats))


def _check_copies(documents: Sequence[Document]) -> Iterator[Check]:
    """Yield the check that the texts differ: equal ones are an error page, a wall, or a wrong field."""
    few = documents[:COMPARED]
    if len(few) < 2:
        return
    groups: list[tuple[U32, list[str]]] = []  # shingles of the first, URLs
    for one in few:
        made = shingle_hashes(one.text)
        urls = next((urls for other, urls in groups if jaccard(made, other) >= ALIKE), None)
        if urls is None:
            groups.append((made, [one.provenance.url]))
        else:
            urls.append(one.provenance.url)
    most = max((urls for _, urls in groups), key=len)
    says = f"{len(groups):,} of {len(few):,} texts are distinct"
    if len(most) > 1:
        says += f"; {len(most):,} are alike, such as {most[0]} and {most[1]}: an error page, or a wrong element"
    is_half = 2 * max(len(most), len(few) - len(groups)) >= len(few)
    state: State = "holds" if len(most) == 1 else "differs" if is_half else "partly"
    yield Check("copies", state, says)


def _check_named(definition: Definition, documents: Sequence[Document]) -> Iterator[Check]:
    """Yield a check of the titles, and of each field that the attribution of the source, or its rule, reads."""
    source = definition.source
    wanted = {field: "the attribution" for name, field in NAMED.items() if f"{{{name}}}" in source.attribution}
    wanted |= {"author": "the rule"} if source.rule.author and "author" not in wanted else {}
    for field in dict.fromkeys(("title", *wanted)) if documents else ():
        count, reader = sum(bool(getattr(one, field)) for one in documents), wanted.get(field, "")
        says = f"in {count:,} of {len(documents):,}"
        if not count:
            says += f"; {reader} reads it" if reader else "; correct items() or text() if the answers have titles"
            says += ", and it is absent or not a day" if field == "date" else ""
        yield Check(field, grade(count, len(documents)) if reader else "holds" if count else "unknown", says)
