"""Recompute what a release says about itself: its sums, its Merkle root and every number of its card.

    pip install duckdb
    python check_release.py RELEASE [--root HEX] [--key PUBLIC.pem] [--faults]

For an auditor who trusts neither the publisher nor Malmoi: it needs DuckDB only, and follows docs/releases.md. It
prints a line for each check, `ok` or `FAULT`, with the file, and never a text. Exit status: 0 no fault, 1 a fault, 2
the call is wrong. Get `--root` and `--key` from the publisher by another way than the release: without them, a release
that somebody rebuilt as a whole has no fault. The query of each number in card.json says what the number means.

A version from which documents were erased lists the files that it lost in withdrawn.json. It is `withdrawn in part`:
what is left is checked, and numbers of tables that lost files are not recomputed. Neither sums nor signature cover that
list: ask the publisher whether it is theirs.
"""

import argparse
import base64
import glob
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

SUMS, MANIFEST, CARD, SIGNATURE = "SHA256SUMS", "manifest.json", "card.json", "manifest.dsse.json"
WITHDRAWN = "withdrawn.json"  # files that an erasure took from this version; no sum and no signature covers it
STAMP = f"{SIGNATURE}.tsr"  # a time stamp, to be checked with `openssl ts -verify`
SHOWN = re.compile(r"[0-9.:TZ+-]{1,25}")  # decimals, dates and times; other words are not printed


class Check(NamedTuple):
    """One check: its name, its file, the fault ("" if there is none), and what was recomputed."""

    name: str
    file: str
    fault: str = ""
    note: str = ""


def read_withdrawn(folder: Path) -> dict[str, str]:
    """Return path → sha256 of the files that an erasure took from this version; none if it is complete."""
    path = folder / WITHDRAWN
    return {one["path"]: one["sha256"] for one in json.loads(path.read_text("utf-8"))["files"]} if path.exists() else {}


