"""(c) Sixty ways to change a release: docs/releases.md, How verify works."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import world as w


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


DATA, SECOND, MORPHEMES = (
    "data/redistribute/CC-BY-4.0/life/train-*.parquet",
    "data/redistribute/CC-BY-SA-4.0/life/train-*.parquet",
    "morphemes/redistribute/CC-BY-4.0/life/train-*.parquet",
)


def flip(pattern: str, at: float):
    def change(folder: Path):
        path = first(folder, pattern)
        data = bytearray(path.read_bytes())
        data[int(len(data) * at)] ^= 0x20
        path.write_bytes(data)
        return path

    return change


def edit(name: str, old: str, new: str):
    def change(folder: Path):
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text, f"{old} is not in {name}"
        path.write_text(text.replace(old, new, 1), "utf-8")
        return path

    return change


def edit_json(name: str, alter, indent=1, sort=True):
    def change(folder: Path):
        path = folder / name
        value = json.loads(path.read_text("utf-8"))
        value = alter(value) or value
        path.write_text(json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort) + "\n", "utf-8")
        return path

    return change


def table(pattern: str, alter):
    def change(folder: Path):
        path = first(folder, pattern)
        before = w.pq.read_table(path, partitioning=None)
        after = alter(before)
        assert not after.equals(before)
        w.pq.write_table(after, path, compression="zstd", compression_level=3, write_page_index=True)
        return path

    return change


def column(pattern: str, name: str, alter):
    """Change the value of one column in the first row."""

    def change(before: pa.Table) -> pa.Table:
        at = before.schema.get_field_index(name)
        values = before[name].to_pylist()
        values[0] = alter(values[0])
        return before.set_column(at, before.schema.field(at), pa.array(values, before.schema.field(at).type))

    return table(pattern, change)


def drop_first(t: pa.Table) -> pa.Table:
    return t.slice(1)


def twice_first(t: pa.Table) -> pa.Table:
    return pa.concat_tables([t.slice(0, 1), t])


def consistent_text(t: pa.Table) -> pa.Table:
    """Another text whose digest and lengths are right."""
    rows = t.to_pylist()
    rows[0]["text"] = rows[0]["text"].replace("마을", "고을").replace("그 일", "저 일") + " 덧붙인 말이다."
    text = rows[0]["text"]
    rows[0] |= {
        "n_chars": len(text),
        "n_bytes": len(text.encode()),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    return pa.Table.from_pylist(rows, schema=t.schema)


def put(name: str, data: bytes = b"x\n"):
    def change(folder: Path):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return folder / name

    return change


def remove(pattern: str):
    def change(folder: Path):
        path = first(folder, pattern)
        path.unlink()
        return path

    return change


def swap(a: str, b: str):
    def change(folder: Path):
        one, other = first(folder, a), first(folder, b)
        data = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(data)
        return one

    return change


def move(pattern: str, target: str):
    def change(folder: Path):
        path = first(folder, pattern)
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        path.rename(folder / target)
        return path

    return change


def truncate(pattern: str):
    def change(folder: Path):
        path = first(folder, pattern)
        path.write_bytes(path.read_bytes()[:-100])
        return path

    return change


def link(name: str, target: str):
    def change(folder: Path):
        (folder / name).symlink_to(target)
        return folder / name

    return change


def fifo(folder: Path):
    os.mkfifo(folder / "audit/pipe.parquet")
    return folder / "audit/pipe.parquet"


def metadata(folder: Path):
    path = first(folder, DATA)
    t = w.pq.read_table(path, partitioning=None)
    w.pq.write_table(t.replace_schema_metadata({"note": "changed"}), path, compression="zstd")
    return path


def change_sql(card):
    def visit(v):
        if isinstance(v, dict):
            for k, x in v.items():
                if isinstance(x, str) and x.lstrip().upper().startswith("SELECT"):
                    v[k] = "SELECT 1 AS n"
                    return True
                if visit(x):
                    return True
        if isinstance(v, list):
            return any(visit(x) for x in v)
        return False

    assert visit(card)


def change_number(value):
    """Add one to the first number that is found."""

    def visit(v):
        items = v.items() if isinstance(v, dict) else enumerate(v) if isinstance(v, list) else ()
        for k, x in items:
            if type(x) is int and x > 1:
                v[k] = x + 1
                return True
            if visit(x):
                return True
        return False

    assert visit(value)


def change_card_value(card):
    """The answer of a query with a count."""

    def visit(v):
        if isinstance(v, dict):
            if type(v.get("value")) is int and any(isinstance(x, str) and "SELECT" in x for x in v.values()):
                v["value"] += 1
                return True
            return any(visit(x) for x in v.values())
        return any(visit(x) for x in v) if isinstance(v, list) else False

    assert visit(card)


def hide_rows(folder: Path):
    """A forger deletes a data file and claims an erasure."""
    path = first(folder, SECOND)
    morphemes = folder / str(path.relative_to(folder)).replace("data/", "morphemes/", 1)
    path.unlink()
    morphemes.unlink()
    return path


AUDIT = "audit/{}.parquet"
# name: (change, names of which one has to be in the finding); whatever is found without remade sums names the file
CASES = {
    "README byte": flip("README.md", 0.5),
    "index.html byte": flip("index.html", 0.5),
    "index.html script": edit("index.html", "</body>", "<script>1</script></body>"),
    "card value": edit_json("card.json", change_card_value),
    "card number": edit_json("card.json", change_number),
    "card SQL": edit_json("card.json", change_sql),
    "card indented otherwise": edit_json("card.json", lambda c: None, indent=4),
    "card extra key": edit_json("card.json", lambda c: {**c, "extra": 1}),
    "card key order": edit_json("card.json", lambda c: dict(reversed(c.items())), sort=False),
    "card no JSON": flip("card.json", 0.0),
    "manifest version": edit_json("manifest.json", lambda m: {**m, "version": "1.0.9"}),
    "manifest name": edit_json("manifest.json", lambda m: {**m, "name": "other"}),
    "manifest number": edit_json("manifest.json", lambda m: {**m, "documents": m.get("documents", 0) + 1}),
    "manifest root": edit_json("manifest.json", lambda m: {**m, "root": "0" * 64}),
    "manifest members": edit_json("manifest.json", lambda m: {**m, "members": "0" * 64}),
    "manifest recipe": edit("manifest.json", '"purpose": "', '"purpose": "Another: '),
    "manifest key order": edit_json("manifest.json", lambda m: dict(reversed(m.items())), sort=False),
    "manifest key twice": edit("manifest.json", "{\n", '{\n "name": "general",\n'),
    "manifest without files": edit_json("manifest.json", lambda m: {**m, "files": []}),
    "sums line removed": edit("SHA256SUMS", "", ""),
    "sums CRLF": edit("SHA256SUMS", "\n", "\r\n"),
    "sums upper case": edit("SHA256SUMS", "", ""),
    "licence appended": edit("LICENSE.md", "", "Free.\n"),
    "licence removed": remove("LICENSE.md"),
    "licence text added": put("LICENSES/CC0-1.0.txt"),
    "data byte at start": flip(DATA, 0.1),
    "data byte in the middle": flip(DATA, 0.5),
    "data byte in the footer": flip(DATA, 0.98),
    "data row removed": table(DATA, drop_first),
    "data row twice": table(DATA, twice_first),
    "data rows in another order": table(DATA, lambda t: t.take(list(reversed(range(t.num_rows))))),
    "data text": column(DATA, "text", lambda v: v + "."),
    "data text with its digest": table(DATA, consistent_text),
    "data licence": column(DATA, "license", lambda _: "CC0-1.0"),
    "data use": column(DATA, "use", lambda _: "train-only"),
    "data url": column(DATA, "url", lambda v: v + "x"),
    "data title": column(DATA, "title", lambda v: v + "x"),
    "data id": column(DATA, "id", lambda v: v + "x"),
    "data split": column(DATA, "split", lambda _: "test"),
    "data quality": column(DATA, "quality", lambda _: 0.123),
    "data hangul_share": column(DATA, "hangul_share", lambda _: 0.1),
    "data register": column(DATA, "register", lambda _: "law"),
    "data fetched": column(DATA, "fetched", lambda _: "2001-01-01T00:00:00Z"),
    "data author": column(DATA, "author", lambda _: "아무개"),
    "data attribution": column(DATA, "attribution", lambda v: v + "x"),
    "data cluster size": column(DATA, "cluster_size", lambda v: v + 5),
    "data record": column(DATA, "record", lambda _: "<urn:uuid:00000000-0000-0000-0000-000000000000>"),
    "data pii": column(DATA, "pii", lambda v: [*v, {"kind": "email", "n": 3}]),
    "data column removed": table(DATA, lambda t: t.drop_columns(["author"])),
    "data column added": table(DATA, lambda t: t.append_column("x", pa.array([1] * t.num_rows))),
    "data schema note": metadata,
    "data truncated": truncate(DATA),
    "data empty": lambda f: (first(f, DATA).write_bytes(b""), first(f, DATA))[1],
    "data removed": remove(SECOND),
    "data and morphemes removed": hide_rows,
    "data of two folders swapped": swap(DATA, SECOND),
    "data in another folder": move(SECOND, "data/redistribute/CC-BY-SA-4.0/law/train-00000-of-00001.parquet"),
    "data as another split": move(SECOND, "data/redistribute/CC-BY-SA-4.0/life/test-00000-of-00001.parquet"),
    "morphemes byte": flip(MORPHEMES, 0.5),
    "morphemes row removed": table(MORPHEMES, drop_first),
    "morphemes offset": column(MORPHEMES, "sentences", lambda v: [{**v[0], "end": 10**6}, *v[1:]]),
    "morphemes form": column(MORPHEMES, "morphemes", lambda v: v[1:]),
    "morphemes id": column(MORPHEMES, "id", lambda v: v + "x"),
    "morphemes of another file": swap(MORPHEMES, SECOND.replace("data/", "morphemes/")),
    "members leaf removed": table(AUDIT.format("members"), drop_first),
    "members leaf changed": column(AUDIT.format("members"), "document", lambda v: v + 1),
    "sketches": table(AUDIT.format("sketches"), lambda t: t.take([1, 0, *range(2, t.num_rows)])),
    "dropped row removed": table(AUDIT.format("dropped"), lambda t: t.slice(0, 0)),
    "evidence quote": column(AUDIT.format("licence_evidence"), "quote", lambda v: v + "x"),
    "evidence licence": column(AUDIT.format("licence_evidence"), "licence", lambda _: "CC0-1.0"),
    "evidence row removed": table(AUDIT.format("licence_evidence"), drop_first),
    "evidence by": column(AUDIT.format("licence_evidence"), "by", lambda _: "statute"),
    "stages number": column(AUDIT.format("stages"), "n", lambda v: v + 1),
    "sources": column(AUDIT.format("sources"), "title", lambda v: v + "x"),
    "residue number": column(AUDIT.format("residue"), "n", lambda v: v + 1),
    "clusters similarity": column(AUDIT.format("clusters"), "similarity", lambda _: 0.1),
    "clusters row removed": table(AUDIT.format("clusters"), lambda t: t.slice(0, 0)),
    "attribution": column(AUDIT.format("attribution"), "attribution", lambda v: v + "x"),
    "attribution row removed": table(AUDIT.format("attribution"), drop_first),
    "personal data row removed": table(AUDIT.format("personal_data"), lambda t: t.slice(0, 0)),
    "edits row removed": table(AUDIT.format("edits"), drop_first),
    "audit table removed": remove(AUDIT.format("signals")),
    "audit table added": put("audit/more.parquet"),
    "extra file": put("notes.txt"),
    "hidden file": put(".hidden"),
    "extra file in data": put("data/redistribute/CC-BY-4.0/life/train-00001-of-00001.parquet"),
    "link inside": link("copy.md", "README.md"),
    "link outside": link("passwd", "/etc/hostname"),
    "fifo": fifo,
    "svg with script": put("picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
    "claims an erasure": put("withdrawn.json", b"{}\n"),
    "claims a proof": put("erasure_proof.json", b"{}\n"),
    "claims a changelog": put("CHANGELOG.md", b"# Changes\n"),
}
# What nothing but a signature can find: facts that no rule of the release derives again from other files.
FREE = {
    "data quality",
    "data hangul_share",
    "data register",
    "data fetched",
    "data author",
    "data record",
    "data schema note",
    "manifest recipe",
    "edits row removed",
    "data title",
    "data pii",
    "personal data row removed",
    "data cluster size",
    "morphemes form",
}


def remake(folder: Path) -> None:
    """SHA256SUMS, the list of files in the manifest and the Merkle root made anew, as docs/releases.md describes them."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text("utf-8"))
        for one in manifest.get("files", []):
            file = folder / one["path"]
            if file.is_file():
                data = file.read_bytes()
                one |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
                try:
                    one["rows"] = w.pq.ParquetFile(file).metadata.num_rows
                except Exception:  # noqa: BLE001, S110
                    pass
        old, nodes = manifest.get("root"), []
        for one in sorted(manifest["files"], key=lambda f: f["path"]):
            nodes.append(
                hashlib.sha256(f"\0{one['path']}\n{one['sha256']}\n{one['rows']}\n{one['bytes']}".encode()).digest()
            )
        while len(nodes) > 1:
            nodes = [
                hashlib.sha256(b"\1" + b"".join(nodes[i : i + 2])).digest() if i + 1 < len(nodes) else nodes[i]
                for i in range(0, len(nodes), 2)
            ]
        if nodes and old != "0" * 64:
            manifest["root"] = nodes[0].hex()
            for name in ("card.json", "README.md", "index.html"):
                if (folder / name).is_file():
                    data = (folder / name).read_bytes()
                    (folder / name).write_bytes(data.replace(old.encode(), manifest["root"].encode()))
        if path.read_text("utf-8").startswith('{\n "columns"'):
            path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
    except (ValueError, TypeError, KeyError):
        pass
    w.remake_sums(folder)


