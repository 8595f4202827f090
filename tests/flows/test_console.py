"""What commands print: no text of data steers the terminal, and Rich's own colors stay."""

import os
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from rich.table import Table
from rich.text import Text

from flows import console
from flows.cli import main
from flows.console import SafeConsole
from malmoi.errors import SourceError
from malmoi.printable import dump_json, escape_controls, escape_line

STEERING = "가\x1b[2J\x1b]0;t\x07\x9b31m\x7f\u202e나\u2066\ud83d\r"


def printed(*items: object, color: bool = False) -> str:
    to = StringIO()
    SafeConsole(file=to, width=200, force_terminal=color, highlight=False).print(*items)
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


def test_colors_of_our_own_stay_and_brackets_of_a_text_are_no_markup():
    to = StringIO()
    console = SafeConsole(file=to, width=80, force_terminal=True, color_system="standard")
    console.print(Text("빨강", style="red"))
    console.print("[red]빨강[/red]", highlight=False)
    assert "\x1b[31m빨강" in to.getvalue() and "[red]빨강[/red]" in to.getvalue()


def test_the_message_of_an_error_is_escaped(capsys: pytest.CaptureFixture[str]):
    def fail() -> None:
        raise SourceError(f"source {STEERING}: no answer")

    assert main.run_guarded(fail) == 3
    assert not steers(capsys.readouterr().err)


@pytest.mark.parametrize("text", ["훈민정음 1446\n\t들여쓰기", "ᄒᆞᆫ글", "👩‍👩‍👧", "é\u0301", "漢字", "\u200d"])
def test_ordinary_text_is_left_alone(text):
    assert escape_controls(text) == text


def test_a_line_that_cannot_be_written_is_lost_and_said_once(capsys: pytest.CaptureFixture[str]):
    with open("/dev/full", "wb") as full, console._open_stream(full.fileno(), None) as stream:
        out = SafeConsole(file=stream)
        for _ in range(3):
            out.print("가")
    said = "standard output cannot be written (No space left on device); the rest of it is lost. The command goes on."
    assert capsys.readouterr().err == f"malmoi: {said}\n"


def test_a_result_that_cannot_be_written_is_an_error_with_its_own_name():
    full = os.open("/dev/full", os.O_WRONLY)
    stream = console._open_stream(full, None)
    with pytest.raises(console.OutputError, match="standard output"):
        print("가" * 10_000, file=stream, flush=True)
    os.close(full)


def test_a_reader_that_ends_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    with console._open_stream(writer, None) as stream:
        print("가" * 100_000, file=stream, flush=True)
        print("나", file=stream, flush=True)
    os.close(writer)


def test_a_terminal_that_takes_no_more_at_once_is_waited_for():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with ThreadPoolExecutor(1) as pool, os.fdopen(reader, "rb") as stream:
        count = pool.submit(lambda: len(stream.read()))
        with os.fdopen(writer, "wb"), console._open_stream(writer, None) as out:
            print("a" * 1_000_000, file=out, end="")
        assert count.result(timeout=30) == 1_000_000


@pytest.mark.parametrize(
    ("is_terminal", "answer", "agrees"),
    [(True, "y\n", True), (True, "Yes\n", True), (True, "\n", False), (True, "", False), (False, "y\n", False)],
)
def test_a_question_is_for_a_person_at_a_terminal_and_its_default_is_no(monkeypatch, is_terminal, answer, agrees):
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return is_terminal

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", shown := Terminal())
    assert console.ask("Publish it?") is agrees
    assert shown.getvalue() == ("Publish it? [y/N] " if is_terminal else "")


def test_a_name_stays_on_its_line():
    assert "\n" not in escape_line("a\nb\tc")


def test_json_says_the_same_and_steers_nothing():
    import json

    value = {"text": STEERING.replace("\ud83d", ""), "한글": ["\u2028"]}
    line = dump_json(value)
    assert json.loads(line) == value
    assert not steers(line)
    assert "한글" in line