def check_sums(folder: Path, found: dict[str, str], gone: dict[str, str]) -> Iterator[Check]:
    """Put the sha256 of each plain file into `found`; compare with the lines `<sha256>  <path>` of SHA256SUMS."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            yield Check("sum", name, "is not a plain file; it was not read")
        elif path.is_file():
            with path.open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    lines = (folder / SUMS).read_text("utf-8").splitlines() if SUMS in found else []
    said = {line[66:]: line[:64] for line in lines if line[64:66] == "  "}
    if len(said) != len(lines) or not lines:
        yield Check("sums", SUMS, "is missing, has a line that is not `<sha256>  <path>`, or names a file twice")
    for name in sorted(
        (said.keys() | found.keys() | gone.keys()) - {SUMS, SIGNATURE, STAMP, WITHDRAWN if gone else ""}
    ):
        if name in gone:
            fault = (
                "is here, but listed as withdrawn" if name in found else "is withdrawn with a sum that was not its own"
            )
            yield Check("sum", name, fault if name in found or said.get(name) != gone[name] else "", "withdrawn")
            continue
        fault = "is missing" if name not in found else "is extra" if name not in said else "has another sha256"
        yield Check("sum", name, "" if said.get(name) == found.get(name) else f"{fault} (SHA256SUMS)")


def check_manifest(
    folder: Path, made: Any, found: dict[str, str], gone: dict[str, str], roots: dict[str, str]
) -> Iterator[Check]:
    """Compare sha256, rows and bytes of each Parquet file with the manifest, and the root over them with `roots`.

    Of a withdrawn file the manifest is believed: its sha256 is that of SHA256SUMS, and the root covers the rest.
    """
    said = {f["path"]: (f["sha256"], f["rows"], f["bytes"]) for f in made["files"]}
    parquet = {path: facts for path, facts in said.items() if gone.get(path) == facts[0] and path not in found}
    documents = sum(rows for path, (_, rows, _) in parquet.items() if path.startswith("data/"))
    for path in (path for path in sorted(found) if path.endswith(".parquet")):
        try:
            sql = f"SELECT num_rows FROM parquet_file_metadata({quote(folder / path)})"
            ((rows,),) = duckdb.execute(sql).fetchall()
        except duckdb.Error:
            rows = -1  # it is not Parquet
        parquet[path] = (found[path], rows, (folder / path).stat().st_size)
        documents += rows if path.startswith("data/") else 0
    for path in sorted(said.keys() | parquet.keys()):
        fault = "" if said.get(path) == parquet.get(path) else "sha256, rows or bytes are not as the manifest says"
        yield Check("manifest", path, fault if path in said and path in parquet else "only in manifest or folder")
    for path in sorted({path.partition("/")[2] for path in parquet if path.startswith(("data/", "morphemes/"))}):
        beside = [parquet.get(f"{top}/{path}", ("", -1, 0))[1] for top in ("data", "morphemes")]
        fault = "" if beside[0] == beside[1] else "data/ and morphemes/ do not have one file each with as many rows"
        yield Check("pair", f"morphemes/{path}", fault, f"{beside[0]} rows")
    differ = f"says {made['documents']}; data/ holds {documents}" if made["documents"] != documents else ""
    yield Check("documents", MANIFEST, differ, str(documents))
    for file, root in roots.items():
        made_root = compute_root(parquet)
        yield Check("root", file, "" if root == made_root else f"the files give the root {made_root}", root)


def compute_root(parquet: dict[str, tuple[str, int, int]]) -> str:
    """Return the Merkle root of path → (sha256, rows, bytes); a node without a partner moves up unchanged."""
    leaves = (f"\0{path}\n{sha256}\n{rows}\n{size}" for path, (sha256, rows, size) in sorted(parquet.items()))
    level = [hashlib.sha256(leaf.encode()).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex() if level else hashlib.sha256(b"").hexdigest()


def quote(path: Path | str) -> str:
    """Return a path as an SQL literal, for that file only."""
    return "'" + glob.escape(str(path)).replace("'", "''") + "'"


def name_table(path: str) -> str:
    """Return the name of the table of a Parquet file: that of a file of audit/, else its first folder."""
    top, _, rest = path.partition("/")
    return Path(rest).stem if top == "audit" else top


def open_tables(folder: Path, paths: list[str], spill: str) -> duckdb.DuckDBPyConnection:
    """Open `data`, each table of audit/, and any other folder of Parquet files as views; nothing else can be read."""
    tables: dict[str, list[str]] = {}
    for path in paths:
        tables.setdefault(name_table(path), []).append(path)
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '2GB'; SET temp_directory = {quote(spill)}")
    connection.execute("SET autoload_known_extensions = false")
    for name, files in tables.items():
        listed = ", ".join(quote(folder / path) for path in files)
        view = '"' + name.replace('"', '""') + '"'
        connection.execute(f"CREATE VIEW {view} AS FROM read_parquet([{listed}], hive_partitioning = false)")
    places = ", ".join("'" + place.replace("'", "''") + "/'" for place in {str(folder), glob.escape(str(folder))})
    connection.execute(f"SET allowed_directories = [{places}]")
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")
    return connection


def ask(tables: duckdb.DuckDBPyConnection, sql: str) -> list[list[Any]]:
    """Return the rows of one SELECT; decimals are strings, as in the card."""
    if [one.type for one in duckdb.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
        raise ValueError("the query is not one SELECT")
    return [[str(v) if isinstance(v, Decimal) else v for v in row] for row in tables.execute(sql).fetchall()]


def check_card(tables: duckdb.DuckDBPyConnection, card: dict[str, Any], lost: set[str]) -> Iterator[Check]:
    """Run every query of the card again; value and type must be equal. Queries of `lost` tables have no answer."""
    for kind, key, fact in [(k, *fact) for k in ("numbers", "tables") for fact in sorted(card[k].items())]:
        fault = note = ""
        try:
            if lost & set(re.findall(r"\w+", fact["sql"])):
                yield Check(f"{kind[:-1]} {key}", CARD, "", "not recomputed: files of its tables are withdrawn")
                continue
            said, rows = fact["rows"] if kind == "tables" else [[fact["value"]]], ask(tables, fact["sql"])
            note = f"{len(rows)} rows" if kind == "tables" else show(rows[0][0])
            if not fact["inputs"] or not set(fact["inputs"]) <= set(re.findall(r"\w+", fact["sql"])):
                fault = "the query does not read the tables that the card names"
            elif json.dumps(said) != json.dumps(rows):
                fault = f"differs: the data give {note}"
        except (duckdb.Error, ValueError, TypeError, LookupError) as error:
            fault = f"the query could not be run ({type(error).__name__})"
        yield Check(f"{kind[:-1]} {key}", CARD, fault, note)


def show(value: Any) -> str:
    """Show a number, a date or a time; of other values the type and the length."""
    plain = isinstance(value, int | None) or (isinstance(value, str) and SHOWN.fullmatch(value))
    return str(value) if plain else f"a {type(value).__name__} of {len(str(value))} characters"


# What must hold, the file to look at, and the rows that violate it.
BESIDE = "FROM data POSITIONAL JOIN morphemes AS m WHERE "  # row by row, in the order of paths
LAWS = (
    ("text_sha256", "data", "FROM data WHERE sha256(text) IS DISTINCT FROM text_sha256"),
    ("lengths", "data", "FROM data WHERE (length(text), strlen(text)) IS DISTINCT FROM (n_chars, n_bytes)"),
    ("ids are unique", "data", "FROM (SELECT id FROM data GROUP BY id HAVING count(*) > 1)"),
    ("ids of morphemes", "morphemes", BESIDE + "data.id IS DISTINCT FROM m.id"),
    ("lists of morphemes", "morphemes", BESIDE + "(n_sentences, n_sentences) IS DISTINCT FROM"
     " (len(m.sentences.start), len(m.sentences.end)) OR (n_morphemes, n_morphemes, n_morphemes, n_morphemes) IS"
     " DISTINCT FROM (len(m.morphemes.form), len(m.morphemes.tag), len(m.morphemes.start), len(m.morphemes.length))"),
    ("places of morphemes", "morphemes", BESIDE + "list_max(list_concat(m.sentences.start, m.sentences.end)) > n_chars"
     " OR list_max([p[1]::BIGINT + p[2] FOR p IN list_zip(m.morphemes.start, m.morphemes.length)]) > n_chars"
     " OR list_bool_or([p[1] > p[2] FOR p IN list_zip(m.sentences.start, m.sentences.end)])"),
    ("licence evidence", "audit/licence_evidence.parquet", "FROM data ANTI JOIN licence_evidence USING (id)"),
    ("opt-outs", "audit/signals.parquet", "FROM data SEMI JOIN (FROM signals WHERE effect = 'opt-out') USING (id)"),
    ("opt-out signals", "audit/signals.parquet", "FROM dropped ANTI JOIN (FROM signals WHERE effect = 'opt-out')"
     " USING (id) WHERE reason = 'opt-out'"),
    ("dropped is not published", "audit/dropped.parquet", "FROM dropped SEMI JOIN data USING (id)"),
    ("in = kept + dropped + failed", "audit/stages.parquet",
     "FROM (SELECT 1 FROM stages WHERE outcome <> 'torn' GROUP BY stage, source"
     " HAVING sum(CASE outcome WHEN 'in' THEN n ELSE -n END) <> 0)"),
)  # fmt: skip

PRIME, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # of Ed25519
CURVE, BASE = -121665 * pow(121666, -1, PRIME) % PRIME, 4 * pow(5, -1, PRIME) % PRIME
Point = tuple[int, int]


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the Ed25519 signature of `message` by the public key `key` (RFC 8032, section 5.1)."""

    def add(a: Point, b: Point) -> Point:
        both = CURVE * a[0] * b[0] * a[1] * b[1]
        x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + both, -1, PRIME)
        return x % PRIME, (a[1] * b[1] + a[0] * b[0]) * pow(1 - both, -1, PRIME) % PRIME

    def multiply(times: int, point: Point) -> Point:
        total: Point = (0, 1)
        while times:
            total, point, times = add(total, point) if times & 1 else total, add(point, point), times >> 1
        return total

    def decode(raw: bytes) -> Point:
        y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
        square = (y * y - 1) * pow(CURVE * y * y + 1, -1, PRIME) % PRIME
        x = pow(square, (PRIME + 3) // 8, PRIME)
        x = x if x * x % PRIME == square else x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        if y >= PRIME or x * x % PRIME != square:
            raise ValueError("not a point of the curve")
        return (x if x & 1 == sign else -x % PRIME), y

    half, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(half + key + message).digest(), "little") % ORDER
    base = decode(BASE.to_bytes(32, "little"))
    return s < ORDER and multiply(s, base) == add(decode(half), multiply(k, decode(key)))