def tamper(signed: Path, tmp_path: Path, case: str) -> tuple[Path, str]:
    folder = w.copy(signed, tmp_path / "general/1.0.0")
    if case == "sums line removed":
        lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
        gone = next(x for x in lines if "LICENSE.md" in x)
        (folder / "SHA256SUMS").write_text("".join(x for x in lines if x != gone))
        return folder, "LICENSE.md"
    if case == "sums upper case":
        text = (folder / "SHA256SUMS").read_text()
        (folder / "SHA256SUMS").write_text(text[:64].upper() + text[64:])
        return folder, "SHA256SUMS"
    if case == "licence appended":
        with (folder / "LICENSE.md").open("a") as f:
            f.write("Free.\n")
        return folder, "LICENSE.md"
    return folder, str(CASES[case](folder).relative_to(folder))


@pytest.mark.parametrize("case", CASES)
def test_verify_names_the_changed_file(signed, tmp_path, case):
    folder, name = tamper(signed, tmp_path, case)
    done = w.malmoi("verify", folder, status=1, timeout=120)
    assert name in done.out, done.out


@pytest.mark.parametrize("case", [c for c in CASES if not c.startswith("sums")])
def test_a_signature_finds_it_after_all_sums_were_made_anew(signed, keys, tmp_path, case):
    folder, name = tamper(signed, tmp_path, case)
    if not (folder / "audit/pipe.parquet").exists():
        remake(folder)
    done = w.malmoi("verify", folder, "--public-key", keys["publisher"][1], status=1, timeout=120)
    assert any(n in done.out for n in (name, "SHA256SUMS", "manifest.json"))


