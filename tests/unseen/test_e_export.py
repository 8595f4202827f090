"""(e) Export and reading for training: docs/train-on-a-release.md."""

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import world as w


def export(release: Path, target: Path, *words, status=0) -> Path:
    w.malmoi("export", release, target, *words, status=status)
    return target


def lines(folder: Path) -> list[dict]:
    return [json.loads(x) for p in sorted(folder.glob("part-*.jsonl")) for x in p.read_text("utf-8").splitlines()]


def index(folder: Path) -> list[dict]:
    return w.pq.read_table(folder / "ids.parquet").to_pylist()


@pytest.fixture(scope="module")
def plain(demo, tmp_path_factory) -> Path:
    return export(w.latest(demo), tmp_path_factory.mktemp("export") / "plain")


@pytest.fixture(scope="module")
def rows(demo) -> dict[str, dict]:
    return {r["id"]: r for r in w.rows(w.latest(demo)) if r["use"] == "redistribute"}


def test_every_document_is_exported_once_with_its_text(plain, rows):
    assert {x["id"]: x["text"] for x in lines(plain)} == {i: r["text"] for i, r in rows.items()}
    assert len(lines(plain)) == len(rows) == len(index(plain))


def test_the_map_leads_from_bytes_to_documents(plain, rows):
    for one in index(plain):
        part = (plain / one["file"]).read_bytes()[one["start"] : one["start"] + one["length"]]
        assert json.loads(part)["id"] == one["id"] and one["license"] == rows[one["id"]]["license"]


def test_equal_input_gives_equal_bytes(demo, plain, tmp_path):
    assert w.tree(export(w.latest(demo), tmp_path / "x")) == w.tree(plain)


def test_another_seed_gives_another_order_of_the_same_documents(demo, plain, tmp_path):
    other = export(w.latest(demo), tmp_path / "x", "--seed", "7")
    a, b = ([x["id"] for x in lines(f)] for f in (plain, other))
    assert a != b and sorted(a) == sorted(b)


def test_a_copy_of_the_release_elsewhere_gives_the_same_export(demo, plain, tmp_path):
    other = w.copy(w.latest(demo), tmp_path / "elsewhere")
    a, b = w.tree(export(other, tmp_path / "x")), w.tree(plain)
    assert {k: v for k, v in a.items() if k != "export.json"} == {k: v for k, v in b.items() if k != "export.json"}


def test_export_json_has_root_counts_and_digests(demo, plain):
    about = json.loads((plain / "export.json").read_text("utf-8"))
    root = json.loads((w.latest(demo) / "manifest.json").read_text("utf-8"))["root"]
    text = json.dumps(about)
    assert root in text and all(d in text for p, d in w.tree(plain).items() if p != "export.json")


def test_attribution_and_licences_go_along(plain, rows):
    table = w.pq.read_table(plain / "attribution.parquet").to_pylist()
    assert {r["id"] for r in table} == set(rows)
    text = (plain / "LICENSE.md").read_text("utf-8")
    assert all(licence in text for licence in {r["license"] for r in rows.values()})


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_compression_changes_no_text(demo, plain, tmp_path, how):
    folder = export(w.latest(demo), tmp_path / "x", "--compression", how)
    (file,) = [p for p in folder.iterdir() if p.name.startswith("part-")]
    if how == "gzip":
        data = gzip.decompress(file.read_bytes())
    else:
        data = pa.input_stream(str(file), compression="zstd").read()
    assert data == b"".join(p.read_bytes() for p in sorted(plain.glob("part-*.jsonl")))


def test_flat_lines_have_every_column(demo, tmp_path, rows):
    one = lines(export(w.latest(demo), tmp_path / "x", "--flat"))[0]
    assert (
        set(rows[one["id"]]) <= set(one) | {"domains", "pii", "benchmarks"} and one["text"] == rows[one["id"]]["text"]
    )


