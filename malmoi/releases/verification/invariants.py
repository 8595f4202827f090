"""Invariants of a release, asked of its tables in SQL: sums and references, rights, and the proof of an erasure.

A law is a query whose result must be empty. The rights are decided again, by the rules that made them; other rules are
named and not compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from malmoi.ablation import MEAN
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.rights_decision import RULES_VERSION, decide
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.releases.published_rows import ORIGIN_SQL
from malmoi.storage.duckdb_tables import Tables

PROOF: Final = "erasure_proof.json"
_QUERY: Final = "SELECT count(*) FROM data WHERE text_sha256 IN ({})"
_DIGESTS: Final = r"''|(?:'[0-9a-f]{64}'(?:, )?)+"
_QUERY_FORM: Final = re.compile(re.escape(_QUERY).replace(r"\{\}", f"(?:{_DIGESTS})"))


@dataclass(frozen=True, slots=True)
class Law:
    """An invariant: a SELECT that returns the violations, the file to look at, and the message for the rows."""

    path: str
    says: str
    sql: str


_SUMS = """
WITH sums AS (
  SELECT stage, source,
    coalesce(sum(n) FILTER (outcome = 'in'), 0)::BIGINT AS entered,
    coalesce(sum(n) FILTER (outcome = 'kept'), 0)::BIGINT AS kept,
    coalesce(sum(n) FILTER (outcome = 'dropped'), 0)::BIGINT AS dropped,
    coalesce(sum(n) FILTER (outcome = 'failed'), 0)::BIGINT AS failed
  FROM stages WHERE outcome <> 'torn' GROUP BY ALL),
order_of AS (SELECT stage, row_number() OVER (ORDER BY stage) AS place FROM (SELECT DISTINCT stage FROM stages)),
grid AS (
  SELECT o.stage, o.place, s.source, coalesce(x.entered, 0) AS entered, coalesce(x.kept, 0) AS kept,
    coalesce(x.dropped, 0) AS dropped, coalesce(x.failed, 0) AS failed
  FROM order_of o CROSS JOIN (SELECT DISTINCT source FROM sums) s
  LEFT JOIN sums x ON x.stage = o.stage AND x.source = s.source)
"""
_LOST = "SELECT id FROM dropped UNION SELECT id FROM failed"
# Reasons for which a keeper is preferred to its copy, in this order; docs/duplicates.md.
REASONS = ("rights", "earlier-release", "completeness", "surface", "date", "id")
_ROUNDED = 0.00005  # numbers of an ablation have five digits
_ABLATION = f"""
WITH base AS (SELECT held_out, bits FROM ablation WHERE input = baseline),
means AS (SELECT input, avg(bits) AS mean FROM ablation WHERE held_out <> '{MEAN}' GROUP BY ALL)
SELECT held_out, input, a.bits::VARCHAR, difference::VARCHAR
FROM ablation a LEFT JOIN base b USING (held_out) LEFT JOIN means m USING (input)
WHERE (tokens > 0 AND seeds > 0 AND a.bits BETWEEN low - {_ROUNDED} AND high + {_ROUNDED}
AND (input = baseline) = (difference IS NULL) AND (same_sign IS NULL) = (difference IS NULL)
AND (held_out <> '{MEAN}' OR abs(a.bits - m.mean) < {_ROUNDED}) AND coalesce(abs(a.bits - b.bits - difference)
< {_ROUNDED} AND difference BETWEEN difference_low - {_ROUNDED} AND difference_high + {_ROUNDED}, input = baseline)
AND (SELECT count(DISTINCT (version, root, method, setting, tokens, seeds, command, baseline)) FROM ablation) = 1
AND (held_out, input) NOT IN (SELECT (held_out, input) FROM ablation GROUP BY ALL HAVING count(*) > 1)) IS NOT TRUE
ORDER BY ALL LIMIT 3"""


def _differ(left: str, right: str) -> str:
    """Return SQL for the symmetric difference of two SELECTs."""
    return f"""