@pytest.mark.parametrize("case", [c for c in CASES if not c.startswith("sums") and c not in FREE])
def test_the_rules_find_it_without_a_signature_after_sums_were_made_anew(release, tmp_path, case):
    folder, name = tamper(release, tmp_path, case)
    if not (folder / "audit/pipe.parquet").exists():
        remake(folder)
    done = w.malmoi("verify", folder, status=1, timeout=120)
    assert ".parquet" in done.out or ".json" in done.out or ".md" in done.out or name in done.out


# ---- signatures


@pytest.mark.parametrize(
    "case",
    [
        "payload",
        "signature",
        "no signature",
        "other key",
        "not signed",
        "type",
        "renamed",
        "other name",
        "garbage",
        "deep",
        "key in place of public",
    ],
)
def test_a_false_signature_is_found(signed, keys, tmp_path, case):
    folder = w.copy(signed, tmp_path / "general/1.0.0")
    file, public = folder / "manifest.dsse.json", keys["publisher"][1]
    envelope = json.loads(file.read_text("utf-8"))
    if case == "payload":
        envelope["payload"] = envelope["payload"][:40] + "A" + envelope["payload"][41:]
    if case == "signature":
        envelope["signatures"][0]["sig"] = (
            envelope["signatures"][0]["sig"][:20] + "AAAA" + envelope["signatures"][0]["sig"][24:]
        )
    if case == "no signature":
        envelope["signatures"] = []
    if case == "type":
        envelope["payloadType"] = "text/plain"
    file.write_text(json.dumps(envelope), "utf-8")
    if case == "garbage":
        file.write_bytes(b"\xff\xfe{}")
    if case == "deep":
        file.write_text("[" * 200_000)
    if case == "other key":
        public = keys["stranger"][1]
    if case == "not signed":
        file.unlink()
    if case == "renamed":
        folder = folder.rename(tmp_path / "general/1.1.0")
    if case == "other name":
        (tmp_path / "other").mkdir()
        folder = folder.rename(tmp_path / "other/1.0.0")
    if case == "key in place of public":
        public = keys["publisher"][0]
    done = w.malmoi("verify", folder, "--public-key", public, status=None)
    assert done.returncode == (2 if case == "key in place of public" else 1)


