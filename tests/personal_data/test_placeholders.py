"""What stands in the place of a key is none for either detector; keys of real shapes are."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filters import personal_data
from filters.pii_rules.secret_checks import is_placeholder
from malmoi.document import Document, Provenance
from malmoi.releases.residue import kinds
from malmoi.releases.residue.random_words import SHAPES as SHAPE_NAMES
from malmoi.releases.residue.random_words import find_shape, is_stand_in
from tests.builders.rows import each_row

CASES = [
    json.loads(x) for x in (Path(__file__).parents[1] / "data/pii/placeholders.jsonl").read_text("utf-8").splitlines()
]
TUTORIALS = Path(__file__).parents[1] / "data/pii/tutorials.txt"
SLOT = re.compile("@(key|hex|upper)[0-9]*@")
LETTERS, DIGITS = string.ascii_letters, string.digits
ALNUM, HEX, UPPER = LETTERS + DIGITS, "0123456789abcdef", string.ascii_uppercase
SECRET = {"key", "url_secret"}
Draw = Callable[[str, int], str]
SHAPES: dict[str, Callable[[Draw], str]] = {
    "aws id": lambda d: "aws_access_key_id=AKIA" + d(UPPER + "234567", 16),
    "aws temporary id": lambda d: "ASIA" + d(UPPER + "234567", 16),
    "aws secret": lambda d: "aws_secret_access_key = " + d(ALNUM + "+/", 40),
    "github": lambda d: "ghp_" + d(ALNUM, 36),
    "github application": lambda d: "ghs_" + d(ALNUM, 36),
    "github fine-grained": lambda d: f"github_pat_{d(ALNUM, 22)}_{d(ALNUM, 59)}",
    "gitlab": lambda d: "glpat-" + d(ALNUM + "_-", 20),
    "openai": lambda d: "OPENAI_API_KEY=sk-" + d(ALNUM, 48),
    "openai project": lambda d: "sk-proj-" + d(ALNUM + "_-", 64),
    "slack": lambda d: f"xoxb-{d(DIGITS, 12)}-{d(DIGITS, 12)}-{d(ALNUM, 24)}",
    "google": lambda d: "AIza" + d(ALNUM + "_-", 35),
    "npm": lambda d: "npm_" + d(ALNUM, 36),
    "hugging face": lambda d: "HF_TOKEN=hf_" + d(LETTERS, 34),
    "sendgrid": lambda d: f"SG.{d(ALNUM, 22)}.{d(ALNUM, 43)}",
    "stripe": lambda d: "sk_live_" + d(ALNUM, 24),
    "webhook": lambda d: "whsec_" + d(ALNUM, 32),
    "shopify": lambda d: "shpat_" + d(HEX, 32),
    "telegram": lambda d: f"{d('123456789', 9)}:AA{d(ALNUM, 33)}",
    "pypi": lambda d: "pypi-" + d(ALNUM + "_-", 120),
    "digital ocean": lambda d: "dop_v1_" + d(HEX, 64),
    "google session": lambda d: "ya29." + d(ALNUM + "_-", 60),
    "32 hexadecimal digits": lambda d: "api_key=" + d(HEX, 32),
    "40 hexadecimal digits": lambda d: "secret_key: " + d(HEX, 40),
    "64 hexadecimal digits": lambda d: f'"access_key": "{d(HEX, 64)}"',
    "identifier": lambda d: "api_key=" + "-".join(d(HEX, n) for n in (8, 4, 4, 4, 12)),
    "letters and digits": lambda d: "client_secret = " + d(ALNUM, 23) + d(DIGITS, 1),
    "small letters and digits": lambda d: "client_secret=" + d(string.ascii_lowercase + DIGITS, 32),
    "base 64": lambda d: "client_secret=" + d(ALNUM + "+/", 42) + d(ALNUM, 1) + "=",
    "base 64 for addresses": lambda d: "secret_key=" + d(ALNUM + "_-", 43),
    "token in an address": lambda d: "https://a.kr/v1?token=" + d(ALNUM, 24),
    "service key in an address": lambda d: "https://a.kr/v1?serviceKey=" + d(ALNUM, 40) + "%3D%3D",
    "authentication key": lambda d: "인증키: " + d(ALNUM, 32),
}


def secrets(text: str) -> set[str]:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return {span.kind.removeprefix("pii:") for span in personal_data.mark(doc)} & SECRET


def test_there_are_enough_placeholders_and_shapes() -> None:
    assert len(CASES) >= 60 and len(SHAPES) >= 30


@each_row("case", CASES, ids=lambda c: ascii(c["text"])[:50])
def test_both_detectors_judge_alike_what_is_a_secret(case: dict[str, Any]) -> None:
    """`fails` names the detector that is known to be wrong; the day it is right, the case says so."""
    is_secret, fails = case.get("secret", False), case.get("fails", [])
    found = {"first": bool(secrets(case["text"])), "second": bool(SECRET.intersection(kinds(case["text"])))}
    assert {name for name, says in found.items() if says != is_secret} == set(fails), case["why"]


def read_tutorial() -> tuple[list[str], list[str]]:
    """The lines of tutorials without a key, and those with a place for one."""
    lines = [line for line in TUTORIALS.read_text("utf-8").splitlines() if not line.startswith("### ")]
    return [x for x in lines if not SLOT.search(x)], [x for x in lines if SLOT.search(x)]


def test_the_second_detector_finds_nothing_in_tutorials_without_keys() -> None:
    plain, _ = read_tutorial()
    assert len(plain) >= 150
    assert {line: found for line in plain if (found := list(kinds(line)))} == {}
    assert list(kinds("\n".join(plain))) == []


DRAWS = {
    "@key@": (ALNUM, 32), "@key36@": (ALNUM, 36), "@key40@": (ALNUM + "+/", 40), "@hex32@": (HEX, 32),
    "@upper16@": (UPPER + "234567", 16),
}  # fmt: skip


@each_row("line", read_tutorial()[1])
def test_the_second_detector_finds_random_keys_in_tutorials(line: str) -> None:
    dice = random.Random(line)
    for _ in range(100):
        text = SLOT.sub(lambda slot: "".join(dice.choices(*DRAWS[slot[0]][:1], k=DRAWS[slot[0]][1])), line)
        assert SECRET.intersection(kinds(text)), text


@pytest.mark.heavy
@each_row("shape", SHAPES)
def test_random_keys_of_real_shapes_are_found(shape: str) -> None:
    dice = random.Random(shape)
    for _ in range(40):
        text = SHAPES[shape](lambda letters, n: "".join(dice.choices(letters, k=n)))
        assert secrets(f"설정: {text} 입니다"), text


@pytest.mark.heavy
@each_row("measure", [is_placeholder, is_stand_in])
@each_row("letters", [ALNUM, HEX, UPPER + "234567", ALNUM + "+/", string.ascii_lowercase + DIGITS])
@each_row("length", [20, 32, 64])
def test_random_text_is_no_placeholder(measure: Callable[[str], bool], letters: str, length: int) -> None:
    dice = random.Random(7)
    assert not any(measure("".join(dice.choices(letters, k=length))) for _ in range(2_000))


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize("letters", [ALNUM, LETTERS + "-V", "aAV-1", LETTERS + "_./", "xX-", DIGITS + "aB."])
def test_any_value_can_be_judged(letters: str) -> None:
    dice = random.Random(letters)
    for length in (*range(1, 16), 20, 40):
        for _ in range(300):
            word = "".join(dice.choices(letters, k=length))
            assert {is_stand_in(word), is_stand_in(word, is_password=True)} <= {True, False}, word
            assert find_shape("key", word) in (*SHAPE_NAMES, ""), word


def test_a_password_of_words_is_a_password() -> None:
    for text in ("비밀번호: correct-horse-battery7", "password: Maru-dasom-77", "비밀번호: maru1234"):
        assert secrets(text), text
