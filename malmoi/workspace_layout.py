"""Paths of a workspace: no other module names its folders or searches them.

    1-captures/<source>/<run>/   pages.warc.gz, index.parquet, run.json; beside the runs .summary.json
    2-documents/<key>/           documents.parquet, dropped.parquet, ledger.json, .facts-*.json
    3-clean/<key>/  4-judged/<key>/  5-curated/<key>/     the same
    6-releases/<name>/<version>/ and the link `latest` to one of them; costs/<version>.json
    rejected/<name>/<version>-<root>/    releases that fail an expectation of their recipe, and why
    surveys/<key>/               sketches, tables and indexes of archives, immutable, by digest; .slices.json
    surveys/index/<survey>/<release>/<version>-<root>/    the deduplication index of published releases
    withdrawals.parquet          tombstones: documents, addresses and values that must not appear again
    erasure.key                  the secret key of erased values
    erasure-plan.json            what an erasure that is under way was asked for; gone at its end
    rechecks/<root>/<number>/    answers of the hosts of a release that were asked again for their policy files
    samples/<name>/<version>.json    judged samples of releases: answers of people, never published as they are
    inspections/<name>/<version>.json    inspections of releases: the same
    ablations/<name>/<version>.json    results of ablations of releases, which the next card states
    reviews.jsonl                decisions of persons about documents that need a review
    terms.json                   the operator's checks of the terms of sources
    probes/<source>.json         result of the last probe of a source
    reports/                     pages and lists for the operator; their texts and ids are not published
    tmp/                         unfinished files and folders
    .parts/<name>/<key>/         results for each shard, kept by the latest release of a name; may be deleted
    .bucket.sqlite               in a local copy of a bucket: the record of its objects (malmoi/storage/downloads.py)

A key is a digest of everything on which the content of the folder depends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

Stage: TypeAlias = Literal["2-documents", "3-clean", "4-judged", "5-curated"]
STAGES: tuple[Stage, ...] = get_args(Stage)
LEDGER = "ledger.json"  # written last: a folder of a stage is finished only with it
# Beside the ledger, measured from the shard (malmoi/storage/shard_facts.py):
MATCHES = ".facts-matches.json"  # the documents that tombstones of texts or values match
RIGHTS = ".facts-rights.json"  # counts of licences and uses
SPREADS = ".facts-spreads.json"  # distributions of measures that have a threshold
LATEST = "latest"  # link to the highest version of a release
CAPTURES, RELEASES = "1-captures", "6-releases"
FORMAT = 1  # layout of the workspace
MARK, MARK_TEXT = "malmoi.json", f'{{"format": {FORMAT}}}\n'  # the file that makes a folder a workspace
SYNC = ".bucket.sqlite"
ADDED = ("withdrawn.json", "manifest.dsse.json", "manifest.dsse.json.tsr")  # files that a finished release gets later
# Files of a collection run that the crawler writes and `collect` reads.
PAGES, STATS, BLOCKED = "pages.warc.gz", "stats.json", "blocked.jsonl"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below the root of a workspace, which need not exist."""

    root: Path

    @property
    def mark(self) -> Path:
        """The file that makes a folder a workspace."""
        return self.root / MARK

    @property
    def tmp(self) -> Path:
        """Folder of unfinished files and folders; nothing in it counts as finished."""
        return self.root / "tmp"

    def captures(self, source: str) -> Path:
        """Folder of the collection runs of a source."""
        return self.root / CAPTURES / source

    def capture_folders(self) -> list[Path]:
        """Return the existing folders of `captures`, one a source, sorted."""
        return sorted(self.captures("").glob("*"))

    def stage(self, stage: Stage, key: str) -> Path:
        """Folder of one shard of a stage; with the key "", the folder of the stage."""
        return self.root / stage / key

    def stage_files(self, name: str, *stages: Stage) -> list[Path]:
        """Return the files called `name` of the shards of these stages, sorted within each stage."""
        return [path for stage in stages for path in sorted(self.stage(stage, "").glob(f"*/{name}"))]

    def shards(self, *stages: Stage) -> list[Path]:
        """Return the folders of the finished shards of these stages, sorted within each stage."""
        return [ledger.parent for ledger in self.stage_files(LEDGER, *stages)]

    @property
    def surveys(self) -> Path:
        """Folder of all surveys."""
        return self.root / "surveys"

    def survey(self, key: str) -> Path:
        """Folder of one sketch file or one table of a survey."""
        return self.surveys / key

    def survey_files(self, name: str) -> list[Path]:
        """Return the files called `name` of all surveys, sorted."""
        return sorted(self.surveys.glob(f"*/{name}"))

    def index(self, survey: str) -> Path:
        """Folder of the index segments of a survey, one a published release: `<release>/<version>-<root>/`."""
        return self.surveys / "index" / survey

    def index_names(self) -> list[str]:
        """Return the names of the surveys that have a folder in the index, sorted."""
        return sorted(path.name for path in self.index("").glob("*") if path.is_dir())

    def segments(self, survey: str) -> list[Path]:
        """Return the folders of all segments of a survey, sorted."""
        return sorted(path for path in self.index(survey).glob("*/*") if path.is_dir())

    def releases(self, name: str) -> Path:
        """Folder of the versions of a release; for `name/version`, the folder of one version."""
        return self.root / RELEASES / name

    def release_parts(self, name: str) -> Path:
        """Folder of the results that the latest release of a name keeps; hidden, so that no bucket gets it."""
        return self.root / ".parts" / name

    def release_folders(self, holds: str) -> list[Path]:
        """Return the folders of all published versions that contain the file `holds`, sorted; no links, no `latest`."""
        found = (path.parent for path in self.releases("").glob(f"*/*/{holds}"))
        return sorted(folder for folder in found if folder.name != LATEST and not folder.is_symlink())

    def rejections(self, name: str) -> Path:
        """Folder of a rejected release, `name/version-root`: the folder `release`, and check.json, which says why."""
        return self.root / "rejected" / name

    @property
    def flow_runs(self) -> Path:
        """Folder of the records of flow runs (flows/deployments/run_progress.py)."""
        return self.root / ".flow-runs"

    @property
    def release_history(self) -> Path:
        """The list of all releases (malmoi/releases/version_history.py)."""
        return self.releases("releases.json")

    @property
    def inputs_record(self) -> Path:
        """The file with the latest version of each release name and a digest of its inputs (flows/release.py)."""
        return self.releases("made-from.json")

    @property
    def withdrawals(self) -> Path:
        """The file of tombstones: what must not appear again (malmoi/erasure/tombstones.py)."""
        return self.root / "withdrawals.parquet"

    @property
    def erasure_key(self) -> Path:
        """The secret key by which erased values are stored (malmoi/erasure/value_digests.py)."""
        return self.root / "erasure.key"

    @property
    def erasure_plan(self) -> Path:
        """The plan of an erasure that is under way (malmoi/erasure_plan.py)."""
        return self.root / "erasure-plan.json"

    @property
    def reviews(self) -> Path:
        """The file of decisions about documents that need a review (malmoi/licensing/review_file.py)."""
        return self.root / "reviews.jsonl"

    @property
    def terms(self) -> Path:
        """The file with the operator's checks of terms: source → {"reviewer", "date", "url", "verdict"}."""
        return self.root / "terms.json"

    def probe(self, source: str) -> Path:
        """The result of the last probe of a source (flows/probing/probe_records.py)."""
        return self.root / "probes" / f"{source}.json"

    def rechecks(self, root: str) -> Path:
        """Folder of the runs that asked the hosts of the release with this Merkle root again."""
        return self.root / "rechecks" / root[:16]

    def sample(self, name: str, version: str) -> Path:
        """The judged sample of one version of a release (flows/review/sample.py)."""
        return self.root / "samples" / name / f"{version}.json"

    def samples(self, name: str) -> list[Path]:
        """Return the files of `sample` of a release that exist, by version, lowest first."""
        return _sort_versions(self.sample(name, "").parent)

    def inspection(self, name: str, version: str) -> Path:
        """The inspection of one version of a release (flows/review/inspection.py)."""
        return self.root / "inspections" / name / f"{version}.json"

    def inspections(self, name: str) -> list[Path]:
        """Return the files of `inspection` of a release that exist, by version, lowest first."""
        return _sort_versions(self.inspection(name, "").parent)

    def ablation(self, name: str, version: str) -> Path:
        """The ablation of one version of a release (flows/ablation/report.py)."""
        return self.root / "ablations" / name / f"{version}.json"

    def ablations(self, name: str) -> list[Path]:
        """Return the files of `ablation` of a release that exist, by version, lowest first."""
        return _sort_versions(self.ablation(name, "").parent)

    def report(self, name: str) -> Path:
        """The report `name` for the operator, an HTML page."""
        return self.root / "reports" / f"{name}.html"

    @property
    def costs(self) -> Path:
        """The cost of each step, in one line each (flows/engine/costs.py)."""
        return self.root / "reports" / "costs.jsonl"

    def cost(self, name: str, version: str) -> Path:
        """The cost of one version of a release: outside its folder, as no root covers it."""
        return self.releases(name) / "costs" / f"{version}.json"

    def quarantine(self, name: str) -> Path:
        """The quarantine list for the operator: what kept documents out of the release `name`."""
        return self.root / "reports" / f"quarantine-{name}.jsonl"

    def quarantines(self) -> dict[str, Path]:
        """Return the existing lists of `quarantine`, by the name of the release."""
        found = sorted((self.root / "reports").glob("quarantine-*.jsonl"))
        return {path.stem.removeprefix("quarantine-"): path for path in found}