def test_the_signature_of_another_version_does_not_fit(two, keys, tmp_path):
    old, new = (w.copy(two / "ws/6-releases/general" / v, tmp_path / f"general/{v}") for v in ("1.0.0", "1.1.0"))
    w.malmoi("sign", old, "--key", keys["publisher"][0])
    shutil.copy(old / "manifest.dsse.json", new / "manifest.dsse.json")
    done = w.malmoi("verify", new, "--public-key", keys["publisher"][1], status=1)
    assert "manifest" in done.out


def test_signing_keeps_every_other_byte_and_a_second_key_adds_a_signature(signed, release, keys, tmp_path):
    assert {k: v for k, v in w.tree(signed).items() if k != "manifest.dsse.json"} == w.tree(release)
    folder = w.copy(signed, tmp_path / "general/1.0.0")
    w.malmoi("sign", folder, "--key", keys["stranger"][0])
    for name in keys:
        w.malmoi("verify", folder, "--public-key", keys[name][1])


def test_a_changed_release_cannot_be_signed(release, keys, tmp_path):
    folder = w.copy(release, tmp_path / "general/1.0.0")
    flip("README.md", 0.5)(folder)
    assert w.malmoi("sign", folder, "--key", keys["publisher"][0], status=None).returncode == 1
    assert not (folder / "manifest.dsse.json").exists()