def check_signature(folder: Path, found: dict[str, str], key: Path | None) -> Iterator[Check]:
    """Check the DSSE envelope: its statement names manifest and sums by sha256, and the holder of the key signed it."""
    if SIGNATURE not in found:
        return (yield Check("signature", SIGNATURE, "is missing" if key else "", "none"))
    envelope = json.loads((folder / SIGNATURE).read_text("utf-8"))
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = {one["name"]: one["digest"]["sha256"] for one in json.loads(payload)["subject"]}
    for name in sorted({MANIFEST, SUMS} | signed.keys()):
        yield Check("signed sum", name, "" if signed.get(name) == found.get(name) else "is not the one that was signed")
    fault, note = "", "Ed25519" if key else "not checked: give --key"
    if key:
        public = base64.b64decode("".join(key.read_text("ascii").split("-----")[2].split()))[-32:]
        message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        made = (is_signed(public, message, base64.b64decode(one["sig"])) for one in envelope["signatures"])
        fault = "" if any(made) else "is not by this key"
    yield Check("signature", SIGNATURE, fault, note)


def check_folder(folder: Path, root: str, key: Path | None) -> Iterator[Check]:
    """Yield every check of the release in `folder`."""
    found: dict[str, str] = {}
    gone = read_withdrawn(folder)
    yield from check_sums(folder, found, gone)
    made = json.loads((folder / MANIFEST).read_text("utf-8"))
    card = json.loads((folder / CARD).read_text("utf-8")) if CARD not in gone else {"numbers": {}, "tables": {}}
    roots = {MANIFEST: made["root"], **({CARD: card["root"]} if CARD not in gone else {})}
    yield from check_manifest(folder, made, found, gone, roots | ({"--root": root} if root else {}))
    yield from check_signature(folder, found, key)
    paths = [path for path in found if path.endswith(".parquet")]
    lost = {name_table(path) for path in gone if path.endswith(".parquet")}
    # A law over rows holds for the rows that are left, but not for a table that is gone.
    absent = lost - {name_table(path) for path in paths}
    with tempfile.TemporaryDirectory() as spill, open_tables(folder, paths, spill) as tables:
        yield from check_card(tables, card, lost)
        for name, file, sql in LAWS:
            if absent & set(re.findall(r"\w+", sql)):
                yield Check(name, file, "", "not checked: its table is withdrawn")
                continue
            ((n,),) = ask(tables, f"SELECT count(*) {sql}")
            yield Check(name, file, f"{n} violations" if n else "")


def main() -> int:
    """Check the release that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("--root", default="", help="the Merkle root that the publisher told you")
    parser.add_argument("--key", type=Path, help="the publisher's public key (Ed25519, PEM)")
    parser.add_argument("--faults", action="store_true", help="print faults only")
    given, faults, withdrawn = parser.parse_args(), list[bool](), ""
    if not (given.release / MANIFEST).is_file():
        parser.error(f"{given.release} has no {MANIFEST}; name the folder of one version of a release")
    try:
        if gone := read_withdrawn(given.release):
            withdrawn = f"; withdrawn in part: {len(gone)} files ({WITHDRAWN})"
        for one in check_folder(given.release.resolve(), given.root, given.key):
            faults.append(bool(one.fault))
            if one.fault or not given.faults:
                words = filter(None, (one.name, one.file, one.fault or one.note))
                print("FAULT" if one.fault else "ok   ", ": ".join(words))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, duckdb.Error) as error:
        print(f"FAULT reading stopped: {type(error).__name__}")
        faults.append(True)
    print(f"{len(faults)} checks, {sum(faults)} faults{withdrawn}")
    return int(any(faults))


if __name__ == "__main__":
    sys.exit(main())
