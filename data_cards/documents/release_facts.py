"""Facts that several documents take from card and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from malmoi.licensing.licences import LICENCES, ids


@dataclass(frozen=True, slots=True)
class Facts:
    """Card and manifest of a release, as the documents read them."""

    card: Mapping[str, Any]
    manifest: Mapping[str, Any]

    def number(self, key: str) -> Any:
        """Return a number of the card; None where the card has none."""
        return self.card["numbers"][key]["value"]

    def rows(self, key: str) -> list[dict[str, Any]]:
        """Return the rows of a table of the card, each by column name."""
        table = self.card["tables"][key]
        return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]

    def count(self, key: str) -> str:
        """Return a number of the card for a sentence.

        >>> Facts({"numbers": {"documents": {"value": 1234}}}, {}).count("documents")
        '1,234'
        """
        return f"{self.number(key) or 0:,}"

    @property
    def title(self) -> str:
        """Return name and version."""
        return f"{self.manifest['name']} {self.manifest['version']}"

    @property
    def publisher(self) -> dict[str, str]:
        """Return name, contact and url of the publisher, as far as the manifest has them."""
        return {key: value for key, value in self.manifest.get("publisher", {}).items() if value}

    def list_licences(self) -> list[str]:
        """Return the addresses of all licences, sorted."""
        found = {id_ for row in self.rows("by_licence") for id_ in ids(row["license"])}
        return sorted({LICENCES[id_].url for id_ in found})

    def list_domains(self) -> list[str]:
        """Return the fields of the texts, sorted."""
        return sorted({row["domain"] for row in self.rows("by_domain") if row["domain"]})

    def list_keywords(self) -> list[str]:
        """Return language, fields and registers of the texts."""
        return [
            "Korean",
            *self.list_domains(),
            *sorted({r["register"] for r in self.rows("by_register") if r["register"]}),
        ]
