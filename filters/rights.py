"""Keep only documents whose licence allows the use that the release is for."""

from __future__ import annotations

import hashlib
from typing import Literal

from malmoi.document import Document, Use, Verdict
from malmoi.licensing.rights_decision import RULES_VERSION, decide, table_digest

# The table and the rules decide, so the version depends on them: a change of either reruns the stages.
VERSION = int(hashlib.sha256(f"2 {RULES_VERSION} {table_digest()}".encode()).hexdigest()[:8], 16)  # 2: of this file


def judge(
    doc: Document,
    *,
    uses: tuple[Use, ...] = ("redistribute",),
    gone: Literal["drop", "keep"] = "drop",
    relicensed: Literal["latest", "drop"] = "latest",
) -> Verdict:
    """Drop a document unless `uses` contains its use, which `malmoi.licensing.rights_decision.decide` determines.

    A later visit may have found the page gone, or under another licence than before; the signals `gone`
    and `relicensed` say so. `gone="drop"` drops such a page, `"keep"` relies on the mark that was
    archived while it existed. `relicensed="latest"` uses the mark of the last visit, `"drop"` drops
    every page whose mark has ever changed.

    Labels `use` and `licence`, also on dropped documents; `licence` is "none" if the decision found no
    single licence. The drop reason is that of the decision (no-licence, conflict, refused, opt-out
    …, `malmoi.licensing.rights_decision.REASONS`), or `use-` and the use. The text is not read.

    >>> from malmoi.document import LicenceEvidence, Provenance
    >>> mark = LicenceEvidence("LicenseRef-KOGL-1", "kogl-block", "item", "", "", "")
    >>> doc = Document("a/1", "…", Provenance("a", "", "", "", ""), evidence=(mark,))
    >>> judge(doc).labels
    (('use', 'redistribute'), ('licence', 'LicenseRef-KOGL-1'))
    """
    rights = decide(doc.evidence, doc.signals)
    labels = (("use", rights.use), ("licence", rights.licence or "none"))
    noted = {signal.name for signal in doc.signals}
    if gone == "drop" and "gone" in noted:
        return Verdict("drop", "gone", labels=labels)
    if relicensed == "drop" and "relicensed" in noted:
        return Verdict("drop", "relicensed", labels=labels)
    # "exclude" is never released, whatever a recipe says.
    if rights.use in uses and rights.use != "exclude":
        return Verdict("keep", f"use-{rights.use}", labels=labels)
    return Verdict("drop", rights.reason or f"use-{rights.use}", labels=labels)
