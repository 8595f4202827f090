"""docs/train-on-a-release.md: its commands and the examples that need PyArrow only run, in their order.

tests/foreign runs the examples for torch and others in environments of their own.
"""

import shlex
import shutil

from flows.cli.main import app, run_guarded
from tests.builders.small_release import sealed
from tests.foreign.pages import read_commands, read_examples

PAGE = "train-on-a-release.md"


def test_the_commands_and_examples_of_the_page_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "made").mkdir()
    shutil.copytree(sealed(tmp_path / "made"), tmp_path / "1.0.0")
    monkeypatch.chdir(tmp_path)
    for line in read_commands(PAGE):
        command = shlex.split(line)[1:]
        status = run_guarded(
            lambda given=command: app(given, exit_on_error=False, print_error=False, result_action="return_value")
        )
        assert status == 0, capsys.readouterr().err
    examples = read_examples(PAGE, "pyarrow")
    assert "np.fromfile" in examples and "load_state_dict" in examples
    exec(examples, {})
    printed = capsys.readouterr().out
    assert "1.0.0" in printed and "texts: 14 documents" in printed and "번째 글이다" in printed