@pytest.mark.parametrize(
    ("words", "keep"),
    [
        (("--licence", "CC-BY-4.0"), lambda r: r["license"] == "CC-BY-4.0"),
        (
            ("--licence", "CC-BY-4.0", "--licence", "LicenseRef-KOGL-0"),
            lambda r: r["license"] in ("CC-BY-4.0", "LicenseRef-KOGL-0"),
        ),
        (("--family", "share-alike"), lambda r: r["license"] == "CC-BY-SA-4.0"),
        (("--family", "open"), lambda r: r["license"] != "CC-BY-SA-4.0"),
        (("--domain", "semiconductor"), lambda r: r["domain"] == "semiconductor"),
        (("--split", "validation", "--split", "test"), lambda r: r["split"] != "train"),
        (("--min-quality", "0.9"), lambda r: r["quality"] is not None and r["quality"] >= 0.9),
        (
            ("--licence", "CC-BY-4.0", "--domain", "semiconductor"),
            lambda r: (r["license"], r["domain"]) == ("CC-BY-4.0", "semiconductor"),
        ),
    ],
    ids=["licence", "two licences", "share-alike", "open", "domain", "splits", "quality", "both"],
)
def test_a_selection_takes_the_same_documents_as_a_query(demo, rows, tmp_path, words, keep):
    expected = {i for i, r in rows.items() if keep(r)}
    found = {x["id"] for x in lines(export(w.latest(demo), tmp_path / "x", *words))}
    assert found == expected and expected


@pytest.mark.parametrize(
    "words",
    [
        ("--domain", "astrology"),
        ("--licence", "CC-BY-9.9"),
        ("--family", "nobody"),
        ("--split", "dev"),
        ("--min-quality", "2"),
        ("--tokens", "many", "--tokenizer", "bytes"),
        ("--tokens", "-5", "--tokenizer", "bytes"),
        ("--tokens", "0", "--tokenizer", "bytes"),
        ("--mix", "general=0.7,semiconductor=0.7", "--tokens", "2K", "--tokenizer", "bytes"),
        ("--mix", "general=0.7,astrology=0.3", "--tokens", "2K", "--tokenizer", "bytes"),
        ("--mix", "general=1.3,semiconductor=-0.3", "--tokens", "2K", "--tokenizer", "bytes"),
        ("--mix", "general", "--tokens", "2K", "--tokenizer", "bytes"),
        ("--format", "megatron"),
        ("--format", "megatron", "--tokenizer", "kiwi-morphemes"),
        ("--tokenizer", "none.json", "--tokens", "2K"),
        ("--repeat", "0"),
        ("--shard-size", "0"),
        ("--format", "mds", "--compression", "gzip"),
    ],
    ids=lambda v: " ".join(v),
)
def test_a_wrong_call_writes_nothing(demo, tmp_path, words):
    done = w.malmoi("export", w.latest(demo), tmp_path / "x", *words, status=None)
    assert done.returncode == 2 and not (tmp_path / "x").exists()
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_never_overwritten(demo, tmp_path):
    (tmp_path / "x").mkdir()
    assert w.malmoi("export", w.latest(demo), tmp_path / "x", status=None).returncode == 2
    assert not list((tmp_path / "x").iterdir())


def test_megatron_files_hold_the_texts(demo, rows, tmp_path):
    folder = export(w.latest(demo), tmp_path / "x", "--format", "megatron", "--tokenizer", "bytes")
    tokens = np.fromfile(folder / "tokens.bin", np.uint16)
    for one in index(folder):
        ids = tokens[one["start"] : one["start"] + one["length"] - 1]
        assert bytes(ids.astype(np.uint8)).decode() == rows[one["id"]]["text"]
    data = (folder / "tokens.idx").read_bytes()
    assert data[:9] == b"MMIDIDX\x00\x00" and int.from_bytes(data[9:17], "little") == 1
    assert int.from_bytes(data[18:26], "little") == len(index(folder))