@pytest.mark.parametrize("case", ["open to others", "in the release", "rsa", "public"])
def test_an_unsafe_key_is_refused(release, keys, tmp_path, case):
    folder = w.copy(release, tmp_path / "general/1.0.0")
    key = tmp_path / "k.pem"
    shutil.copy(keys["publisher"][0], key)
    key.chmod(0o644 if case == "open to others" else 0o600)
    if case == "in the release":
        key = key.rename(folder / "k.pem")
    if case == "rsa":
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", key], check=True, capture_output=True)
        key.chmod(0o600)
    if case == "public":
        key = keys["publisher"][1]
    assert w.malmoi("sign", folder, "--key", key, status=None).returncode in (1, 2)
    assert not (folder / "manifest.dsse.json").exists()


# ---- patch releases and changelogs


def test_a_forged_proof_or_claim_of_an_erasure_is_found(base, tmp_path):
    home = w.copy(base, tmp_path / "home")
    w.malmoi(
        "erase", "general", "--id", f"village/{w.HOST}/essay/03.html", "--reason", "r", "--workspace", "ws", cwd=home
    )
    releases = home / "ws/6-releases/general"
    for n, (version, name, change) in enumerate(
        [
            ("1.0.1", "erasure_proof.json", change_number),
            ("1.0.0", "withdrawn.json", change_number),
            ("1.0.0", "README.md", None),
            ("1.0.0", DATA, None),
            ("1.0.1", "changes.json", change_number),
        ]
    ):
        folder = w.copy(releases / version, tmp_path / f"{n}/general/{version}")
        if change:
            edit_json(name, change)(folder)
        else:
            path = sorted(folder.glob("data/**/*.parquet"))[0] if "*" in name else folder / name
            if not path.exists():
                continue
            path.write_bytes(path.read_bytes() + b" ")
            name = path.name
        assert name in w.malmoi("verify", folder, status=1).out, (version, name)


