"""A folder of in-house documents, end to end: every file is read, or named with the reason why it was not."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crawlers import extract, local_files
from flows.collect import collect
from flows.engine.progress import Progress
from flows.reports import crawl_report
from malmoi.archive import collection
from malmoi.errors import SourceError
from malmoi.source import Folder, LicenceClaim, Source
from malmoi.workspace import Workspace
from tests.builders.documents import small_docx, small_hwp, small_pdf
from tests.builders.small_corpus import malmoi_in_process

QUOTE = "CC BY 4.0으로 이용할 수 있다"
HERE = '''"""Papers of our plant."""
from pathlib import Path
from malmoi.source import Dump, Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source("papers", "문서", "우리 회사", {access}, claim=({claim}),
    rule=LicenceRule(("licence-file", "dump-claim")))
'''
CLAIM = f'LicenceClaim("CC-BY-4.0", "{QUOTE}", file="LICENCE.txt"),'
NFD = unicodedata.normalize("NFD", "한글 이름.txt")


def sentences(about: str) -> list[str]:
    return [
        f"{about}에서 일하는 사람은 설비를 켜기 전에 먼저 물과 공기가 제대로 흐르는지 살핀다.",
        "막대의 눈금이 가운데보다 아래에 있으면 담당자를 부르고, 고칠 때까지 아무도 손대지 않는다.",
        "밤에 일하는 조는 아침 조에게 그날 있었던 일을 적어 넘기며, 빠진 것이 없는지 함께 읽어 본다.",
    ]


def files() -> dict[str, bytes]:
    """Name → bytes of what can be read; the texts differ, so that none is a copy of another."""
    said = {
        name: sentences(name) for name in ("식각실", "세정실", "증착실", "검사실", "포장실", "창고", "식당", "정문")
    }
    words = {name: "\n\n".join(lines) for name, lines in said.items()}
    page = f"<!doctype html><html lang=ko><body><article>{''.join(f'<p>{s}</p>' for s in said['식각실'])}</article>"
    return {
        "page.html": page.encode(),
        "old.txt": words["세정실"].encode("euc-kr"),
        "note.md": f"# 증착실\n\n{words['증착실']}".encode(),
        "rows.csv": ('id,text\n1,"' + " ".join(said["검사실"]) + '"\n').encode(),
        "설비.docx": small_docx.docx("".join(small_docx.p(s) for s in said["포장실"])),
        "a.hwp": small_hwp.hwp(b"".join(small_hwp.paragraph(s) for s in said["창고"])),
        "a.hwpx": small_hwp.hwpx("".join(small_hwp.p(f"<hp:t>{s}</hp:t>") for s in said["식당"])),
        "guide.pdf": small_pdf.pdf([small_pdf.column(said["정문"], size=6.0)]),
        "깊은 곳/'따옴표' \"둘\"/#1 100%?.txt": "\n".join(sentences("옥상")).encode(),
        NFD: "\n".join(sentences("지하실")).encode(),
    }


UNREADABLE = {
    "drm.hwp": (b"SCDSA004" + bytes(range(256)) * 8, "drm"),
    "empty.docx": (b"", "empty"),
    "cut.docx": (small_docx.docx(small_docx.p("하나"))[:-100], "damaged"),
    "locked.hwp": (small_hwp.hwp(small_hwp.paragraph("하나"), flags=0b10), "encrypted"),
    "false.txt": (bytes(range(256)) * 20, "not-what-its-name-says"),
    "Thumbs.db": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "unsupported-format:ole"),
}


def fill(root: Path) -> Path:
    """Write the folder with everything that an office has lying about; returns it."""
    folder = root / "papers"
    for name, body in {**files(), **{name: body for name, (body, _) in UNREADABLE.items()}}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (folder / "LICENCE.txt").write_text(f"{QUOTE}.\n", encoding="utf-8")
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "secret.txt").write_text("비밀", encoding="utf-8")
    (folder / "out.txt").symlink_to(root / "elsewhere" / "secret.txt")
    (folder / "outside").symlink_to(root / "elsewhere")
    (folder / "nowhere.txt").symlink_to(root / "nowhere")
    os.mkfifo(folder / "pipe.txt")
    return folder


LEFT = [
    ["nowhere.txt", local_files.BROKEN_LINK],
    ["out.txt", local_files.LEADS_OUT],
    ["outside", local_files.LINKED_FOLDER],
    ["pipe.txt", local_files.NO_FILE],
]


def written(root: Path, access: str, claim: str = CLAIM) -> Path:
    path = root / "papers.py"
    path.write_text(HERE.format(access=access, claim=claim), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder run once by the command line, without a network where the machine allows it."""
    root = tmp_path_factory.mktemp("inhouse")
    source = written(root, f"Folder(Path({str(fill(root))!r}))")
    ran = malmoi_in_process("run", "general", "--source", source, "--workspace", root / "w")
    assert ran.returncode == 0, ran.stderr
    return root, source, ran