def test_mds_shards_hold_the_texts(demo, rows, tmp_path):
    folder = export(w.latest(demo), tmp_path / "x", "--format", "mds")
    about = json.loads((folder / "index.json").read_text("utf-8"))
    assert about["version"] == 2 and sum(s["samples"] for s in about["shards"]) == len(rows)
    data = (folder / about["shards"][0]["raw_data"]["basename"]).read_bytes()
    assert int.from_bytes(data[:4], "little") == about["shards"][0]["samples"]
    assert all(r["text"].encode() in data for r in list(rows.values())[:5])


# ---- budgets and mixtures


def n_tokens(folder: Path, rows: dict) -> int:
    return sum(len(rows[x["id"]]["text"].encode()) for x in lines(folder))


@pytest.mark.parametrize("budget", [2_000, 20_000, 60_000])
def test_a_budget_is_kept_and_nearly_used(demo, rows, tmp_path, budget):
    folder = export(w.latest(demo), tmp_path / "x", "--tokenizer", "bytes", "--tokens", str(budget))
    used = n_tokens(folder, rows)
    assert budget - max(r["n_bytes"] for r in rows.values()) <= used <= budget


def test_a_larger_budget_keeps_what_a_smaller_one_chose(demo, tmp_path):
    chosen = [
        {
            x["id"]
            for x in lines(
                export(
                    w.latest(demo),
                    tmp_path / b,
                    "--tokenizer",
                    "bytes",
                    "--tokens",
                    b,
                    "--mix",
                    "general=0.5,semiconductor=0.5",
                )
            )
        }
        for b in ("10K", "20K", "40K")
    ]
    assert chosen[0] < chosen[1] < chosen[2]


def test_a_mixture_has_the_shares_that_were_asked(demo, rows, tmp_path):
    folder = export(
        w.latest(demo),
        tmp_path / "x",
        "--tokenizer",
        "bytes",
        "--tokens",
        "30K",
        "--mix",
        "general=0.7,semiconductor=0.3",
    )
    used = Counter()
    for x in lines(folder):
        used["semiconductor" if rows[x["id"]]["domain"] == "semiconductor" else "general"] += rows[x["id"]]["n_bytes"]
    longest = max(r["n_bytes"] for r in rows.values())
    assert 21_000 - longest <= used["general"] <= 21_000 and 9_000 - longest <= used["semiconductor"] <= 9_000


def test_the_best_quality_comes_first_inside_a_budget(demo, rows, tmp_path):
    folder = export(
        w.latest(demo), tmp_path / "x", "--tokenizer", "bytes", "--tokens", "20K", "--domain", "manufacturing"
    )
    taken = {x["id"] for x in lines(folder)}
    of_domain = {i: r["quality"] for i, r in rows.items() if r["domain"] == "manufacturing"}
    assert taken and taken < set(of_domain)
    assert min(of_domain[i] for i in taken) >= max(q for i, q in of_domain.items() if i not in taken)


def test_a_shortfall_is_said_and_recorded(demo, tmp_path):
    done = w.malmoi(
        "export",
        w.latest(demo),
        tmp_path / "x",
        "--tokenizer",
        "bytes",
        "--tokens",
        "1M",
        "--mix",
        "general=0.5,semiconductor=0.5",
    )
    assert "semiconductor" in done.out and "shortfall" in (tmp_path / "x/export.json").read_text("utf-8")


def test_repeat_uses_a_document_as_often_as_said(demo, tmp_path):
    folder = export(
        w.latest(demo),
        tmp_path / "x",
        "--tokenizer",
        "bytes",
        "--tokens",
        "1M",
        "--mix",
        "semiconductor=1.0",
        "--repeat",
        "3",
    )
    times = Counter(x["id"] for x in index(folder))
    assert set(times.values()) == {3} and {x["epoch"] for x in index(folder)} in ({0, 1, 2}, {1, 2, 3})


def test_a_part_may_name_a_family(demo, rows, tmp_path):
    folder = export(
        w.latest(demo), tmp_path / "x", "--tokenizer", "bytes", "--tokens", "9K", "--mix", "semiconductor@open=1.0"
    )
    assert {rows[x["id"]]["domain"] for x in lines(folder)} == {"semiconductor"}
    assert "CC-BY-SA-4.0" not in {rows[x["id"]]["license"] for x in lines(folder)}


