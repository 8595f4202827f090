"""YAML header of the data card, which dataset hubs and `datasets.load_dataset` read.

Keys and values follow the dataset card specification, https://huggingface.co/docs/hub/datasets-cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from malmoi.licensing.licence_expressions import family, folder_name
from malmoi.release_files import morpheme_path

# Ids that the specification knows, by SPDX id; https://huggingface.co/docs/hub/repositories-licenses
LICENCES = {
    name: name.lower()
    for name in (
        "MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "MPL-2.0", "CC0-1.0", "CC-BY-2.0", "CC-BY-2.5",
        "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0",
    )
}  # fmt: skip
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_SIZES += ((10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"))  # type: ignore[assignment]


class Configuration(NamedTuple):
    """A named set of folders of one family of licences (docs/rights.md)."""

    name: str
    family: str
    folders: tuple[str, ...]


def render_header(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Render the header without its fences: language, licence, size, and the configurations.

    Texts for training only have separate configurations, called `train-only-…`.
    """
    rows = card["tables"]["by_licence"]["rows"]
    value: dict[str, Any] = {
        "pretty_name": f"{manifest['name']} {manifest['version']}",
        "language": ["ko"],
        **_describe_licence([row[1] for row in rows]),
        "size_categories": [_size_category(card["numbers"]["documents"]["value"])],
        "task_categories": ["text-generation"],
        "tags": ["korean", "licensed-text", "malmoi"],
        "configs": [_config(one) for one in list_configurations(card)],
    }
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=1000))


def _describe_licence(expressions: list[str]) -> dict[str, str]:
    """Return one licence that hubs know by name, or `other` with a link to the list."""
    distinct = sorted(set(expressions))
    if len(distinct) == 1 and distinct[0] in LICENCES:
        return {"license": LICENCES[distinct[0]]}
    name = distinct[0].lower() if len(distinct) == 1 else "several-see-license-md"
    return {"license": "other", "license_name": name.replace(" ", "-"), "license_link": "LICENSE.md"}


def list_configurations(card: Mapping[str, Any]) -> list[Configuration]:
    """List the configurations of a release: `default`, one per family, one per licence; none mixes families.

    `default` is a family of texts that may be redistributed: `open`, or else the one with the most documents. Its
    sentences and morphemes, row by row, are the configuration `morphemes`; those of another family are
    `morphemes-FAMILY`.
    """
    families: dict[tuple[str, str], list[str]] = {}
    licences, documents = [], Counter[str]()
    for use, licence, n, *_ in sorted(card["tables"]["by_licence"]["rows"]):
        name, folder = family(licence), folder_name(licence)
        families.setdefault((use, name), []).append(f"data/{use}/{folder}")
        licences.append(Configuration(_configuration_name(use, folder), name, (f"data/{use}/{folder}",)))
        documents.update({name: n} if use == "redistribute" else {})
    found = [
        Configuration(_configuration_name(use, name), name, tuple(places))
        for (use, name), places in sorted(families.items())
    ]
    first = min(documents, key=lambda name: (name != "open", -documents[name], name), default="")
    beside = [_beside(one, "morphemes" if one.name == first else f"morphemes-{one.name}") for one in found]
    if first:
        found.insert(0, Configuration("default", first, tuple(families["redistribute", first])))
    return found + licences + beside


def _beside(one: Configuration, name: str) -> Configuration:
    """Return the configuration with the morphemes of the texts of `one`."""
    return Configuration(name, one.family, tuple(morpheme_path(folder) for folder in one.folders))


def _configuration_name(use: str, name: str) -> str:
    return name if use == "redistribute" else f"{use}-{name}"


def _config(one: Configuration) -> dict[str, Any]:
    paths = [f"{folder}/*.parquet" for folder in one.folders]
    return {"config_name": one.name, "data_files": [{"split": "train", "path": paths if len(paths) > 1 else paths[0]}]}


def _size_category(documents: int) -> str:
    return next((name for limit, name in _SIZES if documents < limit), "10B<n<100B")
