"""Tutorial and command line page: the commands run and print what the pages show; both languages show the same."""

import re

import pytest

from flows.cli.main import app
from tests.builders.small_tutorial import COMMANDS, PAGES, mask, read_blocks, read_calls, run_page

ENGLISH, KOREAN = (page.read_text(encoding="utf-8") for page in PAGES)
ADVICE = "the output has changed; write it anew: python -m tests.builders.small_tutorial"


@pytest.mark.heavy
def test_the_commands_of_the_tutorial_print_what_it_shows(tmp_path):
    ran = list(run_page(ENGLISH, tmp_path.resolve()))
    assert len(ran) >= 10
    for block, printed in ran:
        assert mask(printed) == mask(block.body), ADVICE


def test_both_languages_run_the_same_commands_and_show_the_same_output():
    assert read_calls(KOREAN) == read_calls(ENGLISH)
    shown = [[mask(b.body) for b in read_blocks(page) if b.kind == "text"] for page in (ENGLISH, KOREAN)]
    assert shown[0] == shown[1], ADVICE


def test_what_differs_from_run_to_run_is_masked():
    one = "  5-curated   70 in   3.5 s\n5 seconds. Next:\n  root " + "a" * 64
    other = "  5-curated   70 in   12.0 s\n27 seconds. Next:\n  root " + "0" * 64
    assert mask(one) == mask(other) != mask(one.replace("70 in", "69 in"))


@pytest.mark.heavy
def test_the_command_line_page_shows_the_help_of_every_command(tmp_path):
    page = COMMANDS.read_text(encoding="utf-8")
    for block, printed in run_page(page, tmp_path.resolve()):
        assert mask(printed) == mask(block.body), ADVICE
    shown = set(re.findall(r"^malmoi (.+) --help$", page, re.M))
    names = {name for name in app if not name.startswith("-")}
    assert shown >= names
    for group in ("sources", "recipe", "index", "withdrawals", "review"):
        assert shown >= {f"{group} {name}" for name in app[group] if not name.startswith("-")}