def test_tokens_counts_what_the_release_says(demo, rows):
    said = json.loads(
        w.malmoi("tokens", w.latest(demo), "--tokenizer", "bytes", "--tokenizer", "kiwi-morphemes", "--json").stdout
    )
    text = json.dumps(said)
    numbers = {int(x) for x in __import__("re").findall(r"\b\d+\b", text)}
    assert (
        sum(r["n_bytes"] for r in rows.values()) in numbers
        and sum(r["n_morphemes"] or 0 for r in rows.values()) in numbers
    )


def test_a_tokenizer_file_is_named_with_its_digest(demo, tmp_path):
    vocabulary = {chr(i): i for i in range(33, 127)} | {"<unk>": 200, "</s>": 201}
    file = tmp_path / "tokenizer.json"
    file.write_text(
        json.dumps(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": [],
                "normalizer": None,
                "pre_tokenizer": None,
                "post_processor": None,
                "decoder": None,
                "model": {
                    "type": "BPE",
                    "dropout": None,
                    "unk_token": "<unk>",
                    "continuing_subword_prefix": None,
                    "end_of_word_suffix": None,
                    "fuse_unk": False,
                    "byte_fallback": False,
                    "vocab": vocabulary,
                    "merges": [],
                },
            }
        ),
        "utf-8",
    )
    done = w.malmoi("tokens", w.latest(demo), "--tokenizer", file, "--json")
    assert w.tree(tmp_path)["tokenizer.json"] in done.stdout


# ---- the reader


def read(release: Path, code: str) -> str:
    code = (
        f"from itertools import islice\nfrom malmoi.export.reader import ReleaseReader\nR = {str(release)!r}\n" + code
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=w.ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("at", [0, 1, 10, 68])
def test_reading_resumes_exactly(demo, at):
    out = read(
        w.latest(demo),
        f"""
import json
whole = [r["id"] for r in ReleaseReader(R, seed=1)]
a = ReleaseReader(R, seed=1); first = [r["id"] for r in islice(a, {at})]
state = json.loads(json.dumps(a.state_dict()))
b = ReleaseReader(R, seed=1); b.load_state_dict(state)
print(first + [r["id"] for r in b] == whole, len(whole) == len(set(whole)), len(whole))
""",
    )
    assert out.split()[:2] == ["True", "True"]


def test_ranks_share_out_all_documents(demo, rows):
    out = read(
        w.latest(demo),
        """
ids = [r["id"] for rank in range(3) for r in ReleaseReader(R, seed=2, rank=rank, world_size=3)]
print(len(ids), len(set(ids)))
""",
    )
    assert out.split() == [str(len(rows))] * 2


def test_epochs_have_other_orders_of_the_same_documents(demo):
    out = read(
        w.latest(demo),
        """
r = ReleaseReader(R, seed=2)
a, b = [x["id"] for x in r], [x["id"] for x in r]
s = ReleaseReader(R, seed=2); s.set_epoch(1)
print(a != b, sorted(a) == sorted(b), [x["id"] for x in s] == b)
""",
    )
    assert out.split() == ["True"] * 3


@pytest.mark.parametrize(
    "other", ["seed=9", "seed=1, rank=1, world_size=2", "seed=1, columns=['id']", "seed=1, window=1000"]
)
def test_a_state_of_another_reader_is_refused(demo, other):
    out = read(
        w.latest(demo),
        f"""
a = ReleaseReader(R, seed=1); list(islice(a, 5)); state = a.state_dict()
try:
    b = ReleaseReader(R, {other}); b.load_state_dict(state); next(iter(b)); print("taken")
except (ValueError, KeyError) as e:
    print("refused")
""",
    )
    assert out.split() == ["refused"]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_where_selects_rows(demo, rows, split):
    out = read(
        w.latest(demo),
        f"""
import pyarrow.dataset as ds
print(sum(1 for _ in ReleaseReader(R, seed=1, where=ds.field("split") == "{split}")))
""",
    )
    assert int(out) == sum(r["split"] == split for r in rows.values())
