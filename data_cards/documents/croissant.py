"""croissant.json: metadata in the Croissant format 1.1 with properties of Croissant RAI 1.0.

Specifications: http://mlcommons.org/croissant/1.1 and http://mlcommons.org/croissant/RAI/1.0. Each configuration of
the release is one FileSet and one RecordSet. The annotation `origin` of a RecordSet is the provenance of each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from data_cards.documents.release_facts import Facts
from data_cards.documents.responsible_use import describe_responsible_use
from data_cards.header import Configuration, list_configurations, list_patterns
from malmoi.canonical_json import canonical_json
from malmoi.release_files import is_data_file, is_morpheme_file

Node: TypeAlias = dict[str, Any]
CONFORMS: Final = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_FORMAT: Final = "application/x-parquet"
# Terms of the appendix of the specification, then the vocabularies of the properties used here.
_TERMS: Final = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject fileProperty"
    " fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines recordSet references"
    " regex repeated replace samplingRate sdVersion separator source subField transform unArchive value"
)
_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS.split()},
}
# Properties of other vocabularies that columns are equal to.
_EQUAL: Final = {
    "id": "sc:identifier", "text": "sc:text", "title": "sc:headline", "date": "sc:datePublished", "author": "sc:author",
    "license": "sc:license", "attribution": "sc:creditText", "language": "sc:inLanguage", "domain": "sc:about",
    "register": "sc:genre", "text_sha256": "sc:sha256",
}  # fmt: skip
_TYPES: Final = {"url": "sc:URL", "fetched": "sc:DateTime"}
# Column of the archived response → property of it: the entity that a row was derived from.
_ORIGIN: Final = {
    "url": "prov:atLocation",
    "record": "sc:identifier",
    "revision": "sc:sha256",
    "fetched": "prov:generatedAtTime",
    "source": "prov:wasAttributedTo",
}


def render_croissant(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Render croissant.json; the same card and manifest give the same bytes."""
    facts = Facts(card, manifest)
    configurations = list_configurations(card)
    return canonical_json(
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": list(CONFORMS),
            "name": manifest["name"],
            "alternateName": facts.title,
            "description": manifest["purpose"],
            "version": manifest["version"],
            "datePublished": manifest["date"],
            "url": facts.publisher.get("url", "index.html"),
            "license": facts.list_licences(),
            "inLanguage": "ko",
            "keywords": facts.list_keywords(),
            "isLiveDataset": False,
            "citeAs": _cite(facts),
            "usageInfo": "LICENSE.md",
            **_describe_publisher(facts),
            **describe_responsible_use(facts),
            "prov:wasDerivedFrom": [_describe_source(source) for source in manifest["sources"]],
            "prov:wasGeneratedBy": _describe_pipeline(facts),
            "distribution": [*_list_files(manifest), *map(_describe_files, configurations)],
            "recordSet": [_describe_records(one, manifest["columns"]) for one in configurations],
        }
    )


def _cite(facts: Facts) -> str:
    named = facts.publisher.get("name")
    fields = {"author": f"{{{named}}}" if named else "", "title": facts.title, "year": facts.manifest["date"][:4]}
    fields["note"] = f"Merkle root {facts.manifest['root']}"
    listed = ", ".join(f"{key} = {{{value}}}" for key, value in fields.items() if value)
    return f"@misc{{{facts.manifest['name']}-{facts.manifest['version']}, {listed}}}"


def _describe_publisher(facts: Facts) -> Node:
    if not facts.publisher:
        return {}
    contact = {"email": "contact"} if "@" in facts.publisher.get("contact", "") else {"contactPoint": "contact"}
    keys = {"name": "name", "url": "url", **contact}
    node = {key: facts.publisher[name] for key, name in keys.items() if name in facts.publisher}
    return {"creator": {"@type": "sc:Organization", **node}, "publisher": {"@type": "sc:Organization", **node}}


