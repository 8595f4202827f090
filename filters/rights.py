"""Keep only documents whose licence allows the use that the release is for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Literal, TypeAlias

from malmoi.document import Document, Use, Verdict
from malmoi.licensing.proofs import find_trusted
from malmoi.licensing.review_decisions import Decision, evidence_of
from malmoi.licensing.rights_decision import RULES_VERSION, decide, table_digest

OpenWeb: TypeAlias = Literal["rel-license", "json-ld", "kogl-block"]  # `malmoi.licensing.proofs.OPEN_WEB`

# The table and the rules decide, so the version depends on them: a change of either reruns the stages.
VERSION = int(hashlib.sha256(f"3 {RULES_VERSION} {table_digest()}".encode()).hexdigest()[:8], 16)  # 3: of this file


def judge(
    doc: Document,
    *,
    uses: tuple[Use, ...] = ("redistribute",),
    gone: Literal["drop", "keep"] = "drop",
    relicensed: Literal["latest", "drop"] = "latest",
    trust: tuple[OpenWeb, ...] = (),
    decisions: tuple[Decision, ...] = (),
) -> Verdict:
    """Drop a document unless `uses` contains its use, which `malmoi.licensing.rights_decision.decide` determines.

    A later visit may have found the page gone, or under another licence than before; the signals `gone`
    and `relicensed` say so. `gone="drop"` drops such a page, `"keep"` relies on the mark that was
    archived while it existed. `relicensed="latest"` uses the mark of the last visit, `"drop"` drops
    every page whose mark has ever changed.

    `trust` names proofs that also count on pages that no source declares. `decisions` are those of persons about the
    source of the document; a recipe cannot set them, each run reads them from the workspace. Both add evidence.

    Labels `use` and `licence`, also on dropped documents; `licence` is "none" if the decision found no
    single licence. The drop reason is that of the decision (no-licence, conflict, refused, opt-out
    …, `malmoi.licensing.rights_decision.REASONS`), or `use-` and the use. The text is not read.

    >>> from malmoi.document import LicenceEvidence, Provenance
    >>> mark = LicenceEvidence("LicenseRef-KOGL-1", "field", "item", "", "", "")
    >>> doc = Document("a/1", "…", Provenance("a", "", "", "", ""), evidence=(mark,))
    >>> judge(doc).labels
    (('use', 'redistribute'), ('licence', 'LicenseRef-KOGL-1'))
    """
    added = tuple(replace(one, kind=name) for one in doc.evidence if (name := find_trusted(one.kind, trust)))
    if decisions:
        added += evidence_of(decisions, replace(doc, evidence=(*doc.evidence, *added)))
    rights = decide((*doc.evidence, *added), doc.signals)
    labels = (("use", rights.use), ("licence", rights.licence or "none"))
    noted = {signal.name for signal in doc.signals}
    if gone == "drop" and "gone" in noted:
        return Verdict("drop", "gone", labels=labels, evidence=added)
    if relicensed == "drop" and "relicensed" in noted:
        return Verdict("drop", "relicensed", labels=labels, evidence=added)
    # "exclude" is never released, whatever a recipe says.
    if rights.use in uses and rights.use != "exclude":
        return Verdict("keep", f"use-{rights.use}", labels=labels, evidence=added)
    return Verdict("drop", rights.reason or f"use-{rights.use}", labels=labels, evidence=added)
