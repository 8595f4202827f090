"""YAML header of the data card, which dataset hubs and `datasets.load_dataset` read.

Keys and values follow the dataset card specification, https://huggingface.co/docs/hub/datasets-cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import yaml

from malmoi.licensing.licences import FAMILIES, default_family, family, folder_name
from malmoi.release_files import morpheme_path

# Ids that the specification knows, by SPDX id; https://huggingface.co/docs/hub/repositories-licenses
LICENCES = {
    name: name.lower()
    for name in (
        "MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "MPL-2.0", "CC0-1.0", "CC-BY-2.0", "CC-BY-2.5",
        "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0",
    )
}  # fmt: skip
# The categories of the Hugging Face Hub, by the digits of the number of documents beyond three.
_SIZES = "n<1K 1K<n<10K 10K<n<100K 100K<n<1M 1M<n<10M 10M<n<100M 100M<n<1B 1B<n<10B 10B<n<100B".split()
SPLITS = ("train", "validation", "test")
_Groups: TypeAlias = dict[tuple[str, str], list["Part"]]  # (configuration, family) → its parts


class Part(NamedTuple):
    """The documents of one use, licence, field and split; a row of the table `partitions` of a card."""

    use: str
    licence: str
    domain: str
    split: str
    documents: int
    characters: int
    bytes: int  # of text

    def folder(self) -> str:
        """Return the folder of its files, relative to the release."""
        return f"data/{self.use}/{folder_name(self.licence)}/{folder_name(self.domain)}"


class Configuration(NamedTuple):
    """A named part of a release, with texts of one family of licences (docs/rights.md) or with their morphemes."""

    name: str
    family: str
    parts: tuple[Part, ...]
    by_field: bool = False  # its folders are fields, not licences
    beside: bool = False  # it holds the morphemes of its parts
    by_licence: bool = False  # it holds one licence

    @property
    def folders(self) -> tuple[str, ...]:
        """Return its folders, relative to the release, sorted."""
        return tuple(sorted({self.name_folder(part) for part in self.parts}))

    @property
    def documents(self) -> int:
        """Return the number of its documents in all splits."""
        return sum(part.documents for part in self.parts)

    def name_folder(self, part: Part) -> str:
        """Return the folder that holds `part`: of its field, or of its licence with all fields."""
        found = part.folder() if self.by_field else f"{part.folder().rpartition('/')[0]}/*"
        return morpheme_path(found) if self.beside else found


def render_header(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Render the header without its fences: language, licence, size, and the configurations.

    Texts for training only have separate configurations, called `train-only-…`.
    """
    configurations = list_configurations(card)
    value: dict[str, Any] = {
        "pretty_name": f"{manifest['name']} {manifest['version']}",
        "language": ["ko"],
        **_describe_licence([part.licence for part in _list_parts(card)]),
        "size_categories": [_SIZES[max(len(str(card["numbers"]["documents"]["value"])) - 3, 0)]],
        "task_categories": ["text-generation"],
        "tags": ["korean", "licensed-text", "malmoi"],
        "configs": [_describe_files(one) for one in configurations],
        "dataset_info": [_describe_content(one, manifest) for one in configurations],
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
    """List the configurations of a release: `default`, by family, by field and family, by licence; none mixes families.

    `default` is a family of texts that may be redistributed: `open`, or else the one with the most documents. A field
    is called by its name in the family `open`, `FIELD-FAMILY` in another. Sentences and morphemes of `default`, row by
    row, are the configuration `morphemes`; those of another family are `morphemes-FAMILY`.
    """
    families, fields, licences = _Groups(), _Groups(), _Groups()
    for part in _list_parts(card):
        name, prefix = family(part.licence), "" if part.use == "redistribute" else f"{part.use}-"
        domain = folder_name(part.domain)
        families.setdefault((f"{prefix}{name}", name), []).append(part)
        fields.setdefault((f"{prefix}{domain}" + (f"-{name}" if name != "open" else ""), name), []).append(part)
        licences.setdefault((f"{prefix}{folder_name(part.licence)}", name), []).append(part)
    free = {key[1]: sum(part.documents for part in parts) for key, parts in families.items() if key[0] == key[1]}
    first = default_family(free)
    found = [Configuration("default", first, tuple(families[first, first]))] if first else []
    found += [Configuration(*key, tuple(parts)) for key, parts in sorted(families.items())]
    taken = {*FAMILIES, *(one.name for one in found), *(name for name, _ in licences)}
    for (name, licence_family), parts in sorted(fields.items()):
        unique = f"field-{name}" if name in taken else name
        found.append(Configuration(unique, licence_family, tuple(parts), by_field=True))
    found += [Configuration(*key, tuple(parts), by_licence=True) for key, parts in sorted(licences.items())]
    for key, parts in sorted(families.items()):
        name = "morphemes" if key == (first, first) else f"morphemes-{key[0]}"
        found.append(Configuration(name, key[1], tuple(parts), beside=True))
    return found


def _list_parts(card: Mapping[str, Any]) -> list[Part]:
    return sorted(Part(*row) for row in card["tables"]["partitions"]["rows"])


def list_patterns(one: Configuration) -> list[tuple[str, list[str]]]:
    """Return each split of a configuration that has documents, with the patterns of its files."""
    found = []
    for split in SPLITS:
        paths = sorted({f"{one.name_folder(part)}/{split}-*.parquet" for part in one.parts if part.split == split})
        found += [(split, paths)] if paths else []
    return found


def _describe_files(one: Configuration) -> dict[str, Any]:
    files = [{"split": split, "path": paths if len(paths) > 1 else paths[0]} for split, paths in list_patterns(one)]
    return {"config_name": one.name, "data_files": files}


def _describe_content(one: Configuration, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns and sizes; the size of a split is the bytes of its texts, or of its files with morphemes."""
    packed = Counter[str]()
    for file in manifest["files"]:
        packed[file["path"].rsplit("-", 3)[0]] += file["bytes"]
    splits, download = [], 0
    for split in SPLITS:
        parts = [part for part in one.parts if part.split == split]
        places = [f"{part.folder()}/{split}" for part in parts]
        files = sum(packed[morpheme_path(place) if one.beside else place] for place in places)
        size = files if one.beside else sum(part.bytes for part in parts)
        number = sum(part.documents for part in parts)
        splits += [{"name": split, "num_bytes": size, "num_examples": number}] if parts else []
        download += files
    return {
        "config_name": one.name,
        "features": manifest["columns"]["morphemes" if one.beside else "data"],
        "splits": splits,
        "download_size": download,
        "dataset_size": sum(split["num_bytes"] for split in splits),
    }
