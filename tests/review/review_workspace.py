"""A workspace with two sources in folders: of `own`, one text has a proof and the others need a review."""

from __future__ import annotations

from pathlib import Path

from tests.builders.small_corpus import malmoi_in_process

SOURCE = """
from pathlib import Path
from malmoi.document import LicenceEvidence
from malmoi.source import Folder, LicenceRule, Source

SOURCE = Source(
    name={name!r}, title="글", publisher="시험", access=Folder(Path({folder!r}), include=("*.txt",)),
    rule=LicenceRule(proofs=("field",), fields=("licence",)),
)

def evidence(parsed):
    item = parsed.item
    kind, place = ("field", "licence") if item.key.startswith("proof") else ("link", f"div[{{len(item.key)}}] > a")
    return (LicenceEvidence("CC-BY-4.0", kind, "item", "CC BY 4.0", place, item.record),), ()
"""
RECIPE = """
name = "small"
purpose = "Tests of reviews."
shards = 1
clean = [{ filter = "rights", uses = ["redistribute"] }, { filter = "normalise" }]
judged = [{ filter = "personal_data" }, { filter = "quarantine" }]
curated = [{ filter = "redact" }]
"""
TEXTS = {
    "proof.txt": "마당에 심은 감나무가 올해 처음으로 열매를 맺었다.",
    "open.txt": "도서관 앞 길에는 아침마다 물을 뿌리는 사람이 있다.",
    "window.txt": "창문을 닦는 일은 비가 그친 다음 날에 하는 것이 좋다.",
}
SHAPE = "own | no-proof | link | div[#] > a | CC-BY-4.0"


def make(root: Path) -> Path:
    """Write sources and recipe below `root`, and return the folder of the workspace, which does not exist yet."""
    for name in ("own", "other"):
        folder = root / f"{name}-texts"
        folder.mkdir(parents=True)
        for file, text in TEXTS.items():
            (folder / file).write_text(f"{text} {name}\n", encoding="utf-8")
        (root / f"{name}.py").write_text(SOURCE.format(name=name, folder=str(folder)), encoding="utf-8")
    (root / "small.toml").write_text(RECIPE, encoding="utf-8")
    return root / "w"


def run(workspace: Path) -> None:
    """Run the recipe on both sources, and release."""
    root = workspace.parent
    done = malmoi_in_process(
        "run", root / "small.toml", "--source", root / "own.py", "--source", root / "other.py",
        "--workspace", workspace, "--workers", 1,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def review(workspace: Path, *arguments: object) -> str:
    """Call `malmoi review` and return its output."""
    done = malmoi_in_process("review", *arguments, "--workspace", workspace)
    assert done.returncode == 0, done.stderr
    return done.stdout