def stage(root: Path, name: str) -> dict[str, dict]:
    tables = [pq.read_table(path) for path in sorted((root / "w" / "2-documents").glob(f"*/{name}.parquet"))]
    return {row["id"]: row for found in tables for row in found.to_pylist()}


def test_every_readable_file_becomes_a_document_under_its_name_in_composed_hangul(done):
    names = {unicodedata.normalize("NFC", name) for name in files()} - {"rows.csv"} | {"rows.csv#1"}
    documents = stage(done[0], "documents")
    assert set(documents) == {f"papers/{name}" for name in names}
    assert all("밤에 일하는 조는 아침 조에게" in row["text"] for row in documents.values())
    assert {row["evidence"][0]["licence"] for row in documents.values()} == {"CC-BY-4.0"}


def test_every_unreadable_file_is_named_with_its_reason(done):
    dropped = {name.removeprefix("papers/"): row["reason"] for name, row in stage(done[0], "dropped").items()}
    assert dropped == {name: reason for name, (_, reason) in UNREADABLE.items()}
    (audit,) = (done[0] / "w").glob("6-releases/general/*.*.*/audit/dropped.parquet")
    assert {f"papers/{name}" for name in UNREADABLE} <= set(pq.read_table(audit)["id"].to_pylist())


def test_what_is_no_file_of_the_folder_is_named_and_counted_where_people_look(done):
    root, _, ran = done
    facts = json.loads((root / "w" / "1-captures" / "papers" / "0001" / "run.json").read_text("utf-8"))
    assert facts["not_taken"] == LEFT and facts["found"] == len(files()) + len(UNREADABLE)
    assert "· 4 left out" in ran.stderr
    steps = json.loads((root / "w" / "reports" / "collection.json").read_text("utf-8"))["sources"][0]["steps"]
    assert dict(steps[0]["lost"]) == dict.fromkeys(dict(LEFT).values(), 1)
    entered = len(stage(root, "documents")) + len(stage(root, "dropped"))
    assert steps[1]["count"] == entered and sum(n for _, n in steps[2]["lost"]) == len(UNREADABLE)


def test_the_licence_file_is_proof_and_no_text(done):
    runs = collection.runs(done[0] / "w" / "1-captures" / "papers")
    (row,) = collection.licence_records(runs).values()
    assert row.url == "LICENCE.txt" and QUOTE in extract.load_capture(row).body.decode()
    assert "papers/LICENCE.txt" not in stage(done[0], "documents")


def test_a_document_with_quotes_and_spaces_in_its_name_can_be_asked_for(done):
    said = malmoi_in_process("why", done[0] / "w", "papers/깊은 곳/'따옴표' \"둘\"/#1 100%?.txt")
    assert said.returncode == 0 and "evidence CC-BY-4.0 by licence-file" in said.stdout


