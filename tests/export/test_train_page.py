"""docs/train-on-a-release.md: its commands and examples run, in their order. Torch is played by a loader made here."""

import copy
import re
import shlex
import shutil
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from flows.cli.main import app, run_guarded
from tests.builders.small_release import documents, sealed

PAGE = (Path(__file__).parents[2] / "docs" / "train-on-a-release.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.S)
PUBLISHED = {d.id for d in documents() if ("use", "train-only") not in d.labels}


class PlayedLoader:
    """A stateful loader as torchdata documents it: batches of the workers in turn, a state from each worker."""

    def __init__(self, dataset, batch_size, num_workers, collate_fn):
        self.dataset, self._batch, self._collate = dataset, batch_size, collate_fn
        self._workers, self._states = [SimpleNamespace(id=i, num_workers=num_workers) for i in range(num_workers)], None

    def __iter__(self):
        copies = [copy.deepcopy(self.dataset) for _ in self._workers]
        for one, state in zip(copies, self._states or (), strict=False):
            one.load_state_dict(state)
        each, left = [iter(one) for one in copies], list(range(len(copies)))
        while left:
            for number in list(left):
                sys.modules["torch.utils.data"].info = self._workers[number]
                batch = list(islice(each[number], self._batch))
                self._states = [self._ask(i, one) for i, one in enumerate(copies)]
                if not batch:
                    left.remove(number)
                    continue
                yield self._collate(batch)

    def _ask(self, number, dataset):
        sys.modules["torch.utils.data"].info = self._workers[number]
        return dataset.state_dict()

    def state_dict(self):
        return self._states

    def load_state_dict(self, state):
        self._states = state


@pytest.fixture
def torch(monkeypatch):
    data, loader = ModuleType("torch.utils.data"), ModuleType("torchdata.stateful_dataloader")
    data.info, data.get_worker_info, data.IterableDataset = None, lambda: data.info, type("IterableDataset", (), {})
    loader.StatefulDataLoader = PlayedLoader
    for name in ("torch", "torch.utils", "torchdata"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.utils.data", data)
    monkeypatch.setitem(sys.modules, "torchdata.stateful_dataloader", loader)


def test_the_commands_and_examples_of_the_page_run(tmp_path, monkeypatch, capsys, torch):
    (tmp_path / "made").mkdir()
    shutil.copytree(sealed(tmp_path / "made"), tmp_path / "1.0.0")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(block, names)
            continue
        for line in block.splitlines():
            command = shlex.split(line)[1:]
            status = run_guarded(
                lambda given=command: app(given, exit_on_error=False, print_error=False, result_action="return_value")
            )
            assert status == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    assert "1.0.0" in printed and "texts: 14 documents" in printed and "번째 글이다" in printed
    assert len(BLOCKS) == 7
    assert len(names["rest"]) == len({*names["rest"]})
    first = [row["id"] for batch in islice(names["make_loader"](), 3) for row in batch]
    assert {*first} | {*names["rest"]} == PUBLISHED and not {*first} & {*names["rest"]}
