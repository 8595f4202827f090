"""Cases of tests/advice/test_advice.py: exports and token counts."""

import json
import sys
from types import SimpleNamespace

import pytest

from tests.advice.advice import advice
from tests.builders.small_texts import row, write_texts


def texts(place, **other: object) -> None:
    write_texts(place.folder / "r", [row(i, **other) for i in range(12)])


@advice("{} exists; name a folder that does not. Nothing was overwritten.")
def export_over_something(place):
    texts(place)
    place.write("out/notes.txt", "mine")
    yield "export r out"
    yield "export r out2"
    assert (place.folder / "out" / "notes.txt").read_text() == "mine"


@advice("{} is an address; name a file or folder of this machine, and copy it from there.")
def export_to_a_bucket(place):
    texts(place)
    yield "export r s3://bucket/out"
    yield "export r out"


@advice("{} is not a release: it has no manifest.json. Name the folder of one version, such as "
        "workspace/6-releases/general/1.0.0.")  # fmt: skip
def export_of_something_else(place):
    place.released()
    yield "tokens w"
    yield "tokens w/6-releases/general/1.0.0"


@advice("{} cannot be read ({}). Run malmoi verify on it and copy the release again.")
def export_of_a_damaged_copy(place):
    texts(place)
    content = (damaged := next((place.folder / "r").glob("data/**/*.parquet"))).read_bytes()
    damaged.write_bytes(b"PAR1")
    yield "export r out"
    damaged.write_bytes(content)
    yield "export r out"


@advice("{}: no document has all the values that were asked for. Leave out an option such as --domain or "
        "--min-quality, or name other licence families with --family.")  # fmt: skip
def export_of_nothing(place):
    texts(place, quality=0.1)
    yield "export r out --min-quality 0.5"
    yield "export r out"


@advice("{} {}: {} has no such document; choose from {}.")
def export_of_an_unknown_domain(place):
    texts(place)
    yield "export r out --domain lwa"
    yield "export r out --domain law"


@advice("{} has no column {}; leave out {}.")
def export_of_a_split(place):
    texts(place)
    yield "export r out --split train"
    yield "export r out"


@advice("--mix and --repeat fill a budget of tokens; name it with --tokens, such as --tokens 1B.")
def mixture_without_budget(place):
    texts(place)
    yield "export r out --tokenizer bytes --mix law=1"
    yield "export r out --tokenizer bytes --mix law=1 --tokens 1B"


@advice("{} tokens; pass --tokenizer bytes, or the path of a tokenizer.json.")
def token_files_without_tokenizer(place):
    texts(place)
    yield "export r out --format megatron"
    yield "export r out --format megatron --tokenizer bytes"


@advice("--tokens {}: not a number of tokens; write one such as 500K, 20M or 1.5B.")
def budget_misspelt(place):
    texts(place)
    yield "export r out --tokenizer bytes --tokens much"
    yield "export r out --tokenizer bytes --tokens 500K"


@advice("--mix {}: write DOMAIN=WEIGHT or DOMAIN@FAMILY=WEIGHT, such as law@open=0.3.")
def part_misspelt(place):
    texts(place)
    yield "export r out --tokenizer bytes --tokens 1K --mix law:1"
    yield "export r out --tokenizer bytes --tokens 1K --mix law@open=0.3,semiconductor=0.7"


@advice("--mix names documents of {} twice; merge {} and {}.")
def part_twice(place):
    texts(place)
    yield "export r out --tokenizer bytes --tokens 1K --mix law=0.5,law@open=0.5"
    yield "export r out --tokenizer bytes --tokens 1K --mix law=1"


@advice("the weights of --mix sum to {}, not to 1; correct them.")
def weights_of_too_much(place):
    texts(place)
    yield "export r out --tokenizer bytes --tokens 1K --mix law=0.7,semiconductor=0.7"
    yield "export r out --tokenizer bytes --tokens 1K --mix law=0.7,semiconductor=0.3"


@advice("--mix {}: no selected document belongs to it; choose from {} ({}: the documents that no other part names). "
        "The selected licence families are {}; --family selects others.")  # fmt: skip
