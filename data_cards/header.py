"""The YAML header of a dataset card, by which dataset hubs and `datasets.load_dataset` read the folder.

Keys and values follow the dataset card specification, https://huggingface.co/docs/hub/datasets-cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

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


def header(card: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The header without its fences: language, licence, size, and one configuration for each licence.

    `default` holds everything that may be redistributed. What may only be trained on is never part
    of it: it has configurations of its own, called `train-only-…`.
    """
    rows = card["tables"]["by_licence"]["rows"]
    value: dict[str, Any] = {
        "pretty_name": f"{manifest['name']} {manifest['version']}",
        "language": ["ko"],
        **_licence([row[1] for row in rows]),
        "size_categories": [_size(card["numbers"]["documents"]["value"])],
        "task_categories": ["text-generation"],
        "tags": ["korean", "licensed-text", "malmoi"],
        "configs": _configs(manifest),
    }
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=1000))


def _licence(expressions: list[str]) -> dict[str, str]:
    """One licence that hubs know by name, or `other` with a link to the list."""
    distinct = sorted(set(expressions))
    if len(distinct) == 1 and distinct[0] in LICENCES:
        return {"license": LICENCES[distinct[0]]}
    name = distinct[0].lower() if len(distinct) == 1 else "several-see-license-md"
    return {"license": "other", "license_name": name.replace(" ", "-"), "license_link": "LICENSE.md"}


def _configs(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    folders = sorted({f["path"].rpartition("/")[0] for f in manifest["files"] if f["path"].startswith("data/")})
    configs = []
    if any(f.startswith("data/redistribute/") for f in folders):
        configs.append(_config("default", "data/redistribute/*/*.parquet"))
    for folder in folders:
        _, use, licence = folder.split("/")
        configs.append(_config(licence if use == "redistribute" else f"{use}-{licence}", f"{folder}/*.parquet"))
    return configs


def _config(name: str, path: str) -> dict[str, Any]:
    return {"config_name": name, "data_files": [{"split": "train", "path": path}]}


def _size(documents: int) -> str:
    return next((name for limit, name in _SIZES if documents < limit), "10B<n<100B")