def _describe_source(source: Mapping[str, Any]) -> Node:
    publisher = {"prov:wasAttributedTo": {"@type": "prov:Agent", "prov:label": source["publisher"]}}
    named = {"@type": "prov:Entity", "sc:identifier": source["name"], "prov:label": source["title"]}
    return named | (publisher if source["publisher"] else {})


def _describe_pipeline(facts: Facts) -> Node:
    times = {"prov:startedAtTime": facts.number("first_crawled"), "prov:endedAtTime": facts.manifest["date"]}
    agent = f"malmoi {facts.manifest['software'].get('malmoi', '')}".strip()
    return {
        "@type": "prov:Activity",
        "prov:label": f"recipe {facts.manifest['recipe']['name']}, digest {facts.manifest['recipe']['digest']}",
        **{key: time for key, time in times.items() if time},
        "prov:wasAssociatedWith": {"@type": "prov:SoftwareAgent", "prov:label": agent},
    }


def _list_files(manifest: Mapping[str, Any]) -> list[Node]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": file["path"],
            "name": file["path"],
            "contentUrl": file["path"],
            "contentSize": f"{file['bytes']} B",
            "encodingFormat": _FORMAT,
            "sha256": file["sha256"],
        }
        for file in manifest["files"]
        if is_data_file(file["path"]) or is_morpheme_file(file["path"])
    ]


def _describe_files(one: Configuration) -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": _files_id(one),
        "name": _files_id(one),
        "encodingFormat": _FORMAT,
        "includes": [path for _, paths in list_patterns(one) for path in paths],
    }


def _files_id(one: Configuration) -> str:
    return f"files-{one.name}"


def _describe_records(one: Configuration, columns: Mapping[str, list[Node]]) -> Node:
    """Describe the rows of a configuration; `columns` are those of the manifest."""
    what = "Sentences and morphemes of texts" if one.beside else "Texts"
    says = f"{what} of the licence family {one.family}. The schema of each Parquet file documents its columns."
    records: Node = {
        "@type": "cr:RecordSet",
        "@id": one.name,
        "name": one.name,
        "description": says,
        "key": {"@id": f"{one.name}/id"},
        "field": [_describe_column(one, column) for column in columns["morphemes" if one.beside else "data"]],
    }
    return records if one.beside else records | {"annotation": _describe_origin(one)}


def _describe_column(one: Configuration, column: Node) -> Node:
    name: str = column["name"]
    field = _describe_type(f"{one.name}/{name}", column, {"fileSet": {"@id": _files_id(one)}}, name)
    if name in _TYPES:
        field["dataType"] = _TYPES[name]
    return field | ({"equivalentProperty": _EQUAL[name]} if name in _EQUAL else {})


def _describe_type(id_: str, kind: Node, files: Node, column: str, path: str = "") -> Node:
    """Describe a column of the manifest, or with `path` a member of its structs."""
    field: Node = {"@type": "cr:Field", "@id": id_}
    if "list" in kind:
        field |= {"isArray": True, "arrayShape": "-1"}
    inner = kind.get("list", kind.get("struct", kind.get("dtype")))
    if isinstance(inner, list):
        members = [_describe_type(f"{id_}/{m['name']}", m, files, column, m["name"]) for m in inner]
        return field | {"subField": members}
    number = "sc:Float" if str(inner).startswith("float") else "sc:Integer"
    source = files | {"extract": {"column": column}} | ({"transform": {"jsonPath": path}} if path else {})
    return field | {"dataType": "sc:Text" if inner == "string" else number, "source": source}


def _describe_origin(one: Configuration) -> Node:
    id_, files = f"{one.name}/origin", {"fileSet": {"@id": _files_id(one)}}
    members = [
        {
            **_describe_type(f"{id_}/{column}", {"dtype": "string"}, files, column),
            "dataType": _TYPES.get(column, "sc:Text"),
            "equivalentProperty": equal,
        }
        for column, equal in _ORIGIN.items()
    ]
    says = "The archived response that the row was taken from."
    return {
        "@type": "cr:Field",
        "@id": id_,
        "description": says,
        "dataType": "prov:Entity",
        "equivalentProperty": "prov:wasDerivedFrom",
        "subField": members,
    }
