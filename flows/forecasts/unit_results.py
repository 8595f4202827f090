"""Read the results of each unit of a sample: its documents, kept and dropped, from the stages of its workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flows.engine import document_ends
from flows.engine.stage_runs import Curated
from malmoi.archive.capture import IndexRow
from malmoi.licensing.rights_decision import decide
from malmoi.workspace import Workspace

# Names of quantities. The parts of a split have the name before their own: "licence: CC-BY-4.0".
DOCUMENTS, EXTRACTED, KEPT_DOCUMENTS, KEPT = "documents", "extracted characters", "kept documents", "kept characters"
LICENCE, DROPPED, CPU, PAYLOAD = "licence: ", "dropped: ", "CPU seconds", "bytes"
COPIES = ("exact-copy", "near-copy")  # reasons of a drop in favour of another document


@dataclass(slots=True)
class Cluster:
    """Documents of the sample that are copies of each other: the URL of the unit of each, and its characters."""

    members: list[tuple[str, int]] = field(default_factory=list)


def read_results(
    workspace: Workspace, curated: Curated, rows: Sequence[IndexRow]
) -> tuple[dict[str, defaultdict[str, float]], list[Cluster]]:
    """Return the quantities of each unit by its URL, and the clusters of copies.

    A copy counts as kept, with its own licence: how many copies the whole holds is estimated apart.
    """
    url_of = {row.record: row.url for row in rows}
    found = {row.url: defaultdict(float, {PAYLOAD: float(row.size)}) for row in rows}
    clusters: dict[str, Cluster] = defaultdict(Cluster)
    for doc, last, by, reason in document_ends.read_ends(workspace, curated):
        unit = found[url_of[doc.provenance.record]]
        unit[DOCUMENTS] += 1
        unit[EXTRACTED] += len(doc.text)
        keeper = dict(last.labels).get("keeper", "") if reason in COPIES else ""
        if by and not keeper:
            unit[f"{DROPPED}{by}: {reason}" if reason else f"{DROPPED}{by}"] += 1
            continue
        unit[KEPT_DOCUMENTS] += 1
        unit[KEPT] += len(last.text)
        unit[f"{LICENCE}{decide(last.evidence, last.signals).licence}"] += len(last.text)
        clusters[keeper or doc.id].members.append((url_of[doc.provenance.record], len(last.text)))
    for ledger in curated.ledgers("2-documents"):
        for failure in ledger.failed:  # of a capture, whose URL is the id
            if (url := failure.id.removeprefix(f"{failure.source}/")) in found:
                found[url][f"{DROPPED}failed: {failure.why}"] += 1
    return found, [one for one in clusters.values() if len(one.members) > 1]


def count_copies(clusters: Sequence[Cluster], weights: Mapping[str, float]) -> tuple[float, float, float]:
    """Return the characters of copies in the whole: an estimate, a lower and an upper bound.

    Two copies are in one sample with the product of their chances, so that each pair that was seen is drawn for as many
    pairs as the product of the weights. This is the number of copies if no text has more than two. Where three or more
    were drawn, the text is frequent, and its copies are counted by their own weights.
    """
    estimate = low = high = 0.0
    for one in clusters:
        copies = one.members[1:]
        linear = sum(size * weights[url] for url, size in copies)
        pairs = sum(
            size * weights[url] * weights[other]
            for at, (url, size) in enumerate(one.members)
            for other, _ in one.members[:at]
        )
        low, high = low + linear, high + pairs
        estimate += pairs if len(copies) == 1 else linear
    return estimate, low, max(low, high)
