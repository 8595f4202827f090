"""Tools that know nothing of Malmoi read the release of the demo offline, by the examples of the docs."""

import contextlib
import json
import os
import shlex
import shutil
import socket
from pathlib import Path

import pyarrow.dataset as ds
import pytest

import malmoi.export.reader
from tests.builders.small_corpus import malmoi as run_malmoi
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_storage import free_ports
from tests.foreign.environments import NAMES, run_offline
from tests.foreign.pages import read_commands, read_examples

pytestmark = pytest.mark.heavy

READING, TRAINING = "releases.md", "train-on-a-release.md"
EXAMPLES = [(page, tool) for page in (READING, TRAINING) for tool in NAMES if read_examples(page, tool)]

ALL, TRAIN = ds.field("use") == "redistribute", ds.field("split") == "train"
ALIKE = ds.field("license") == "CC-BY-SA-4.0"
FIELD = ds.field("domain") == "semiconductor"
# For each script an expression over the names that it leaves, which lists ids, and the rows that these must be.
FOUND = {
    (READING, "datasets"): {
        "texts['id']": TRAIN & ~ALIKE,
        "alike['id']": TRAIN & ALIKE,
        "field['id']": TRAIN & ~ALIKE & FIELD,
        "(row['id'] for row in one)": TRAIN & (ds.field("license") == "LicenseRef-KOGL-1"),
    },
    (READING, "duckdb"): {
        "(row[0] for row in duckdb.sql(\"SELECT id FROM 'data/redistribute/**/*.parquet'\").fetchall())": ALL
    },
    (READING, "polars"): {"texts['id']": ds.field("register") == "technical"},
    (READING, "pyarrow"): {
        "by_domain['id'].to_pylist()": ds.field("n_chars") > 20,
        "(row['id'] for row in whole)": TRAIN,
    },
    (TRAINING, "pyarrow"): {"[*first, *rest]": ALL},
    (TRAINING, "torch"): {
        "(*(row['id'] for batch in itertools.islice(make_loader(), 3) for row in batch), *rest)": ALL,
        "streamed": TRAIN & ~ALIKE,
        "sampled": ~ALIKE & (ds.field("quality") >= 0.5),
    },
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the docs assume it: the release of the demo, its exports, and the one file that they let one copy."""
    root = tmp_path_factory.mktemp("foreign")
    env = {**os.environ, "MALMOI_SAMPLE_PORT": str(free_ports(1)[0])}
    made = run_malmoi("demo", "--workspace", root / "w", env=env)
    assert made.returncode == 0, made.stderr
    desk = root / "desk"
    shutil.copytree(root / "w/6-releases/general/1.0.0", desk / "1.0.0")
    with contextlib.chdir(desk):
        for command in read_commands(TRAINING):
            done = malmoi_in_process(*shlex.split(command)[1:])
            assert done.returncode == 0, done.stderr
    (desk / "malmoi/export").mkdir(parents=True)
    shutil.copy(malmoi.export.reader.__file__, desk / "malmoi/export/reader.py")
    return desk


@pytest.mark.parametrize(("page", "tool"), EXAMPLES)
def test_a_tool_finds_the_documents_by_the_examples_of_the_docs(desk, tmp_path, page, tool):
    folder = desk / "1.0.0" if page == READING else desk
    found = "".join(f"print(json.dumps(sorted({expression})))\n" for expression in FOUND[page, tool])
    script = desk / f"{Path(page).stem}-{tool}.py"
    script.write_text(f"{read_examples(page, tool)}\n\nimport itertools, json\n\n{found}", encoding="utf-8")
    printed = run_offline(tool, script, folder=folder, home=tmp_path).splitlines()
    texts = ds.dataset(desk / "1.0.0/data", format="parquet")
    for line, where in zip(printed[-len(FOUND[page, tool]) :], FOUND[page, tool].values(), strict=True):
        expected = sorted(texts.to_table(["id"], filter=ALL & where)["id"].to_pylist())
        assert json.loads(line) == expected and expected


def test_the_validators_accept_the_release(desk, tmp_path):
    for script in sorted(Path(__file__).parent.glob("validate_*.py")):
        run_offline(script.stem.removeprefix("validate_"), script, str(desk / "1.0.0"), folder=desk, home=tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_has_no_malmoi_and_no_network(tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        (tmp_path / "look.py").write_text(
            "import importlib.util, socket\n"
            "print(importlib.util.find_spec('malmoi'))\n"
            f"try:\n    socket.create_connection(('127.0.0.1', {port}), timeout=5)\n"
            "except OSError:\n    print('offline')\n",
            encoding="utf-8",
        )
        printed = run_offline(name, tmp_path / "look.py", folder=tmp_path, home=tmp_path)
    assert printed.split() == ["None", "offline"]
