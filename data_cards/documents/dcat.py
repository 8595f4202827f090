"""dcat-ap.jsonld: the release as a dataset of a catalogue, by the profile DCAT-AP 3.0.

Specification: https://semiceu.github.io/DCAT-AP/releases/3.0.0/. Each licence is a distribution, because a
distribution has one licence at most. `dct:spatial` and `dcat:theme` of unmapped fields are left to the publisher.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from data_cards.documents.release_facts import Facts
from malmoi.canonical_json import canonical_json
from malmoi.licensing.licences import LICENCES, folder_name, ids

Node: TypeAlias = dict[str, Any]
_EU: Final = "http://publications.europa.eu/resource/authority/"
_MEDIA: Final = "https://www.iana.org/assignments/media-types/application/vnd.apache.parquet"
_UP: Final = "../"  # the document is in a folder of the release
_CONTEXT: Final = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
# Field of a text → theme of the vocabulary data-theme; other fields have no theme of their own there.
_THEMES: Final = {
    "administration": "GOVE", "agriculture": "AGRI", "construction": "REGI", "content": "EDUC", "culture": "EDUC",
    "economy": "ECON", "education": "EDUC", "energy": "ENER", "finance": "ECON", "history": "EDUC", "law": "JUST",
    "life": "SOCI", "manufacturing": "ECON", "medicine": "HEAL", "military": "GOVE", "politics": "GOVE",
    "science": "TECH", "semiconductor": "TECH", "software": "TECH", "sports": "EDUC",
}  # fmt: skip


def render_catalogue(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Render dcat-ap.jsonld; the same card and manifest give the same bytes."""
    facts = Facts(card, manifest)
    dataset: Node = {
        "@id": _UP,
        "@type": "dcat:Dataset",
        "dct:title": facts.title,
        "dct:description": manifest["purpose"],
        "dct:identifier": f"{manifest['name']}/{manifest['version']}",
        "adms:identifier": {
            "@type": "adms:Identifier",
            "skos:notation": {"@type": "xsd:string", "@value": f"urn:sha256:{manifest['root']}"},
        },
        "dcat:version": manifest["version"],
        "dct:issued": {"@type": "xsd:dateTime", "@value": manifest["date"]},
        "dct:language": _name(f"{_EU}language/KOR", "dct:LinguisticSystem"),
        "dct:temporal": _describe_period(facts),
        "dct:provenance": _describe_provenance(facts),
        "dcat:keyword": [_spell(word) for word in facts.list_keywords()],
        "dcat:theme": [
            _name(f"{_EU}data-theme/{theme}", "skos:Concept", **{"skos:prefLabel": _spell(theme)})
            for theme in sorted({_THEMES[domain] for domain in facts.list_domains() if domain in _THEMES})
        ],
        "dcat:landingPage": _name(facts.publisher.get("url", f"{_UP}index.html"), "foaf:Document"),
        "foaf:page": _name(f"{_UP}README.md", "foaf:Document"),
        **_describe_publisher(facts),
        "dcat:distribution": [_describe_distribution(row, manifest) for row in facts.rows("by_licence")],
    }
    return canonical_json({"@context": _CONTEXT, **{key: value for key, value in dataset.items() if value != []}})


def _spell(text: str) -> Node:
    """Return a sentence of this module as an English literal."""
    return {"@language": "en", "@value": text}


def _name(iri: str, kind: str, **more: Any) -> Node:
    return {"@id": iri, "@type": kind, **more}


def _describe_period(facts: Facts) -> Node | list[Node]:
    """Describe the dates of publication of the texts; no dates give an empty list."""
    ends = {"dcat:startDate": facts.number("first_date"), "dcat:endDate": facts.number("last_date")}
    kinds = {4: "xsd:gYear", 7: "xsd:gYearMonth", 10: "xsd:date"}
    dates = {key: {"@type": kinds[len(date)], "@value": date} for key, date in ends.items() if len(date or "") in kinds}
    return {"@type": "dct:PeriodOfTime", **dates} if dates else []


def _describe_provenance(facts: Facts) -> Node:
    first, last = facts.number("first_fetched"), facts.number("last_fetched")
    says = (
        f"Collected from {facts.count('declared_sources')} declared sources by Malmoi; captures from {first} to {last} "
        "(of a file its last change, of a repository its commit); "
        f"recipe {facts.manifest['recipe']['name']}, digest {facts.manifest['recipe']['digest']}. Evidence of the "
        "licence of each document: audit/licence_evidence.parquet."
    )
    return {"@type": "dct:ProvenanceStatement", "rdfs:label": _spell(says)}


def _describe_publisher(facts: Facts) -> Node:
    node: Node = {}
    if name := facts.publisher.get("name"):
        node["dct:publisher"] = {"@type": "foaf:Agent", "foaf:name": name}
    if contact := facts.publisher.get("contact"):
        link = {"hasURL": contact} if "://" in contact else {"hasEmail": f"mailto:{contact.removeprefix('mailto:')}"}
        node["dcat:contactPoint"] = {
            "@type": "vcard:Organization",
            "vcard:fn": name or contact,
            **{f"vcard:{key}": {"@id": iri} for key, iri in link.items()},
        }
    return node


def _describe_distribution(row: Mapping[str, Any], manifest: Mapping[str, Any]) -> Node:
    """Describe the documents of one licence and use."""
    licence, use = row["license"], row["use"]
    folder = f"data/{use}/{folder_name(licence)}/"
    size = sum(file["bytes"] for file in manifest["files"] if file["path"].startswith(folder))
    return {
        "@id": f"#{use}-{folder_name(licence)}",
        "@type": "dcat:Distribution",
        "dct:title": f"{licence}, {use}",
        "dct:description": _spell(f"Parquet files of {row['documents']:,} documents under {licence}, in {folder}"),
        "dcat:accessURL": {"@id": f"{_UP}{folder}"},
        "dct:license": _describe_licence(licence),
        "dct:format": _name(f"{_EU}file-type/PARQUET", "dct:MediaTypeOrExtent"),
        "dcat:mediaType": _name(_MEDIA, "dct:MediaType"),
        "dcat:byteSize": {"@type": "xsd:nonNegativeInteger", "@value": str(size)},
    }


def _describe_licence(expression: str) -> Node:
    """Describe one licence by its address, an expression of several by LICENSE.md."""
    found = ids(expression)
    if len(found) == 1 and expression == found[0]:
        return _name(
            LICENCES[expression].url, "dct:LicenseDocument", **{"dct:title": _spell(LICENCES[expression].name)}
        )
    return _name(f"{_UP}LICENSE.md", "dct:LicenseDocument", **{"dct:title": _spell(expression)})
