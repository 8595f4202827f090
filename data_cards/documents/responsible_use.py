"""Properties of Croissant RAI 1.0: collection, processing, biases, limits, uses, personal data, maintenance.

Specification: http://mlcommons.org/croissant/RAI/1.0. Each number is one of the card.
"""

from __future__ import annotations

from typing import Any, Final

from data_cards.documents.release_facts import Facts
from malmoi.canonical_json import spell_on_one_line

# Way of access to a source → type of collection; others are collections that somebody else made.
_TYPES: Final = {
    "Site": "Web Scraping", "Sitemap": "Web Scraping", "Feed": "Web Scraping", "Api": "Web API", "OaiPmh": "Web API",
}  # fmt: skip


def describe_responsible_use(facts: Facts) -> dict[str, Any]:
    """Return the properties by name, with the prefix `rai:`."""
    return {**_describe_collection(facts), **_describe_processing(facts), **_describe_uses(facts)}


def _describe_collection(facts: Facts) -> dict[str, Any]:
    n, sources = facts.count, facts.rows("collection")
    return {
        "rai:dataCollection": (
            f"Malmoi archived the responses of {n('declared_sources')} declared sources and kept texts with a proof "
            f"of their licence: {n('with_evidence')} of {n('documents')} documents (audit/licence_evidence.parquet)."
        ),
        "rai:dataCollectionType": sorted({_TYPES.get(row["access"], "Secondary Data analysis") for row in sources}),
        "rai:dataCollectionRawData": "; ".join(f"{row['source']} ({row['access']})" for row in sources),
        "rai:dataCollectionMissingData": (
            f"{n('dropped')} documents were dropped and {n('failed')} failed, for the reasons in audit/dropped.parquet "
            "and audit/failed.parquet."
        ),
        "rai:dataCollectionTimeframe": [t for t in map(facts.number, ("first_crawled", "last_crawled")) if t],
    }


def _describe_processing(facts: Facts) -> dict[str, Any]:
    steps = facts.manifest["recipe"].get("steps", ())
    return {
        "rai:dataPreprocessingProtocol": [
            f"{stage}: {name} {spell_on_one_line(given)}" for stage, name, given in steps
        ],
        "rai:dataAnnotationProtocol": "Filters set register, domain, quality and abuse; no person annotated.",
        "rai:machineAnnotationTools": [
            f"{name} {version}" for name, version in sorted(facts.manifest["software"].items())
        ],
    }


def _describe_uses(facts: Facts) -> dict[str, Any]:
    masked = [f"{row['kind']}: {row['places']:,} places masked" for row in facts.rows("personal_data") if row["places"]]
    left = f"{facts.count('residue_in_texts')} places in texts and {facts.count('residue_elsewhere')} elsewhere"
    return {
        "rai:dataBiases": [
            f"Share of Hangul among letters {row['hangul_share'] or 'not measured'}: {row['share']} % of characters"
            for row in facts.rows("by_hangul_share")
        ],
        "rai:dataLimitations": [
            "Masking is not anonymisation: personal data without a rule may remain.",
            "Texts were not fact-checked and carry the biases of their sources.",
            "Licences are those of the day of collection.",
        ],
        "rai:dataUseCases": [facts.manifest["purpose"]],
        "rai:personalSensitiveInformation": [*masked, f"The second detector found {left}."],
        "rai:dataReleaseMaintenancePlan": (
            "Versions are immutable. An erasure publishes a patch version; earlier versions lose the same documents."
        ),
    }