def part_of_nothing(place):
    texts(place)
    yield "export r out --tokenizer bytes --tokens 1K --mix law=0.7,medicine=0.3"
    yield "export r out --tokenizer bytes --tokens 1K --mix law=0.7,general=0.3"


@advice("no document fits into a budget of {} tokens; raise --tokens.")
def budget_of_nothing(place):
    texts(place)
    yield "export r out --tokenizer bytes --tokens 3"
    yield "export r out --tokenizer bytes --tokens 3K"


@advice("--tokenizer {}: no such file; name a tokenizer.json, bytes, kiwi-morphemes, qwen or tekken.")
def tokenizer_missing(place):
    texts(place)
    yield "tokens r --tokenizer byte"
    yield "tokens r --tokenizer bytes"


def write_tokenizer(place, *words: str) -> None:
    names = {name: number for number, name in enumerate(("[UNK]", *words))}
    model = {"type": "WordLevel", "vocab": names, "unk_token": "[UNK]"}
    place.write("tokenizer.json", json.dumps({"version": "1.0", "added_tokens": [], "model": model}))


@advice("{} is not a readable tokenizer.json ({}); name the file of a Hugging Face tokenizer.")
def tokenizer_damaged(place):
    pytest.importorskip("tokenizers")
    texts(place)
    place.write("tokenizer.json", "{")
    yield "tokens r --tokenizer tokenizer.json"
    write_tokenizer(place)
    yield "tokens r --tokenizer tokenizer.json"


@advice("{}: the package tokenizers is not installed. Run pip install 'malmoi[export]', or use --tokenizer bytes.")
def tokenizer_without_package(place):
    texts(place)
    write_tokenizer(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tokenizers", None)
        yield "tokens r --tokenizer tokenizer.json"
        yield "tokens r --tokenizer bytes"


@advice("--tokenizer {}: the package {} is not installed. Run pip install 'malmoi[tokens]', or use --tokenizer bytes.")
def packaged_tokenizer_without_package(place):
    texts(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("malmoi.export.tokenizer.find_spec", lambda name: None)
        yield "tokens r --tokenizer tekken"
        yield "tokens r --tokenizer bytes"


@advice(
    "--tokenizer {}: the installed {} has another vocabulary ({}). Run pip install 'malmoi[tokens]' for a version that "
    "is known."
)
def packaged_tokenizer_of_another_version(place):
    pytest.importorskip("tiktoken")
    texts(place)
    found = SimpleNamespace(origin=str(place.write("dashscope/__init__.py", "")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("malmoi.export.tokenizer.find_spec", lambda name: found)
        yield "tokens r --tokenizer qwen"
    yield "tokens r --tokenizer qwen"


@advice("--end-token {}: {} has no such token; name one of its vocabulary.")
def end_token_unknown(place):
    pytest.importorskip("tokenizers")
    texts(place)
    write_tokenizer(place, "끝")
    yield "export r out --format megatron --tokenizer tokenizer.json --end-token 끄"
    yield "export r out --format megatron --tokenizer tokenizer.json --end-token 끝"


@advice("{} has no token that is known to end a document; name one of its vocabulary with --end-token.")
def end_token_missing(place):
    pytest.importorskip("tokenizers")
    texts(place)
    write_tokenizer(place, "끝")
    yield "export r out --format megatron --tokenizer tokenizer.json"
    yield "export r out --format megatron --tokenizer tokenizer.json --end-token 끝"


@advice("{} counts and has no token ids; pass --tokenizer bytes or a file.")
def morphemes_as_token_ids(place):
    texts(place)
    yield "export r out --format megatron --tokenizer kiwi-morphemes"
    yield "export r out --format megatron --tokenizer bytes"


@advice("{} does not count {} of every document; leave out --tokenizer {}.")
def morphemes_not_counted(place):
    texts(place, n_morphemes=None)
    yield "tokens r --tokenizer kiwi-morphemes --tokenizer bytes"
    yield "tokens r --tokenizer bytes"


@advice("--compression and --flat are of JSON lines; leave them out, or export with --format jsonl.")
def compression_of_another_format(place):
    texts(place)
    yield "export r out --format mds --compression gzip"
    yield "export r out --format jsonl --compression gzip"