@pytest.mark.heavy
def test_nothing_of_it_needs_or_touches_a_network(done, tmp_path):
    cut_off = shutil.which("unshare")
    if not cut_off or subprocess.run([cut_off, "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives nobody a network namespace of his own")
    command = [cut_off, "-n", sys.executable, "-m", "flows.cli.main", "run", "general"]
    command += ["--source", str(done[1]), "--workspace", str(tmp_path / "w")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    sums = [
        next(root.glob("6-releases/general/*.*.*/SHA256SUMS")).read_text() for root in (done[0] / "w", tmp_path / "w")
    ]
    assert sums[0] == sums[1]


def test_a_second_run_finds_nothing_new_and_a_new_link_is_news(done):
    root, source, _ = done
    home = Workspace.open(root / "w")
    assert collect(home, str(source), Progress(quiet=True)).new == 0
    assert len(collection.runs(home.captures("papers"))) == 1
    (root / "papers" / "later.txt").symlink_to(root / "nowhere")
    assert collect(home, str(source), Progress(quiet=True)).new == 0
    assert ["later.txt", local_files.BROKEN_LINK] in collection.runs(home.captures("papers"))[-1].facts["not_taken"]


# Which files a folder gives ------------------------------------------------------------------------------------


def chosen(root: Path, **access: tuple[str, ...]) -> list[str]:
    source = Source("here", "", "", Folder(root, **access), (LicenceClaim("MIT", "MIT", file="LICENSE"),))
    return [path.relative_to(root).as_posix() for path in local_files.paths(source, source.access)[0]]


@pytest.fixture
def tree(tmp_path):
    for name in ("LICENSE", "a.txt", "secret/b.txt", "secret/deep/c.txt", "open/d.txt", "secretary/e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("glob", ["secret", "secret/", "secret/**", "secret/**/*", "**/secret"])
def test_a_folder_that_is_excluded_is_excluded_with_all_that_lies_in_it(tree, glob):
    assert chosen(tree, exclude=(glob,)) == ["a.txt", "open/d.txt", "secretary/e.txt"]


def test_two_stars_at_the_end_choose_the_files_below(tree):
    assert chosen(tree, include=("secret/**",)) == ["secret/b.txt", "secret/deep/c.txt"]


def test_a_glob_typed_in_composed_hangul_finds_what_a_mac_has_named(tmp_path):
    (tmp_path / NFD).write_text("하나")
    assert chosen(tmp_path, include=("한글*.txt",)) == [NFD]


def test_two_files_whose_names_differ_only_in_spelling_keep_their_own():
    composed = unicodedata.normalize("NFC", NFD)
    assert local_files.normalise_names([NFD, composed]) == [NFD, composed] and local_files.normalise_names([NFD]) == [
        composed
    ]


@pytest.mark.parametrize("glob", ["/etc/*", ""])
def test_a_glob_that_is_none_stops_the_source_with_a_sentence(tree, glob):
    with pytest.raises(SourceError, match=r"the glob .* cannot be used .* correct include or exclude"):
        chosen(tree, include=(glob,))


def test_a_folder_that_may_not_be_read_is_left_out_and_named_and_the_root_stops_the_source(tree, monkeypatch):
    closed = tree / "secret"

    def walk(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(closed)))
        yield from ()

    monkeypatch.setattr(os, "walk", walk)  # the superuser may read everything, so the refusal is played
    source = Source("here", "", "", Folder(tree))
    assert local_files.paths(source, source.access)[1] == [("secret", local_files.NO_FOLDER)]
    closed = tree
    with pytest.raises(SourceError, match=r"the folder .* cannot be read \(Permission denied\); grant read permission"):
        chosen(tree)


def test_a_file_too_large_to_be_held_is_dropped_by_name_and_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(extract, "MAX_FILE", 10)
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "film.mp4").write_bytes(bytes(11))
    (tmp_path / "p" / "a.txt").write_bytes("짧은".encode())
    source = written(tmp_path, f"Folder(Path({str(tmp_path / 'p')!r}))", "")
    home = Workspace.open(tmp_path / "w")
    collect(home, str(source), Progress(quiet=True))
    one = extract.extractor(extract.Extraction(str(source), ()))
    ((_, rows),) = collection.select_current(collection.runs(home.captures("papers")))
    monkeypatch.setattr(
        extract, "load_capture", lambda row: pytest.fail("read") if row.size > 10 else extract_load(row)
    )
    outcomes = {outcome.document.id: outcome for row in rows for outcome in one(row)}
    assert outcomes["papers/film.mp4"].verdict.reason == "too-large"
    assert outcomes["papers/a.txt"].document.text == "짧은"


extract_load = extract.load_capture


# Other things that lie on this machine -------------------------------------------------------------------------


def test_a_dump_without_news_is_collected_again_without_complaint(tmp_path):
    page = "<page><title>쪽</title><ns>0</ns><id>1</id><revision><text>글이다.</text></revision></page>"
    dump = tmp_path / "pages.xml.gz"
    dump.write_bytes(gzip.compress(f'<mediawiki version="0.11"><siteinfo/>{page}</mediawiki>'.encode(), mtime=0))
    source = str(written(tmp_path, f"Dump(path=Path({str(dump)!r}))", ""))
    home = Workspace.open(tmp_path / "w")
    assert collect(home, source, Progress(quiet=True)).new == 1
    for _ in range(2):
        again = collect(home, source, Progress(quiet=True))
        assert (again.new, again.current, again.gone) == (0, 1, 0)


def test_a_claim_of_a_licence_that_nobody_knows_stops_before_anything_is_collected(tmp_path):
    (tmp_path / "LICENCE.txt").write_text(QUOTE)
    claim = f'LicenceClaim("CC BY 4.0", "{QUOTE}", file="LICENCE.txt"),'
    source = written(tmp_path, f"Folder(Path({str(tmp_path)!r}))", claim)
    home = Workspace.open(tmp_path / "w")
    with pytest.raises(SourceError, match=r"'CC BY 4\.0', which docs/rights\.md does not list"):
        collect(home, str(source), Progress(quiet=True))
    assert not collection.runs(home.captures("papers"))


def test_the_report_keeps_what_it_said_of_the_sources_that_were_not_collected_now(tmp_path):
    home = Workspace.open(tmp_path / "w")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
        path = tmp_path / f"{name}.py"
        text = HERE.format(access=f"Folder(Path({str(tmp_path / name)!r}))", claim="")
        path.write_text(text.replace('"papers"', repr(name)), encoding="utf-8")
        collect(home, str(path), Progress(quiet=True))
        crawl_report.refresh(home, [str(path)], Progress(quiet=True))
    told = json.loads(home.report("collection").with_suffix(".json").read_text("utf-8"))
    assert [said["source"] for said in told["sources"]] == ["one", "two"]
    assert all(f'id="{name}"' in home.report("collection").read_text("utf-8") for name in ("one", "two"))
