"""The reader of a training loop: shuffled, shared out among consumers, and exact when it is resumed."""

import json
import pickle
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pyarrow.dataset as ds
import pytest

from malmoi.export import reader as reader_module
from malmoi.export.reader import ReleaseReader
from tests.builders.small_texts import row, write_texts

N = 120
SMALL = 3000  # bytes: a window has a few row groups


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [row(i, license="CC-BY-4.0" if i % 5 else "CC0-1.0") for i in range(N)]
    return write_texts(tmp_path_factory.mktemp("reader"), rows)


def ids(found) -> list[str]:
    return [one["id"] for one in found]


def pass_through_json(state):
    return json.loads(json.dumps(state))


def test_an_epoch_has_every_document_once_in_an_order_of_its_own(release):
    reader = ReleaseReader(release, window=SMALL, seed=7)
    epochs = [ids(reader) for _ in range(3)]
    assert all(sorted(one) == sorted(f"a/{i}" for i in range(N)) for one in epochs)
    assert len({tuple(one) for one in epochs}) == 3
    assert ids(ReleaseReader(release, window=SMALL, seed=7)) == epochs[0]
    assert ids(ReleaseReader(release, window=SMALL, seed=8)) != epochs[0]


def test_the_order_is_mixed_across_files(release):
    reader = ReleaseReader(release, columns=("id", "license"))
    start = Counter(one["license"] for one in islice(reader, 40))
    assert 2 <= start["CC0-1.0"] <= 14  # 8 of 40 are expected


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize("world", [1, 2, 3])
def test_resuming_at_every_cut_loses_and_repeats_nothing(release, world):
    def make(rank):
        return ReleaseReader(release, window=SMALL, seed=3, rank=rank, world_size=world)

    given = []
    for rank in range(world):
        whole = make(rank)
        expected = ids(whole) + ids(whole)  # two epochs
        given += expected
        for cut in range(len(expected) // 2 + 3):
            first = make(rank)
            before = ids(islice(iter(first), cut))
            before += ids(islice(iter(first), cut - len(before)))  # behind the end of the first epoch
            second = make(rank)
            second.load_state_dict(pass_through_json(first.state_dict()))
            rest = ids(second) + ids(second)
            assert (before + rest)[: len(expected)] == expected
    assert Counter(given) == {f"a/{i}": 2 for i in range(N)}


def test_ranks_get_nearly_as_many_documents(release):
    sizes = [len(ids(ReleaseReader(release, window=SMALL, rank=rank, world_size=7))) for rank in range(7)]
    assert sum(sizes) == N
    assert max(sizes) - min(sizes) <= 4


@pytest.fixture
def workers(monkeypatch):
    """Play torch.utils.data: what a worker of a DataLoader sees of itself."""
    torch_data = ModuleType("torch.utils.data")
    torch_data.info = None
    torch_data.get_worker_info = lambda: torch_data.info
    monkeypatch.setitem(sys.modules, "torch.utils.data", torch_data)
    return torch_data


def test_two_workers_of_two_ranks_share_the_documents_and_resume(release, workers):
    """As a stateful loader does it: each worker has a copy of the reader, and its own state."""
    copies = {
        (rank, worker): pickle.loads(pickle.dumps(ReleaseReader(release, window=SMALL, rank=rank, world_size=2)))
        for rank in range(2)
        for worker in range(2)
    }

    def take(copies, steps):
        found = []
        for place, one in copies.items():
            workers.info = SimpleNamespace(id=place[1], num_workers=2)
            found += ids(islice(iter(one), steps))
        return found

    def states(copies):
        found = {}
        for place, one in copies.items():
            workers.info = SimpleNamespace(id=place[1], num_workers=2)
            found[place] = pass_through_json(one.state_dict())
        return found

    first = take(copies, 11)
    saved = states(copies)
    again = {place: ReleaseReader(release, window=SMALL, rank=place[0], world_size=2) for place in copies}
    for place, one in again.items():
        one.load_state_dict(saved[place])
    rest = take(again, N)
    assert len(first) == 44
    assert Counter(first + rest) == {f"a/{i}": 1 for i in range(N)}


def test_a_worker_that_is_at_the_end_does_not_begin_the_next_epoch_before_the_others(release):
    """A loader saves the state of all workers; one that has ended must stay ended when it is resumed."""
    done, behind = (ReleaseReader(release, window=SMALL, rank=rank, world_size=2) for rank in range(2))
    first = ids(done) + ids(islice(iter(behind), 20))
    resumed = [ReleaseReader(release, window=SMALL, rank=rank, world_size=2) for rank in range(2)]
    for one, state in zip(resumed, (done.state_dict(), behind.state_dict()), strict=True):
        one.load_state_dict(pass_through_json(state))
    assert ids(resumed[0]) == []
    assert Counter(first + ids(resumed[1])) == {f"a/{i}": 1 for i in range(N)}
    assert ids(resumed[0]) == ids(done)  # the next epoch


def test_an_epoch_can_be_chosen(release):
    reader, other = ReleaseReader(release), ReleaseReader(release)
    second = [ids(reader) for _ in range(2)][1]
    other.set_epoch(1)
    assert ids(other) == second


def test_a_state_of_another_consumer_or_of_other_settings_is_refused(release, tmp_path):
    state = ReleaseReader(release, rank=0, world_size=2).state_dict()
    other = ReleaseReader(release, rank=0, world_size=4)
    other.load_state_dict(state)
    with pytest.raises(ValueError, match="of consumer 0 of 2, this is consumer 0 of 4; resume with the same number"):
        next(iter(other))
    changed = write_texts(tmp_path, [row(i) for i in range(N + 1)])
    for one in (
        ReleaseReader(release, seed=1, world_size=2),
        ReleaseReader(release, window=SMALL, world_size=2),
        ReleaseReader(release, where=None, world_size=2),
        ReleaseReader(changed, world_size=2),
    ):
        with pytest.raises(ValueError, match="made with another release, seed, window, selection"):
            one.load_state_dict(state)


def test_the_state_moves_with_the_folder(release, tmp_path):
    import shutil

    reader = ReleaseReader(release, window=SMALL)
    before = ids(islice(iter(reader), 50))
    moved = shutil.copytree(release, tmp_path / "elsewhere")
    resumed = ReleaseReader(moved, window=SMALL)
    resumed.load_state_dict(reader.state_dict())
    assert sorted(before + ids(resumed)) == sorted(f"a/{i}" for i in range(N))


def test_rows_are_selected_and_texts_for_training_only_need_asking(tmp_path):
    release = write_texts(tmp_path, [row(i, use="redistribute" if i % 2 else "train-only") for i in range(20)])
    assert len(list(ReleaseReader(release))) == 10
    assert len(list(ReleaseReader(release, where=None))) == 20
    law = (ds.field("domain") == "law") & (ds.field("use") == "redistribute")
    found = list(ReleaseReader(release, columns=("domain", "text"), where=law))
    assert {one["domain"] for one in found} == {"law"}
    assert found[0].keys() == {"domain", "text"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rank": 2, "world_size": 2}, "rank 2 of 2: a rank is at least 0 and below world_size"),
        ({"window": 0}, "window is 0; give 1 to 1073741824 bytes"),
        ({"columns": ("id", "txt")}, "has no column txt; choose from attribution, domain, id"),
    ],
)
def test_what_is_impossible_is_refused(release, wrong, message):
    with pytest.raises(ValueError, match=message):
        ReleaseReader(release, **wrong)


def test_columns_that_only_some_files_have_are_none_elsewhere(tmp_path):
    write_texts(tmp_path, [row(i) for i in range(10)])
    write_texts(tmp_path, [row(i, license="CC0-1.0", split="train") for i in range(10, 15)])
    found = Counter(one["split"] for one in ReleaseReader(tmp_path, columns=("id", "split")))
    assert found == {None: 10, "train": 5}


def test_the_file_works_alone_with_pyarrow(release, tmp_path):
    """Copied beside a training script: no other module of the project is needed."""
    (tmp_path / "reader.py").write_bytes(Path(reader_module.__file__).read_bytes())
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import reader; "
        f"print(len(list(reader.ReleaseReader({str(release)!r})))); "
        "print([m for m in ('malmoi', 'numpy', 'torch', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert done.stdout.split("\n")[0] == str(N), done.stderr
    assert "malmoi" not in done.stdout and "torch" not in done.stdout and "duckdb" not in done.stdout