SELECT * FROM (
  (({left}) EXCEPT ({right})) UNION ALL (({right}) EXCEPT ({left}))
) ORDER BY ALL LIMIT 3"""


LAWS = (
    Law(
        "audit/stages.parquet",
        "in = kept + dropped + failed does not hold (stage, source, in, kept, dropped, failed)",
        f"{_SUMS} SELECT stage, source, entered, kept, dropped, failed FROM grid "
        "WHERE entered <> kept + dropped + failed ORDER BY ALL LIMIT 3",
    ),
    Law(
        "audit/stages.parquet",
        "the documents that one stage kept did not enter the next (stage, source, kept, entered the next)",
        f"{_SUMS} SELECT a.stage, a.source, a.kept, b.entered FROM grid a JOIN grid b "
        "ON b.place = a.place + 1 AND b.source = a.source WHERE a.kept <> b.entered ORDER BY ALL LIMIT 3",
    ),
    Law(
        "audit/stages.parquet",
        "the last stage kept another number of documents than data/ holds (source, kept, documents)",
        f"""{_SUMS}, last AS (SELECT source, kept FROM grid WHERE place = (SELECT max(place) FROM order_of)),
held AS (SELECT source, count(*)::BIGINT AS n FROM data GROUP BY ALL)
SELECT coalesce(l.source, d.source), coalesce(kept, 0), coalesce(n, 0) FROM last l FULL JOIN held d USING (source)
WHERE coalesce(kept, 0) <> coalesce(n, 0) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/dropped.parquet",
        "the list of dropped documents and the count of the stages differ (stage, source, filter, reason, n)",
        _differ(
            "SELECT stage, source, filter, reason, count(*)::BIGINT AS n FROM dropped GROUP BY ALL",
            "SELECT stage, source, filter, reason, n FROM stages WHERE outcome = 'dropped'",
        ),
    ),
    Law(
        "audit/failed.parquet",
        "the list of failed documents and the count of the stages differ (stage, source, why, n)",
        _differ(
            "SELECT stage, source, why, count(*)::BIGINT AS n FROM failed GROUP BY ALL",
            "SELECT stage, source, reason AS why, n FROM stages WHERE outcome = 'failed'",
        ),
    ),
    Law(
        "data",
        "an id appears more than once (id)",
        "SELECT id FROM data GROUP BY id HAVING count(*) > 1 ORDER BY 1 LIMIT 3",
    ),
    Law(
        "audit/dropped.parquet",
        "a document is listed as dropped and is in data/ (id, stage, filter, reason)",
        "SELECT id, stage, filter, reason FROM dropped WHERE id IN (SELECT id FROM data) ORDER BY ALL LIMIT 3",
    ),
    Law(
        "audit/licence_evidence.parquet",
        "evidence for a document that is not in data/ (id)",
        "SELECT DISTINCT id FROM licence_evidence WHERE id NOT IN (SELECT id FROM data) ORDER BY 1 LIMIT 3",
    ),
    Law(
        "audit/licence_evidence.parquet",
        "`by` of evidence differs from its kind, place and source (id, kind, place, by)",
        f"""SELECT e.id, e.kind, e.place, e."by" FROM licence_evidence e JOIN data d USING (id)
JOIN sources s ON s.name = d.source WHERE e."by" IS DISTINCT FROM {ORIGIN_SQL} ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/cleared_finds.parquet",
        "a cleared find is of no document in data/, or has no reviewer, day or reason (id, decision)",
        "SELECT id, decision FROM cleared_finds WHERE id NOT IN (SELECT id FROM data) OR n < 1 OR reviewer = ''"
        " OR reason = '' OR date = '' OR (starts_with(decision, 'shape-') AND shape = '')"
        " OR NOT regexp_full_match(decision, '(item|shape)-[a-z]{8}') ORDER BY ALL LIMIT 3",
    ),
    Law(
        "audit/inspection.parquet",
        "the counts of an inspection contradict each other (question, judged, yes_first, yes_second, yes_both)",
        "SELECT question, judged, yes_first, yes_second, yes_both FROM inspection WHERE judged < 1"
        " OR judged > documents OR yes_first NOT BETWEEN 0 AND judged OR readers NOT IN (1, 2)"
        " OR (readers = 2) <> (yes_second IS NOT NULL) OR (yes_second IS NULL) <> (yes_both IS NULL)"
        " OR yes_second NOT BETWEEN 0 AND judged"
        " OR yes_both NOT BETWEEN greatest(0, yes_first + yes_second - judged) AND least(yes_first, yes_second)"
        " OR question IN (SELECT question FROM inspection GROUP BY ALL HAVING count(*) > 1) ORDER BY ALL LIMIT 3",
    ),
    Law(
        "audit/ablation.parquet",
        "the numbers of an ablation contradict each other (held-out set, input, bits, difference)",
        _ABLATION,
    ),
    Law(
        "audit/judged_grants.parquet",
        "the rate of wrong grants is not that of the counts (rate, rate of the counts)",
        "SELECT CAST(rate AS DECIMAL(9, 4)), CAST(counted AS DECIMAL(9, 4)) FROM (SELECT max(sample_rate) AS rate,"
        " sum(documents * (wrong + unsure) / judged) / sum(documents) AS counted FROM judged_grants WHERE judged > 0)"
        " WHERE abs(rate - counted) > 0.0001",
    ),
    Law(
        "audit/attribution.parquet",
        "the attribution is not the one in data/ (id, licence, attribution)",
        _differ(
            "SELECT id, license AS licence, attribution FROM data", "SELECT id, licence, attribution FROM attribution"
        ),
    ),
    Law(
        "audit/personal_data.parquet",
        "the number of redacted values differs from data/ (id, kind, n)",
        _differ(
            "SELECT id, p.kind AS kind, p.n::BIGINT AS n FROM (SELECT id, unnest(pii) AS p FROM data)",
            "SELECT id, kind, n FROM personal_data",
        ),
    ),
    Law(
        "audit/sources.parquet",
        "a document of a source that is not declared (source)",
        "SELECT DISTINCT source FROM data WHERE source NOT IN (SELECT name FROM sources) ORDER BY 1 LIMIT 3",
    ),
    Law(
        "audit/clusters.parquet",
        "the size of a cluster differs from the table of copies (id, size in data/, size by the table)",
        """WITH members AS (SELECT cluster, keeper AS id FROM clusters UNION SELECT cluster, member FROM clusters),
sizes AS (SELECT cluster, count(*) AS n FROM members GROUP BY ALL)
SELECT d.id, d.cluster_size, coalesce(s.n, 1) FROM data d LEFT JOIN members m ON m.id = d.id
LEFT JOIN sizes s ON s.cluster = m.cluster WHERE d.cluster_size <> coalesce(s.n, 1) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "data",
        "a cluster of copies is in more than one split (cluster, splits)",
        """SELECT cluster, string_agg(DISTINCT split, ', ' ORDER BY split) FROM (
SELECT cluster, keeper AS id FROM clusters UNION SELECT cluster, member FROM clusters) JOIN data USING (id)
GROUP BY cluster HAVING count(DISTINCT split) > 1 ORDER BY 1 LIMIT 3""",
    ),
    Law(
        "data",
        "a text in the split test overlaps with an evaluation set (id)",
        "SELECT id FROM data WHERE split = 'test' AND len(benchmarks) > 0 ORDER BY 1 LIMIT 3",
    ),
    Law(
        "audit/clusters.parquet",
        "the keeper of a copy is neither in data/ nor dropped, failed, or of an earlier release (member, keeper)",
        f"""SELECT member, keeper FROM clusters WHERE "release" = ''
AND keeper NOT IN (SELECT id FROM data UNION {_LOST}) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/clusters.parquet",
        "a keeper listed as of an earlier release is in this one (member, keeper, release)",
        """SELECT member, keeper, "release" FROM clusters WHERE "release" <> ''
AND keeper IN (SELECT id FROM data) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/clusters.parquet",
        "a copy is in data/ although copies of its kind were dropped, or never entered (member, kind)",
        # A recipe may drop exact copies and keep near ones: then the near ones are in data/ and here.
        f"""SELECT member, kind FROM clusters WHERE
(member IN (SELECT id FROM data) AND kind || '-copy' IN (SELECT reason FROM dropped))
OR member NOT IN (SELECT id FROM data UNION {_LOST}) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/clusters.parquet",
        "the similarity is invalid for a copy of its kind (member, keeper, kind, similarity, measured)",
        # 0.5 is the lowest threshold that a recipe may set. NaN is compared as a string: Parquet statistics omit
        # it, so DuckDB evaluates comparisons, and even isnan, by the statistics without reading the values.
        """SELECT member, keeper, kind, similarity::VARCHAR, measured FROM clusters
WHERE (similarity BETWEEN 0.5 AND 1 AND similarity::VARCHAR <> 'nan' AND keeper <> member
AND measured IN ('exact', 'estimated')
AND (kind = 'near' OR kind = 'exact' AND similarity = 1 AND measured = 'exact')) IS NOT TRUE
ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/clusters.parquet",
        "the similarity of a copy differs from the one for which it was dropped (member, similarity, measured, limit)",
        """SELECT member, similarity::VARCHAR, d.measured::VARCHAR, d."limit"::VARCHAR
FROM clusters c JOIN dropped d ON d.id = c.member AND d.reason = c.kind || '-copy'
WHERE similarity < d."limit" OR similarity <> d.measured
ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/clusters.parquet",
        "the reason for a keeper is unknown (member, keeper, reason)",
        f"""SELECT member, keeper, reason FROM clusters
WHERE regexp_full_match(reason, '{"|".join(REASONS)}') IS NOT TRUE ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/signals.parquet",
        "a document was dropped for an opt-out that no signal states (id, reason)",
        """SELECT id, reason FROM dropped d WHERE reason IN ('opt-out', 'inferred-opt-out')
AND NOT EXISTS (SELECT 1 FROM signals s WHERE s.id = d.id AND s.effect = d.reason) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/dropped.parquet",
        "the rights filter dropped a document with an opt-out for another reason (id, reason)",
        """SELECT id, reason FROM dropped WHERE filter = 'rights' AND reason <> 'opt-out'
AND id IN (SELECT id FROM signals WHERE effect = 'opt-out') ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/signals.parquet",
        "a signal about a document that is neither in data/ nor dropped (id, signal)",
        """SELECT DISTINCT id, name FROM signals
WHERE id NOT IN (SELECT id FROM data UNION SELECT id FROM dropped) ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/licence_evidence.parquet",
        "evidence on an item is not from the record of its document (id, kind)",
        # A person may have reviewed what another record says about the whole site.
        """SELECT e.id, e.kind FROM licence_evidence e JOIN data d USING (id)
WHERE e.scope = 'item' AND e.kind <> 'review' AND e.record <> d.record ORDER BY ALL LIMIT 3""",
    ),
    Law(
        "audit/edits.parquet",
        "the redactions of a source are not those of its documents (source, kind, redacted, in data/)",
        # A document that the release step left out was redacted before; then there are more redactions than in data/.
        """WITH redacted AS (SELECT source, substr(reason, 5) AS kind, sum(n)::BIGINT AS n FROM edits
WHERE filter = 'redact' AND starts_with(reason, 'pii:') GROUP BY ALL),
held AS (SELECT source, p.kind AS kind, sum(p.n)::BIGINT AS n
FROM (SELECT source, unnest(pii) AS p FROM data) GROUP BY ALL),
short AS (SELECT source FROM dropped WHERE stage = (SELECT max(stage) FROM stages))
SELECT coalesce(r.source, h.source), coalesce(r.kind, h.kind), coalesce(r.n, 0), coalesce(h.n, 0)
FROM redacted r FULL JOIN held h ON r.source = h.source AND r.kind = h.kind
WHERE coalesce(r.n, 0) < coalesce(h.n, 0) OR (coalesce(r.n, 0) > coalesce(h.n, 0) AND r.source NOT IN (FROM short))
ORDER BY ALL LIMIT 3""",
    ),
)
# Each combination of licence, use, evidence and signals, with one example id: few rows, however many documents.
RIGHTS = """
WITH said AS (
  SELECT id, string_agg(DISTINCT line, chr(10) ORDER BY line) AS said
  FROM (SELECT id, scope || '\t' || kind || '\t' || regexp_replace(licence, '\\s', ' ', 'g') AS line
    FROM licence_evidence) GROUP BY id),
heard AS (SELECT id, string_agg(DISTINCT effect, chr(10) ORDER BY effect) AS heard FROM signals GROUP BY id)
SELECT d.license, d.use, coalesce(said, ''), coalesce(heard, ''), min(d.id), count(*)
FROM data d LEFT JOIN said USING (id) LEFT JOIN heard USING (id) GROUP BY 1, 2, 3, 4 ORDER BY ALL"""


def find_proof_faults(folder: Path, made: Manifest, tables: Tables) -> Iterator[str]:
    """Yield how the proof in `folder` disagrees with its release; its query is run only if it has the known form."""
    value: dict[str, Any] = json.loads((folder / PROOF).read_text(encoding="utf-8"))
    if value["after"] != {"version": made.version, "root": made.root, "documents": made.documents}:
        yield "version, root or number of documents are not those of the manifest"
    if value["before"]["documents"] - len(value["erased"]) != made.documents:
        yield "the erased documents are not the difference of the two versions"
    files = {file.path: describe_file(file) for file in made.files}
    for one in value["files"]:
        if files.get(one["path"]) != one["after"]:
            yield f"{one['path']} is not the file that the proof names"
    sql = str(value["query"]["sql"])
    if not _QUERY_FORM.fullmatch(sql):
        yield "its query is not one that this version makes; it was not run"
    elif tables.ask(sql).rows[0][0] != 0 or value["query"]["rows"] != 0:
        yield "its query finds a document: an erased text is in data/"
    names = {str(row[0]) for row in tables.ask("SELECT id FROM dropped WHERE reason = 'withdrawn'").rows}
    if not names.issuperset(value["erased"]):
        yield "audit/dropped.parquet does not list the erased documents as withdrawn"


def make_query(digests: Iterable[str]) -> str:
    """Return the query that counts the documents with one of these texts."""
    return _QUERY.format(", ".join(f"'{digest}'" for digest in digests) or "''")


def describe_file(file: ReleaseFile) -> dict[str, Any]:
    """Return digest, size and rows of a file, as the proof names them."""
    return {"sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}


def find_rights_faults(made: Manifest, tables: Tables) -> Iterator[str]:
    """Yield the differences between the rights in data/ and those that the published evidence and signals give.

    Nothing is compared for a release of other rules: evidence that was enough then may permit nothing now.
    """
    if made.rights_version != RULES_VERSION:
        return
    for licence, use, said, heard, id_, n in tables.ask(RIGHTS).rows:
        signals = [Signal("", effect, "", "", "") for effect in str(heard).split("\n") if effect]  # type: ignore[arg-type]
        rows = [line.split("\t") for line in str(said).split("\n") if line]
        evidence = [LicenceEvidence(name, kind, scope, "", "", "") for scope, kind, name in rows]  # type: ignore[arg-type]
        found = decide(evidence, signals)
        if (found.licence, found.use) != (licence, use):
            yield (
                f"{n} documents such as {id_} are {licence} ({use}); their evidence gives "
                f"{found.licence or 'none'} ({found.use})"
            )


def describe_rights(folder: Path) -> str:
    """Return the note that the rights of the release in `folder` were not decided again, or ""."""
    by = manifests.read(folder).rights_version
    if by == RULES_VERSION:
        return ""
    return (
        f"Its rights were decided by version {by} of the rules; this Malmoi has version {RULES_VERSION} and did not "
        "decide them again. A new release of the workspace does."
    )
