"""Values of the data card as a page in one language: titles, labels of codes, charts, proofs and code to copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from data_cards.charts import Chart, draw_chart
from data_cards.facts import NUMBERS, TABLES
from data_cards.formats import format_value
from data_cards.header import Configuration, list_configurations
from data_cards.words import Words
from malmoi.licensing.licences import LICENCES, family, ids

Row = Sequence[Any]

# Columns that hold codes: English head → kind of code in words.toml. `kind` depends on the table.
_CODES: Final = {
    "use": "use", "domain": "domain", "register": "register", "split": "split", "stage": "stage", "filter": "filter",
    "reason": "reason", "access": "access", "scope": "scope", "by": "by", "whose words": "by", "signal": "signal",
    "effect": "effect", "protocol": "protocol", "a finding": "finding", "label": "abuse", "decided by": "keeper",
    "target": "target", "question": "question", "held-out set": "held_out", "same sign in every seed": "same_sign",
}  # fmt: skip
_KINDS: Final = {
    "evidence": "evidence", "proofs": "evidence", "judged_grants": "evidence",
    "personal_data": "pii", "residue": "pii", "cleared_finds": "pii", "copies": "copy",
}  # fmt: skip
_LICENCES: Final = ("licence", "licences it claims")
_MOST_BARS, _MOST_COLUMNS, _MOST_SERIES = 16, 36, 7  # of a chart; the table below it has all rows


class Plan(NamedTuple):
    """How a table becomes a chart: the column of labels, the columns of values, and whether its rows have an order."""

    label: int
    values: tuple[int, ...]
    columns: bool = False
    names: str = ""  # kind of code of the series


CHARTS: Final = {
    "funnel": Plan(0, (2, 3, 4), names="outcome"),
    "drop_reasons": Plan(2, (3,)),
    "by_licence": Plan(1, (3,)),
    "opt_outs": Plan(0, (1, 2, 3, 4), names="opt_out"),
    "by_source": Plan(0, (4,)),
    "lengths": Plan(0, (2,)),
    "by_quality": Plan(0, (2,)),
    "by_hangul_share": Plan(0, (2,)),
    "by_year": Plan(0, (2,), columns=True),
    "cluster_sizes": Plan(0, (1,), columns=True),
    "similarities": Plan(0, (1,), columns=True),
    "personal_data": Plan(0, (1, 3)),
}


_ORDERED: Final = frozenset(
    "funnel opt_outs lengths by_quality by_hangul_share by_year cluster_sizes similarities".split()
)  # the order of the rows means something


class Picture(NamedTuple):
    """A drawn chart: its SVG, the names of its series or else what it counts, and whether it leaves rows out."""

    svg: Markup
    legend: tuple[str, ...]
    unit: str
    partial: bool


class Proof(NamedTuple):
    """A row of the table `proofs`: the words that prove a licence, and where they were."""

    licence: str
    by: str
    kind: str
    scope: str
    quote: str
    place: str
    page: str
    fetched: str
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """The card and the manifest of a release, as a page of one language shows them."""

    card: Mapping[str, Any]
    manifest: Mapping[str, Any]
    words: Words

    def title(self, fact: Mapping[str, Any]) -> str:
        """Return the title of a number or a table."""
        return str(fact["title_ko" if self.words.language == "ko" else "title"])

    def heads(self, key: str) -> tuple[str, ...]:
        """Return the column titles of a table."""
        return tuple(head[self.words.language == "ko"] for head in TABLES[key].heads)

    def numbers(self) -> dict[str, Mapping[str, Any]]:
        """Return the numbers in the order of the list."""
        return {key: self.card["numbers"][key] for key in NUMBERS}

    def mark(self, value: object) -> Markup:
        """Return a value of the data as markup; on a page in another language, Korean text is marked as such."""
        return self.words.mark(value)

    def cell(self, key: str, column: int, value: object) -> Markup:
        """Return a value of a table as markup: the words for a code with the code beside them."""
        if isinstance(value, int) or value is None:
            return Markup.escape(format_value(value))
        words = self._label(key, column, str(value))
        if words == value:
            return self.mark(value)
        code = Markup(' <span class="code">{}</span>').format(value) if value else Markup()
        return Markup.escape(words) + code

    def _label(self, key: str, column: int, code: str) -> str:
        head = TABLES[key].heads[column][0] if key in TABLES else ""
        if head in _LICENCES:
            return self.words.licence(code)
        kind = _KINDS.get(key, "") if head == "kind" else _CODES.get(head, "")
        return self.words.label(kind, code) if kind else code

    def draw(self, key: str) -> Picture | None:
        """Draw the chart of a table; None if it has none or is empty."""
        rows = self.card["tables"][key]["rows"]
        if key == "fields_by_register" and rows:
            return self._draw_fields(rows)
        plan = CHARTS.get(key)
        if plan is None or not rows:
            return None
        kept = [row for row in rows if row[plan.label] or not plan.columns]  # undated texts have no place in an order
        if key not in _ORDERED:
            counted = [row for row in kept if any(row[i] for i in plan.values)]
            kept = sorted(counted or kept, key=lambda row: -sum(row[i] or 0 for i in plan.values))
        kept = kept[-_MOST_COLUMNS:] if plan.columns else kept[:_MOST_BARS]
        heads = self.heads(key)
        names = [
            self.words.label(plan.names, self.card["tables"][key]["columns"][i]) if plan.names else heads[i]
            for i in plan.values
        ]
        series = tuple((n, tuple(row[i] or 0 for row in kept)) for n, i in zip(names, plan.values, strict=True))
        labels = tuple(self._label(key, plan.label, str(row[plan.label])) for row in kept)
        return self._picture(key, labels, series, partial=len(labels) < len(rows), columns=plan.columns)

    def _draw_fields(self, rows: Sequence[Row]) -> Picture:
        """Draw a bar for each field, with a part for each of the largest registers and one for the others."""
        fields, registers = Counter[str](), Counter[str]()
        for domain, register, _, characters in rows:
            fields[domain] += characters
            registers[register] += characters
        most = [name for name, _ in registers.most_common(_MOST_SERIES)]
        shown = [name for name, _ in fields.most_common(_MOST_BARS)]
        size = Counter[tuple[str, str]]()
        for domain, register, _, characters in rows:
            size[domain, register if register in most else "other"] += characters
        parts = [*most, *(["other"] if len(registers) > len(most) else [])]
        named = [str(self.words.say("other")) if one == "other" else self.words.label("register", one) for one in parts]
        series = tuple((n, tuple(size[f, r] for f in shown)) for n, r in zip(named, parts, strict=True))
        labels = tuple(self.words.label("domain", name) for name in shown)
        return self._picture("fields_by_register", labels, series, partial=len(labels) < len(fields))

    def _picture(
        self, key: str, labels: tuple[str, ...], series: Any, *, partial: bool, columns: bool = False
    ) -> Picture:
        svg = draw_chart(Chart(self.title(self.card["tables"][key]), labels, series, columns))
        names = tuple(name for name, _ in series)
        return Picture(svg, names, "", partial) if len(names) > 1 else Picture(svg, (), names[0], partial)

    def licences(self) -> list[dict[str, Any]]:
        """Return the licences of the release, those with the most characters first, with duties and one proof each."""
        proofs = {row[0]: Proof(*row) for row in self.card["tables"]["proofs"]["rows"]}
        rows = sorted(self.card["tables"]["by_licence"]["rows"], key=lambda row: (-row[3], row[:2]))
        return [
            {
                "expression": licence,
                "name": self.words.licence(licence),
                "documents": documents,
                "duties": self._list_duties(licence, use),
                "proof": proofs.get(licence),
            }
            for use, licence, documents, *_ in rows
        ]

    def duties(self) -> list[tuple[str, list[str]]]:
        """Return what the licences ask, each duty with the names of its licences."""
        found: dict[str, list[str]] = {}
        for one in self.licences():
            found.setdefault("; ".join(one["duties"]), []).append(one["name"])
        return [(Markup(duty), names) for duty, names in found.items()]

    def _list_duties(self, expression: str, use: str) -> list[Markup]:
        rows = [LICENCES[id_] for id_ in ids(expression) if id_ in LICENCES]
        if " OR " in expression and " AND " not in expression:  # the reader chooses; the family is that of the freest
            rows = [row for row in rows if row.family == family(expression)]
        duties = ["asks_origin"] if any(row.attribution for row in rows) else []
        duties += ["asks_alike"] if any(row.share_alike for row in rows) else []
        duties += ["asks_training"] if use == "train-only" else []
        return [self.words.say(key) for key in duties or ["asks_nothing"]]

    def describe_sample(self) -> Markup:
        """Return the rate of wrong grants with its interval, or that no sample was judged."""
        names = {"version": "sampled_version", "judged": "sampled", "documents": "sampled_of", "rate": "wrong_grants"}
        names |= {"least": "wrong_grants_least", "most": "wrong_grants_most"}
        values = {name: format_value(self.card["numbers"][key]["value"]) for name, key in names.items()}
        return self.words.say("sampled" if self.card["numbers"]["sampled"]["value"] else "not_sampled", **values)

    def describe_inspection(self) -> Markup:
        """Return the rate of each question with its interval and the agreement, or that nothing was inspected."""
        rows = self.card["tables"]["inspection"]["rows"]
        if not rows:
            return self.words.say("not_inspected")
        names = {"judged": "inspected", "documents": "inspected_of", "version": "inspected_version"}
        names |= {"readers": "inspectors"}
        values = {name: format_value(self.card["numbers"][key]["value"]) for name, key in names.items()}
        return self.words.say("inspected", **values, rates=Markup("; ").join(map(self._describe_answers, rows)))

    def _describe_answers(self, row: Row) -> Markup:
        question, _, _, rate, low, high, share, kappa = row
        name = self.words.label("question", question)
        said = self.words.say("inspected_rate", question=name, rate=rate, low=low, high=high)
        if share is None:
            return said
        return said + self.words.say("agreed_by_chance" if kappa is None else "agreed", share=share, kappa=kappa)

    def describe_ablation(self) -> Markup:
        """Return what the table `ablation` compares, or that no small model was trained."""
        if not self.card["tables"]["ablation"]["rows"]:
            return self.words.say("not_ablated")
        names = {name: f"ablation_{name}" for name in ("setting", "baseline", "tokens", "seeds")}
        names |= {"version": "ablated_version"}
        values = {name: format_value(self.card["numbers"][key]["value"]) for name, key in names.items()}
        return self.words.say("ablated", **values)

    def configuration(self) -> Configuration | None:
        """Return the configuration that a reader loads first; None if the release has no documents."""
        return next(iter(list_configurations(self.card)), None)
