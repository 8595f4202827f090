"""Data Provenance Standards 1.0.0 of the Data & Trust Alliance: 22 fields in the groups source, provenance and use.

The list of fields: https://dataandtrustalliance.org/our-initiatives/data-provenance-standards. A field that only the
publisher can answer is null, and `for_publisher` names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data_cards.documents.release_facts import Facts
from malmoi.canonical_json import canonical_json

VERSION: Final = "1.0.0"


def render_provenance(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Render the 22 fields as JSON; the same card and manifest give the same bytes."""
    facts = Facts(card, manifest)
    groups = {"source": _describe_source(facts), "provenance": _describe_origin(facts), "use": _describe_use(facts)}
    empty = [f"{group}.{key}" for group, fields in groups.items() for key, value in fields.items() if value is None]
    return canonical_json(groups | {"for_publisher": empty})


def _describe_source(facts: Facts) -> dict[str, Any]:
    return {
        "standards_version_used": VERSION,
        "dataset_title": facts.title,
        "unique_metadata_identifier": f"urn:sha256:{facts.manifest['root']}",
        "metadata_location": facts.publisher.get("url"),
        "dataset_issuer": facts.publisher or None,
        "description_of_the_dataset": (
            f"{facts.manifest['purpose']} {facts.count('documents')} documents, {facts.count('characters')} characters."
        ),
    }


def _describe_origin(facts: Facts) -> dict[str, Any]:
    previous = facts.card.get("previous")  # it has no date
    return {
        "source_metadata_for_dataset": "audit/sources.parquet",
        "source_if_different_from_issuer": [
            {"name": source["name"], "title": source["title"], "publisher": source["publisher"] or None}
            for source in facts.manifest["sources"]
        ],
        "data_origin_geography": None,
        "dataset_issue_date": facts.manifest["date"],
        "date_of_previously_issued_version": {"version": previous["version"], "dates": "CHANGELOG.md"}
        if previous
        else "none",
        "range_of_dates_for_data_generation": {
            "first": facts.number("first_date"),
            "last": facts.number("last_date"),
            "undated_documents": facts.number("undated"),
            "earliest_capture": facts.number("first_fetched"),
            "latest_capture": facts.number("last_fetched"),
        },
        "method": [
            {"source": row["source"], "access": row["access"], "documents": row["documents"]}
            for row in facts.rows("collection")
        ],
        "data_format": ["text", "application/vnd.apache.parquet"],
    }


def _describe_use(facts: Facts) -> dict[str, Any]:
    masked = {row["kind"]: row["places"] for row in facts.rows("personal_data") if row["places"]}
    filters = facts.manifest["recipe"].get("filters", {})
    return {
        "confidentiality_classification": None,
        "consent_documentation_location": "audit/licence_evidence.parquet",
        "use_of_privacy_enhancing_technologies": {
            "filters": {name: filters[name] for name in ("personal_data", "redact", "quarantine") if name in filters},
            "places_masked_by_kind": masked,
            "second_detector": facts.number("residue_detector"),
            "places_found_in_texts": facts.number("residue_in_texts"),
            "places_found_elsewhere": facts.number("residue_elsewhere"),
        },
        "data_processing_geography_inclusion_exclusion": None,
        "data_storage_geography_inclusion_exclusion": None,
        "license_to_use": [
            {"licence": row["license"], "use": row["use"], "documents": row["documents"]}
            for row in facts.rows("by_licence")
        ],
        "intended_data_use": facts.manifest["purpose"],
        "proprietary_data_presence": {
            "documents_proved_by_statute": facts.number("statute_evidence"),
            "documents_proved_by_source": facts.number("rights_holder_evidence"),
            "documents_proved_by_operator_only": facts.number("operator_evidence"),
        },
    }
