"""The engine as a library (docs/rights-library.md): its example runs, and it imports little."""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

from flows import try_worker

PAGE = (Path(__file__).parents[2] / "docs" / "rights-library.md").read_text(encoding="utf-8")
EXAMPLE, SHOWN = (re.search(rf"```{kind}\n(.*?)```", PAGE, re.S)[1] for kind in ("python", "text"))  # type: ignore[index]
ABSENT = ("scrapy", "kiwipiepy", "prefect", "twisted", "pyarrow")


def test_the_example_of_the_page_prints_what_the_page_shows() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(EXAMPLE, "docs/rights-library.md", "exec"), {})
    assert out.getvalue() == SHOWN


def test_a_decision_loads_neither_the_crawler_nor_the_analyser_nor_the_scheduler() -> None:
    code = f"{EXAMPLE}\nimport sys, json\nprint(json.dumps([m for m in {ABSENT} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_a_line_of_the_command_declares_a_source_or_what_is_trusted() -> None:
    decide = try_worker.decide_rights
    html = '<main><p>갯벌</p><p class="ccl"><a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC</a></p></main>'
    row = {"id": "1", "url": "https://a.example.kr/1", "html": html}
    source = {"proofs": ["rel-license"], "selector": [["", ".ccl"]]}
    given = [
        {},
        {"source": source},
        {"trust": ["rel-license"]},
        {"source": source, "robots": "User-agent: *\nDisallow: /"},
    ]
    said = [decide({**row, **one}) for one in given]
    assert [one["use"] for one in said] == ["exclude", "redistribute", "redistribute", "exclude"]
    assert [one["reason"] for one in said] == ["needs-review", "", "", "opt-out"]
