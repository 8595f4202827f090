"""Cases of tests/advice/test_advice.py: comparing and publishing releases."""

import json
import shutil
import sys

import pytest

from flows import limited_process
from malmoi import limits
from malmoi.limits import InputLimit
from tests.advice.advice import advice, own

RELEASE = "w/6-releases/general/1.0.0"
GONE = {"path": "LICENSE.md", "sha256": "0" * 64, "rows": 0, "version": "1.0.1", "date": "2026-11-28"}


@advice("{} is not a release: neither this folder nor {} holds {}. Name the folder of one version, or NAME/VERSION "
        "with --workspace.")  # fmt: skip
def diff_of_something_else(place):
    place.released()
    yield f"diff w {RELEASE}"
    yield f"diff {RELEASE} {RELEASE}"
    yield f"diff general/1.0.0 general/latest --workspace w --html {place.folder}/page.html"


@advice("{}. Nothing was started. Name these sources too, or publish without them: set `replace` (--replace).")
def run_without_the_sources_of_the_version_before(place):
    place.released()
    own(place)
    yield "run general --source own.py --workspace w --workers 1"
    yield "run general --source own.py --source small.py --workspace w --workers 1"


@advice("{}: {}: {}. See `malmoi verify {}`.")
def diff_with_a_link(place):
    release = place.released() / "6-releases" / "general" / "1.0.0"
    shutil.copytree(release, place.folder / "copy")
    (place.folder / "copy" / "README.md").unlink()
    (place.folder / "copy" / "README.md").symlink_to(release / "README.md")
    yield f"diff {RELEASE} copy"
    shutil.copy(release / "README.md", place.folder / "plain")
    (place.folder / "plain").replace(place.folder / "copy" / "README.md")
    yield "{advised}"
    yield f"diff {RELEASE} copy"


@advice("{}: reading exceeded a limit and was stopped ({}).")
def diff_beyond_a_limit(place):
    place.released()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "VERIFY_SECONDS", InputLimit("verify_seconds", 0, "seconds", "nothing"))
        patch.setattr(limited_process, "_SIZE_PER_SECOND", 1 << 60)
        patch.setattr(limited_process, "_PATIENCE", 1e-9)
        yield f"diff {RELEASE} {RELEASE}"
    yield f"diff {RELEASE} {RELEASE}"


@advice("{}: the process that reads them ended with status {} ({}). Fix the cause that it names, and run the same "
        "command again.")  # fmt: skip
def diff_that_fails(place):
    place.released()
    with pytest.MonkeyPatch.context() as patch:  # as where a module is missing from the installation
        patch.setattr(limited_process, "PYTHON", (sys.executable, "-c", "import no_such_module"))
        yield f"diff {RELEASE} {RELEASE}"
    yield f"diff {RELEASE} {RELEASE}"


@advice("{}: the process that reads them ended with status {} ({}). Fix the cause that it names, and run the same "
        "command again.")  # fmt: skip
def verify_that_fails(place):
    place.released()
    with pytest.MonkeyPatch.context() as patch:  # as where a module is missing from the installation
        patch.setattr(limited_process, "PYTHON", (sys.executable, "-c", "import no_such_module"))
        yield f"verify {RELEASE}"
    yield f"verify {RELEASE}"


@advice("{}: {}; what is left of it cannot be compared. Compare whole versions, or read the CHANGELOG.md of the later "
        "one.")  # fmt: skip
def diff_with_a_version_that_lost_files(place):
    place.released()
    (place.folder / RELEASE / "withdrawn.json").write_text(json.dumps({"files": [GONE]}), encoding="utf-8")
    yield f"diff {RELEASE} {RELEASE}"
    (place.folder / RELEASE / "withdrawn.json").unlink()
    yield f"diff {RELEASE} {RELEASE}"


@advice("{} is not a target; name a folder, s3://BUCKET/PREFIX or hf://datasets/OWNER/NAME.")
def publish_to_nowhere(place):
    place.released()
    yield f"publish {RELEASE} ftp://host/path"
    yield f"publish {RELEASE} out"
    yield f"publish {RELEASE} hf://datasets/me/ko"