def _sort_versions(folder: Path) -> list[Path]:
    found = folder.glob("[0-9]*.json")
    return sorted(found, key=lambda path: [int(part) for part in path.stem.split(".") if part.isdecimal()])


def is_bulk(path: str) -> bool:
    """Whether the file at `path`, relative to the root, has most of the bytes and only some of the readers.

    >>> is_bulk("3-clean/0a1b/documents.parquet"), is_bulk("1-captures/assembly/0001/index.parquet")
    (True, False)
    """
    match path.split("/"):
        case [captures, _, _, name] if captures == CAPTURES:
            return name.endswith(".warc.gz")
        case [folder, _, _, *_] if folder in (*STAGES, RELEASES, "rejected"):
            return path.endswith(".parquet")
    return False


def find_unit(path: str) -> tuple[str, str]:
    """Return the folder that appears as a whole with the file at `path`, and its file that is written last.

    `path` is relative to the root. ("", "") for a file that appears by itself.

    >>> find_unit("3-clean/0a1b/documents.parquet")
    ('3-clean/0a1b', '3-clean/0a1b/ledger.json')
    >>> find_unit("6-releases/general/latest")
    ('', '')
    """
    match parts := path.split("/"):
        case [captures, _, _, _, *_] if captures == CAPTURES:
            length, last = 3, "run.json"
        case [stage, _, _, *_] if stage in STAGES:
            length, last = 2, LEDGER
        case ["surveys", "index", _, _, _, _, *_]:
            length, last = 5, "sums.json"
        case ["surveys", key, _, *_] if key != "index":
            length, last = 2, "sums.json"
        case [releases, _, _, _, *_] if releases == RELEASES:
            length, last = 3, "SHA256SUMS"
        case ["rechecks", _, _, _, *_]:
            length, last = 3, "run.json"
        case ["rejected", _, _, _, *_]:
            length, last = 3, "check.json"
        case _:
            return "", ""
    return "/".join(parts[:length]), "/".join((*parts[:length], last))
