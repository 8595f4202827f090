"""Cases of tests/advice/test_advice.py: workspaces and the folders of their stages."""

import errno
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from malmoi.workspace import Workspace
from tests.advice.advice import advice, own


@advice("workspace {} is the root of the file system; name a folder below it.")
def workspace_root(place):
    own(place)
    yield "collect own.py --workspace /"
    yield f"collect own.py --workspace {place.folder}/w"


@advice("workspace {}: {} is not a folder; name one.")
def workspace_file(place):
    own(place)
    yield "collect own.py --workspace own.py"
    yield "collect own.py --workspace w"


@advice("{} is not empty and is not a Malmoi workspace; pass another --workspace.")
def workspace_of_others(place):
    own(place)
    yield "collect own.py --workspace pages"
    yield "collect own.py --workspace w"


@advice("{}: not readable ({}); restore it, or pass another --workspace.")
def workspace_mark_damaged(place):
    own(place)
    Workspace.open(place.folder / "w")
    mark = (place.folder / "w" / "malmoi.json").read_text(encoding="utf-8")
    place.write("w/malmoi.json", "{")
    yield "collect own.py --workspace w"
    yield "collect own.py --workspace w2"
    place.write("w/malmoi.json", mark)
    yield "collect own.py --workspace w"


@advice("{} has layout {}, this version uses {}; pass another --workspace.")
def workspace_layout(place):
    own(place)
    Workspace.open(place.folder / "w")
    place.write("w/malmoi.json", '{"format": 99}')
    yield "collect own.py --workspace w"
    yield "collect own.py --workspace w2"


@advice("{} can be read by others (mode {}) and belongs to another user; it holds texts before redaction. Let its "
        "owner run `chmod 700 {}`, or pass a workspace of your own with --workspace.")  # fmt: skip
def workspace_of_another_user(place):
    def refuse(path, mode):
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    own(place)
    root = Workspace.open(place.folder / "w").root
    root.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:  # the superuser may change every mode, so the refusal is played
        patch.setattr(Path, "chmod", refuse)
        yield "collect own.py --workspace w"
        yield "collect own.py --workspace w2"
        os.chmod(root, 0o700)
        yield "collect own.py --workspace w"


@advice("{} is in use by another run ({}); wait for it (--wait SECONDS), or pass another --workspace.")
def workspace_in_use(place):
    own(place)
    with Workspace.open(place.folder / "w").lock():
        yield "collect own.py --workspace w"
        yield "collect own.py --workspace w2"
    yield "collect own.py --workspace w --wait 60"


@advice("{}: {}. Delete {} and run again: it is created anew.")
def ledger_damaged(place):
    w = place.released()
    ledger = next(w.glob("3-clean/*/ledger.json"))
    ledger.write_text("{", encoding="utf-8")
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(ledger.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: not a ledger: not UTF-8. Delete {} and run again: it is created anew.")
def ledger_not_utf8(place):
    w = place.released()
    ledger = next(w.glob("3-clean/*/ledger.json"))
    ledger.write_bytes(b"\xff\xfe")
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(ledger.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("not a ledger: its digest does not match (it was changed), or an older version wrote none")
def ledger_changed(place):
    w = place.released()
    ledger = next(w.glob("3-clean/*/ledger.json"))
    ledger.write_text(ledger.read_text(encoding="utf-8").replace('"kept"', '"kept "', 1), encoding="utf-8")
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(ledger.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("not a ledger: {}")
def ledger_cut_off(place):
    w = place.released()
    ledger = next(w.glob("4-judged/*/ledger.json"))
    ledger.write_bytes(ledger.read_bytes()[:99])
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(ledger.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}/ledger.json: of another folder. Delete {} and run again: it is created anew.")
def ledger_of_another_folder(place):
    w = place.released()
    mine, other = (next(w.glob(f"{stage}/*/ledger.json")) for stage in ("3-clean", "4-judged"))
    shutil.copy(other, mine)
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(mine.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: missing or not of {} bytes. Delete {} and run again: it is created anew.")
def shard_damaged(place):
    w = place.released()
    shard = next(w.glob("4-judged/*/documents.parquet"))
    shard.write_bytes(shard.read_bytes()[:-9])
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(shard.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: its sha256 differs from {}; {}")
def shard_changed(place):
    w = place.released()
    shard = next(w.glob("4-judged/*/documents.parquet"))
    shutil.rmtree(w / "5-curated")
    shard.write_bytes(shard.read_bytes()[::-1])
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(shard.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: its sha256 differs from {}; {}")
def sketch_changed(place):
    w = place.released()
    sketch = sketches(w)[0]
    sketch.write_bytes(sketch.read_bytes()[::-1])
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(sketch.parent)
    yield "curate general --source small.py --workspace w --workers 1"


def sketches(w: Path) -> list[Path]:
    found = sorted(w.glob("surveys/*/sketch.parquet"))
    assert len(found) > 1
    return found


@advice("{}: missing; {}")
def sketch_missing(place):
    w = place.released()
    sketch = next(path for path in sketches(w) if "signature" in pq.read_schema(path).names)
    sketch.unlink()
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(sketch.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: cannot be read ({}); {}")
def sums_damaged(place):
    w = place.released()
    sums = sketches(w)[0].with_name("sums.json")
    sums.write_text("{", encoding="utf-8")
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(sums.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{}: changed since it was written; {}")
def sums_changed(place):
    w = place.released()
    sums = sketches(w)[0].with_name("sums.json")
    sums.write_text(sums.read_text(encoding="utf-8").replace("sketch", "sketsh"), encoding="utf-8")
    yield "curate general --source small.py --workspace w --workers 1"
    shutil.rmtree(sums.parent)
    yield "curate general --source small.py --workspace w --workers 1"


@advice("{} is not a workspace yet; `{}` makes one. `malmoi sources` lists the catalogue.")
def status_of_nothing(place):
    own(place)
    yield "status --workspace 'my ws'"
    yield "{advised} SOURCE=own.py"
    yield "status --workspace 'my ws'"


@advice(
    "{} is not a workspace; name one with --workspace, or make one: `malmoi run RECIPE --source SOURCE --workspace {}`."
)
def index_of_nothing(place):
    place.released()
    yield "index"
    yield "index --workspace w"
