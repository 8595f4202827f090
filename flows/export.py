"""Export a release for trainers: choose, order, write; licences, attribution and an id map go along."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.table import Table

from flows.plurals import count_of
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.export import mixture
from malmoi.export.mixture import POSITION, read_in_order
from malmoi.export.selection import Rows, Selection, count_families, read_manifest, select_rows
from malmoi.export.tokenizer import Counts, count_tokens, open_tokenizer, sum_by
from malmoi.export.written_files import Compression, JsonlFiles, MdsFiles, MegatronFiles, Writer, refuse_tokenizer
from malmoi.licensing.licences import FAMILIES, default_family
from malmoi.releases.licence_files import files as licence_files
from malmoi.storage.atomic_files import require_absent, write_folder

Format = Literal["jsonl", "mds", "megatron"]
FACTS = "export.json"
NOTICED = 0.01  # difference between the share that was asked for and the one that was written, of all tokens
_IDS = pa.schema(
    {POSITION: pa.int64()}
    | dict.fromkeys(("id", "license", "source"), pa.string())
    | {"epoch": pa.int32(), "file": pa.string(), "start": pa.int64(), "length": pa.int64()}
)
_CREDITS = ("id", "title", "url", "license", "attribution")
_ABOUT = (
    "The texts of this folder are under the licences below; `ids.parquet` names the licence of each document, and",
    "`attribution.parquet` has the sentence of attribution that has to go along with it. The wording here is ours and",
    "short; what binds is the licence itself. Proof for each document is in the release that `export.json` names.",
    "This is not legal advice.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Parameters of an export, as the options of the command name them."""

    format: Format = "jsonl"
    selection: Selection = field(default_factory=Selection)
    tokenizer: str = ""
    end_token: str = ""
    tokens: str = ""
    mix: str = ""
    repeat: int = 1
    seed: int = 0
    compression: Compression = "none"
    flat: bool = False
    shard_size: int = 256 << 20  # bytes, uncompressed