def test_a_file_that_no_erasure_took_cannot_hide_behind_the_claim(base, tmp_path):
    """Somebody deletes one more file of a version withdrawn in part."""
    home = w.copy(base, tmp_path / "home")
    w.malmoi(
        "erase", "general", "--id", f"village/{w.HOST}/essay/03.html", "--reason", "r", "--workspace", "ws", cwd=home
    )
    old = home / "ws/6-releases/general/1.0.0"
    path = first(old, "data/redistribute/CC-BY-4.0/**/*.parquet")
    path.unlink()
    assert path.name in w.malmoi("verify", old, status=1).out


@pytest.mark.parametrize(
    ("name", "change"),
    [("CHANGELOG.md", flip("CHANGELOG.md", 0.6)), ("changes.json", edit_json("changes.json", change_number))],
)
def test_a_changed_changelog_is_found_even_with_new_sums(two, tmp_path, name, change):
    folder = w.copy(two / "ws/6-releases/general/1.1.0", tmp_path / "general/1.1.0")
    change(folder)
    w.remake_sums(folder)
    assert (
        name in w.malmoi("verify", folder, status=1).out or "changes.json" in w.malmoi("verify", folder, status=1).out
    )


# ---- the independent checker


def audit(folder: Path, *words):
    return subprocess.run(
        [sys.executable, w.ROOT / "docs/check_release.py", folder, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_checker_accepts_a_true_release(signed, keys, demo):
    done = audit(signed, "--key", keys["publisher"][1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert audit(w.latest(demo)).returncode == 0


@pytest.mark.parametrize(
    "case",
    [
        "README byte",
        "card value",
        "card SQL",
        "manifest root",
        "manifest number",
        "sums line removed",
        "licence appended",
        "data byte in the middle",
        "data row removed",
        "data text",
        "data id",
        "data truncated",
        "data removed",
        "morphemes byte",
        "members leaf removed",
        "dropped row removed",
        "evidence row removed",
        "stages number",
        "extra file",
        "link outside",
        "audit table removed",
        "audit table added",
        "card no JSON",
        "fifo",
    ],
)
def test_the_checker_finds_a_changed_release(signed, tmp_path, case):
    folder, name = tamper(signed, tmp_path, case)
    done = audit(folder)
    assert done.returncode == 1 and name in done.stdout, done.stdout[-1500:] + done.stderr[-1500:]


def test_the_checker_finds_another_root_and_another_key(signed, keys):
    assert audit(signed, "--root", "0" * 64).returncode == 1
    assert audit(signed, "--key", keys["stranger"][1]).returncode == 1


_ = pc
