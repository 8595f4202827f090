"""What commands print: no text of data steers the terminal, and Rich's own colors stay."""

from io import StringIO

import pytest
from rich.table import Table

from flows.cli import main
from flows.console import SafeConsole
from malmoi.errors import SourceError
from malmoi.printable import dump_json, escape_controls, escape_line

STEERING = "가\x1b[2J\x1b]0;t\x07\x9b31m\x7f\u202e나\u2066\ud83d\r"


def printed(*items: object, color: bool = False) -> str:
    to = StringIO()
    SafeConsole(file=to, width=200, force_terminal=color, highlight=False).print(*items, markup=False)
    return to.getvalue()


def steers(text: str) -> bool:
    return any(c not in "\n\t" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0) for c in text) or bool(
        set("\u202e\u2066\u200e\u200f\u061c\u2028") & set(text)
    )


def test_a_printed_line_is_escaped():
    assert not steers(printed(STEERING))
    assert printed("가나\n다") == "가나\n다\n"


def test_a_cell_and_the_title_of_a_table_are_escaped():
    table = Table("이름" + STEERING, title="표" + STEERING)
    table.add_row("값" + STEERING)
    assert not steers(printed(table))


def test_colors_of_our_own_stay():
    to = StringIO()
    SafeConsole(file=to, width=80, force_terminal=True, color_system="standard").print("[red]빨강[/red]")
    assert "\x1b[31m빨강" in to.getvalue()


def test_the_message_of_an_error_is_escaped(capsys: pytest.CaptureFixture[str]):
    def fail() -> None:
        raise SourceError(f"source {STEERING}: no answer")

    assert main.run_guarded(fail) == 3
    assert not steers(capsys.readouterr().err)


@pytest.mark.parametrize("text", ["훈민정음 1446\n\t들여쓰기", "ᄒᆞᆫ글", "👩‍👩‍👧", "é\u0301", "漢字", "\u200d"])
def test_ordinary_text_is_left_alone(text):
    assert escape_controls(text) == text


def test_a_name_stays_on_its_line():
    assert "\n" not in escape_line("a\nb\tc")


def test_json_says_the_same_and_steers_nothing():
    import json

    value = {"text": STEERING.replace("\ud83d", ""), "한글": ["\u2028"]}
    line = dump_json(value)
    assert json.loads(line) == value
    assert not steers(line)
    assert "한글" in line