def export(release: Path, target: Path, plan: Plan) -> dict[str, Any]:
    """Write the export to `target`, which must not exist; return the content of export.json.

    The folder appears complete and durable, or not at all. CallError if the plan cannot be followed.
    """
    require_absent(target)
    if plan.format != "jsonl" and (plan.compression != "none" or plan.flat):
        raise CallError("--compression and --flat are of JSON lines; leave them out, or export with --format jsonl.")
    if not plan.tokens and (plan.mix or plan.repeat != 1):
        raise CallError("--mix and --repeat fill a budget of tokens; name it with --tokens, such as --tokens 1B.")
    if not plan.tokenizer and (plan.tokens or plan.format == "megatron"):
        what = "--tokens counts" if plan.tokens else "--format megatron writes"
        raise CallError(f"{what} tokens; pass --tokenizer bytes, or the path of a tokenizer.json.")
    tokenizer = open_tokenizer(plan.tokenizer, plan.end_token) if plan.tokenizer else None
    if tokenizer is not None and plan.format == "megatron":
        refuse_tokenizer(tokenizer.facts)
    budget = mixture.parse_tokens(plan.tokens) if plan.tokens else 0
    parts = mixture.parse_mix(plan.mix) if plan.mix else ()
    plan, left_out = _choose_families(release, plan)
    rows = select_rows(release, plan.selection)
    # Token files are counted while they are written, but a budget has to be counted before.
    counts = count_tokens(rows, [tokenizer])[0] if tokenizer and (budget or plan.format != "megatron") else None
    if counts is None or not budget:
        chosen = mixture.choose_all(rows, plan.seed)
    else:
        chosen = mixture.choose_mixture(rows, counts, budget, parts, plan.seed, plan.repeat)
    with write_folder(target, FACTS) as part:
        writer: Writer
        if plan.format == "megatron" and tokenizer is not None:
            writer = MegatronFiles(part, tokenizer)
        elif plan.format == "mds":
            writer = MdsFiles(part, rows.columns, plan.shard_size)
        else:
            writer = JsonlFiles(part, rows.columns, plan.shard_size, plan.compression, flat=plan.flat)
        layout, lengths = _write(rows, chosen, writer, part)
        tokens = lengths - 1 if counts is None else counts[chosen.row]  # without the token that ends a document
        table, counted = rows.table.take(pa.array(chosen.row)), {tokenizer.facts.label: tokens} if tokenizer else {}
        (total,) = sum_by(table, counted, [])
        facts: dict[str, Any] = {
            "release": read_manifest(rows.release),
            "plan": {**asdict(plan), "tokenizer": asdict(tokenizer.facts) if tokenizer else None},
            **total,
            "bytes": pc.sum(table["n_bytes"]).as_py(),
            "parts": [asdict(one) for one in chosen.parts],
            **{f"by_{key}": sum_by(table, counted, [key]) for key in ("family", "license", "domain", "use")},
            "left_out": left_out,
            "layout": layout,
        }
        for name, content in licence_files((one["license"] for one in facts["by_license"]), _ABOUT).items():
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_bytes(content)
        files: dict[str, str] = {}
        for path in sorted(one for one in part.rglob("*") if one.is_file() and one != part / FACTS):
            with path.open("rb") as file:
                files[path.relative_to(part).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        facts["files"] = files
        (part / FACTS).write_text(canonical_json(facts), encoding="utf-8")
    return facts


def _choose_families(release: Path, plan: Plan) -> tuple[Plan, dict[str, int]]:
    """Return the plan with the licence families of `load_dataset` if it names neither family nor licence.

    They are those of the configuration `default` of a use. Also the documents of each family that this leaves out.
    """
    if plan.selection.families or plan.selection.licences:
        return plan, {}
    found = count_families(release, plan.selection.uses)
    families = tuple(sorted({name for one in found.values() if (name := default_family(one))}, key=FAMILIES.index))
    others = {name: n for name, n in sum(found.values(), Counter()).items() if name not in families}
    return replace(plan, selection=replace(plan.selection, families=families)), others


def _write(rows: Rows, chosen: mixture.Chosen, writer: Writer, folder: Path) -> tuple[dict[str, Any], Counts]:
    """Write the documents, ids.parquet and attribution.parquet; return facts of the writer, and all lengths."""
    credits = [name for name in _CREDITS if name in rows.columns]
    columns = list(dict.fromkeys((*writer.columns, *credits, "source")))
    lengths: list[int] = []
    credit_schema = pa.schema([(name, pa.string()) for name in credits])
    with pq.ParquetWriter(folder / "ids.parquet", _IDS) as ids, \
         pq.ParquetWriter(folder / "attribution.parquet", credit_schema) as attribution:  # fmt: skip
        for table in read_in_order(rows, chosen, columns, folder):
            epochs = pa.array(chosen.epoch[table[POSITION].to_numpy()])
            places = writer.write(table)
            lengths += [one.length for one in places]
            columns_of_ids = {name: table[name] for name in (POSITION, "id", "license", "source")}
            for name in ("file", "start", "length"):
                columns_of_ids[name] = pa.array([getattr(one, name) for one in places])
            ids.write_table(pa.table(columns_of_ids | {"epoch": epochs}).select(_IDS.names).cast(_IDS))
            attribution.write_table(table.filter(pc.equal(epochs, 0)).select(credits).cast(credit_schema))
    return writer.close() | {"unit": writer.unit}, np.array(lengths, np.int64)


def count(release: Path, selection: Selection, tokenizers: Sequence[str]) -> dict[str, Any]:
    """Return documents, characters and tokens of a release, in total, by licence family and by domain."""
    opened = {one.facts.label: one for one in map(open_tokenizer, dict.fromkeys(tokenizers))}
    rows = select_rows(release, selection)
    counts = dict(zip(opened, count_tokens(rows, list(opened.values())), strict=True))
    (total,) = sum_by(rows.table, counts, [])
    return {
        "release": read_manifest(release),
        "tokenizers": {label: asdict(one.facts) for label, one in opened.items()},
        "total": total,
        "by_family": sum_by(rows.table, counts, ["family"]),
        "by_domain": sum_by(rows.table, counts, ["domain"]),
        "by_family_and_domain": sum_by(rows.table, counts, ["family", "domain"]),
    }


def tabulate(found: Mapping[str, Any]) -> Table:
    """Return the result of `count` as a table: a line for each family and domain, and the total."""
    table = Table("family", "domain", title="{name} {version}".format(**found["release"]), show_footer=True)
    labels = list(found["tokenizers"])

    def numbers(row: Mapping[str, Any]) -> list[str]:
        return [f"{n:,}" for n in (row["documents"], row["characters"], *(row["tokens"][one] for one in labels))]

    for head, sum_ in zip(["documents", "characters", *labels], numbers(found["total"]), strict=True):
        table.add_column(head, sum_, justify="right")
    table.columns[0].footer = "all"
    for row in found["by_family_and_domain"]:
        table.add_row(row["family"], row["domain"] or "(none)", *numbers(row))
    return table


def explain(target: Path, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield messages: what an export holds, how far each part was filled, and which families it mixes or leaves out."""
    tokens = "".join(f", {n:,} tokens ({label})" for label, n in facts["tokens"].items())
    yield f"{target}: {count_of(facts['documents'], 'document')}, {facts['characters']:,} characters{tokens}."
    for part in facts["parts"]:
        filled = f"{part['name']}: {part['tokens']:,} of the {part['asked']:,} tokens that were asked for"
        shares = f"{100 * part['share']:.1f} % of the export, {100 * part['weight']:.1f} % asked"
        missing = ""  # why a part is not full: it has too few tokens, or no document that is small enough
        if part["shortfall"] and part["available"] * facts["plan"]["repeat"] < part["asked"]:
            missing = f" Missing: {part['shortfall']:,}; its documents have {part['available']:,}. A higher --repeat "
            missing += "uses them more often."
        elif part["shortfall"]:
            missing = f" Missing: {part['shortfall']:,}; no document that is left fits."
        yield f"{filled} ({shares}).{missing}"
    if any(abs(part["share"] - part["weight"]) > NOTICED for part in facts["parts"]):
        yield "The shares of the export differ from those of --mix; export.json has both."
    if facts["left_out"]:
        others = ", ".join(f"{name} ({count_of(n, 'document')})" for name, n in facts["left_out"].items())
        exported = " and ".join(facts["plan"]["selection"]["families"])
        yield f"Exported is {exported}, the default of load_dataset. Left out: {others}; --family selects families."
    families = sorted((row["family"] for row in facts["by_family"]), key=FAMILIES.index)
    if len(families) > 1:
        yield f"The export mixes the licence families {', '.join(families)}; --family {families[0]} keeps one of them."
