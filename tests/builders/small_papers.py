"""Papers of a village and of a plant: near copies, exact ones, and some with a resident number; and a run over them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows import run as runs
from flows.collect import collect
from flows.curate import curate
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from flows.release import release
from malmoi.workspace import Workspace

DATA = Path(__file__).parents[1] / "data" / "papers"
VILLAGE, PLANT, CHANGES = (
    (DATA / f"{name}.txt").read_text("utf-8").splitlines() for name in ("village", "plant", "changes")
)
RESIDENT = "주민등록번호는 900101-1234567이다."
SOURCE = '''"""Papers of a village and of a plant, all under CC BY 4.0."""
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source(
    name="papers", title="문서", publisher="시험", access=Folder(Path({folder!r})),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),),
    rule=LicenceRule(("licence-file",)),
)
'''
CLEAN, CURATED = ("rights", "normalise"), ("near_duplicates", "redact")
JUDGED = ("exact_duplicates", "personal_data", "quarantine")


def paper(sentences: list[str], changed: dict[int, int] | None = None, *, resident: bool = False) -> str:
    """Sixteen sentences, some exchanged for others, and where asked for a resident number below the eighth."""
    said = [line.format(place="한내나루터", thing="물레방아") for line in sentences]
    for at, change in (changed or {}).items():
        said[at] = CHANGES[change]
    return "\n".join([*said[:8], *([RESIDENT] if resident else []), *said[8:]])


OTHER = VILLAGE[:8] + PLANT[:8]
# 02 and 03 are near copies of 01, but not of each other; 04 is an exact copy of 01, which has a resident number.
# 12, which has one too, and 13 are near copies of 11; 14 is an exact copy of 13, and 32 a near copy of 31.
PAPERS = {
    "01": paper(VILLAGE, resident=True),
    "02": paper(VILLAGE, {4: 0}),
    "03": paper(VILLAGE, {10: 3}),
    "04": paper(VILLAGE, resident=True).replace("\n", "\n\n"),
    "11": paper(PLANT, resident=True),
    "12": paper(PLANT, {0: 1}, resident=True),
    "13": paper(PLANT),
    "14": paper(PLANT).replace("\n", "\n\n"),
    "31": paper(OTHER),
    "32": paper(OTHER, {3: 2}),
}


def written(root: Path, papers: dict[str, str], *, judged: str = "") -> tuple[str, str]:
    """A source with these papers, and a recipe without dear filters; `judged` is put behind those of that list."""
    folder = root / "papers"
    folder.mkdir(parents=True)
    for name, said in papers.items():
        (folder / f"{name}.txt").write_text(said + "\n", encoding="utf-8")
    (folder / "LICENCE.txt").write_text("CC BY 4.0으로 이용할 수 있다.\n", encoding="utf-8")
    stages = {"clean": CLEAN, "judged": JUDGED, "curated": CURATED}
    steps = {stage: "".join(f'[[{stage}]]\nfilter = "{name}"\n' for name in found) for stage, found in stages.items()}
    steps["judged"] += judged
    (root / "papers.py").write_text(SOURCE.format(folder=str(folder)), encoding="utf-8")
    head = 'name = "papers"\npurpose = "Papers."\nshards = 2\n[publisher]\nname = "A"\ncontact = "a@example.org"\n'
    (root / "papers.toml").write_text(head + "".join(steps.values()), encoding="utf-8")
    return str(root / "papers.py"), str(root / "papers.toml")


def run(source: str, recipe_name: str, workspace: Path, *, workers: int = 0):
    """The whole corridor, in this process where there are no workers."""
    home, recipe, quiet = Workspace.open(workspace), runs.recipe_of(recipe_name), Progress(quiet=True)
    worker_pool.configure(workers)
    try:
        collect(home, source, quiet)
        curated = curate(home, recipe, (source,), executors.thread_mapper(max(1, workers)), quiet)
        made = release(home, recipe, (source,), curated, executors.thread_mapper(1), quiet)
    finally:
        worker_pool.configure(None)
    return home, recipe, curated, made


WITHHELD = {f"[withheld {n}]": name for n, name in enumerate(("01", "04", "11", "12"), 1)}


def numbers(ids, withheld=WITHHELD) -> set[str]:
    """The papers with these ids; those with a resident number, and their exact copies, are called by a number."""
    plain = (id.removeprefix("papers/").removesuffix(".txt") for id in ids)
    return {withheld.get(id, id) for id in plain}


def data(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("data/**/*.parquet"))])


def audit(folder: Path, name: str) -> list[dict]:
    return pq.read_table(folder / "audit" / f"{name}.parquet").to_pylist()
