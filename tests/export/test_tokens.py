"""Tokens: built-in counts, a tokenizer.json of the user, several side by side; nothing is downloaded."""

import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from flows.cli.main import app, run_guarded
from flows.cli.options import out
from flows.export import Plan, count, export
from malmoi.errors import CallError
from malmoi.export.selection import Selection
from malmoi.export.tokenizer import open_tokenizer
from tests.builders.small_texts import row, write_texts
from tests.export.test_export import read_megatron

ROWS = [row(i, license="CC0-1.0" if i % 2 else "CC-BY-SA-4.0") for i in range(24)]
END = "<|endoftext|>"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("tokens"), ROWS)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level BPE, trained here, that would truncate, pad and add special tokens if it were let."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=[END], initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()
    )
    model.train_from_iterator([one["text"] for one in ROWS], trainer)
    model.post_processor = tokenizers.processors.TemplateProcessing(f"$A {END}", special_tokens=[(END, 0)])
    model.enable_truncation(5)
    model.enable_padding(length=8, pad_token=END)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    model.save(str(path))
    return path


def called(*arguments: str) -> int:
    return run_guarded(lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value"))


def test_bytes_and_morphemes_are_counted_without_reading_a_text(release):
    found = count(release, Selection(), ["bytes", "kiwi-morphemes"])
    expected = {name: sum(one[name] for one in ROWS) for name in ("n_bytes", "n_morphemes", "n_chars")}
    assert found["total"] == {
        "documents": 24,
        "characters": expected["n_chars"],
        "tokens": {"bytes": expected["n_bytes"], "kiwi-morphemes": expected["n_morphemes"]},
    }
    assert [one["family"] for one in found["by_family"]] == ["open", "share-alike"]
    for key in ("by_family", "by_domain", "by_family_and_domain"):
        assert sum(one["tokens"]["bytes"] for one in found[key]) == expected["n_bytes"]


def test_a_tokenizer_counts_beside_the_built_in_ones(release, vocabulary, capsys, monkeypatch):
    monkeypatch.setattr(out, "width", 160)  # of the terminal; a narrow one folds the label
    digest = hashlib.sha256(vocabulary.read_bytes()).hexdigest()
    assert called("tokens", str(release), "--tokenizer", "bytes", "--tokenizer", str(vocabulary), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    label = f"tokenizer.json {digest[:8]}"
    assert found["tokenizers"][label] == {"name": "tokenizer.json", "sha256": digest, "vocabulary": 300, "end": 0}
    assert 24 * 5 < found["total"]["tokens"][label] < found["total"]["tokens"]["bytes"]
    assert called("tokens", str(release), "--tokenizer", "bytes", "--tokenizer", str(vocabulary)) == 0
    table = capsys.readouterr().out
    assert f"{found['total']['tokens'][label]:,}" in table and label in table and "semiconductor" in table


def test_token_files_of_a_tokenizer_decode_to_the_texts(release, vocabulary, tmp_path):
    import tokenizers

    both = Selection(families=("open", "share-alike"))
    facts = export(release, tmp_path / "out", Plan("megatron", both, str(vocabulary)))
    sequences, _ = read_megatron(tmp_path / "out")
    model = tokenizers.Tokenizer.from_file(str(vocabulary))
    assert sorted(model.decode(one[:-1]) for one in sequences) == sorted(one["text"] for one in ROWS)
    assert {one[-1] for one in sequences} == {0}
    assert facts["plan"]["tokenizer"]["sha256"] == hashlib.sha256(vocabulary.read_bytes()).hexdigest()


def test_a_special_token_that_a_text_spells_stays_text(vocabulary):
    (found,) = open_tokenizer(str(vocabulary)).encode([f"가 {END} 나"])
    assert 0 not in found.tolist()


# Texts that separate tokenizers: decomposed Hangul, old Hangul, emoji, white space, contractions, special tokens.
ODD = [
    "말뭉치를 모은다.", "\u1112\u1161\u11ab\u1100\u1173\u11af", "나랏〮말〯ᄊᆞ미", "가" * 300,
    "I'll say\t\n\n  2026년 1,234원", "👩‍👩‍👧 漢字", "", "<|endoftext|></s>[INST]", " \n" * 50,
]  # fmt: skip


@pytest.mark.heavy
def test_tekken_gives_the_ids_of_its_package():
    tekken = pytest.importorskip("mistral_common.tokens.tokenizers.tekken")
    path = Path(tekken.__file__).parents[2] / "data" / "tekken_240911.json"
    reference, found = tekken.Tekkenizer.from_file(path), open_tokenizer("tekken")
    assert [one.tolist() for one in found.encode(ODD)] == [reference.encode(one, bos=False, eos=False) for one in ODD]
    digest = "1948e2d48b0e7377f1bb5f1210f1ae5f984934e75713fc07e2452729b8365316"
    assert asdict(found.facts) == {"name": "tekken", "sha256": digest, "vocabulary": 131072, "end": reference.eos_id}


def test_qwen_gives_the_ids_of_its_package():
    qwen = pytest.importorskip("dashscope.tokenizers").get_tokenizer("qwen-turbo")
    found = open_tokenizer("qwen")
    expected = [qwen.encode(one, allowed_special=set()) for one in ODD]
    assert [one.tolist() for one in found.encode(ODD)] == expected
    assert found.facts.name == "qwen" and found.facts.vocabulary == found.facts.end + 1 == qwen.eod_id + 1
    assert found.facts.sha256 == "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"


def test_white_space_without_end_does_not_stop_a_packaged_tokenizer():
    pytest.importorskip("tiktoken")
    (found,) = open_tokenizer("qwen").encode([" " * 1_200_000 + "끝"])
    assert 0 < len(found) < 100_000


@pytest.mark.heavy
def test_the_packaged_tokenizers_count_side_by_side(release, capsys, tmp_path):
    pytest.importorskip("tiktoken")
    both = ("--tokenizer", "tekken", "--tokenizer", "qwen")
    assert called("tokens", str(release), *both, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["tokenizers"].values()] == ["qwen", "tekken"]
    for label, facts in found["tokenizers"].items():
        name = facts["name"]
        tokens = sum(len(one) for one in open_tokenizer(name).encode([one["text"] for one in ROWS]))
        assert label == f"{name} {facts['sha256'][:8]}" and found["total"]["tokens"][label] == tokens
        export(release, tmp_path / name, Plan("megatron", Selection(families=("open", "share-alike")), name))
        sequences, _ = read_megatron(tmp_path / name)
        assert {one[-1] for one in sequences} == {facts["end"]}
        assert sum(map(len, sequences)) == tokens + len(ROWS)


def test_a_large_vocabulary_takes_32_bits(tmp_path, release):
    tokenizers = pytest.importorskip("tokenizers")
    words = {END: 0, "[UNK]": 1} | {f"w{i}": i for i in range(2, 65500)} | {"글이다.": 70000}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, "[UNK]"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    model.save(str(tmp_path / "words.json"))
    facts = export(release, tmp_path / "out", Plan("megatron", tokenizer=str(tmp_path / "words.json")))
    sequences, _ = read_megatron(tmp_path / "out")
    assert facts["layout"]["dtype"] == "int32"
    assert {token for one in sequences for token in one} == {0, 1, 70000}


def test_the_token_that_ends_a_document_can_be_named(release, vocabulary, tmp_path):
    plan = Plan("megatron", tokenizer=str(vocabulary), end_token="a")
    facts = export(release, tmp_path / "out", plan)
    sequences, _ = read_megatron(tmp_path / "out")
    assert {one[-1] for one in sequences} == {facts["plan"]["tokenizer"]["end"]} != {0}


def test_a_missing_package_is_said_with_the_way_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CallError, match=r"not installed\. Run pip install 'malmoi\[export\]', or use --tokenizer byt"):
        open_tokenizer(str(tmp_path / "tokenizer.json"))


def test_every_option_of_the_command_reaches_the_plan(tmp_path, monkeypatch, capsys):
    plans = []
    facts = {"documents": 1, "characters": 1, "tokens": {}, "parts": [], "by_family": [], "left_out": {}}
    monkeypatch.setattr("flows.export.export", lambda release, target, plan: plans.append(plan) or facts)
    options = (
        "--format mds --use train-only --use redistribute --licence MIT --family open --domain law --domain life "
        "--split train --min-quality 0.5 --tokenizer t.json --end-token </s> --tokens 1B --mix law=1 --repeat 2 "
        "--seed 3 --compression zstd --flat --shard-size 64"
    )
    assert called("export", "r", "out", *options.split()) == 0
    selection = Selection(("train-only", "redistribute"), ("MIT",), ("open",), ("law", "life"), ("train",), 0.5)
    assert plans == [Plan("mds", selection, "t.json", "</s>", "1B", "law=1", 2, 3, "zstd", True, 64_000_000)]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan("megatron"), "--format megatron writes tokens; pass --tokenizer bytes"),
        (Plan(tokens="1K"), "--tokens counts tokens; pass --tokenizer bytes"),
        (Plan(mix="law=1", tokenizer="bytes"), "fill a budget of tokens; name it with --tokens"),
        (Plan("megatron", tokenizer="kiwi-morphemes"), "has no token ids; pass --tokenizer bytes or a file"),
        (Plan(tokenizer="no.json"), "no.json: no such file; name a tokenizer.json"),
        (Plan(selection=Selection(splits=("train",))), "has no column split; leave out --split"),
        (Plan(selection=Selection(domains=("lwa",))), "--domain lwa: .* choose from law, semiconductor"),
        (Plan(selection=Selection(families=("free",))), "--family free: .* choose from open, share-alike"),
        (Plan(selection=Selection(min_quality=2)), "no document has all the values"),
    ],
)
def test_what_cannot_be_exported_is_said_with_what_to_do(release, tmp_path, plan, message):
    with pytest.raises(CallError, match=message):
        export(release, tmp_path / "out", plan)
    assert not list(tmp_path.iterdir())
