"""A host with many pages is learned once; what is built otherwise is read in full, and marks are found as ever."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from crawlers import defaults, extract, host_templates
from crawlers.formats import ParsedItem
from crawlers.formats.html import host_template, host_template_learning, html_page, text_lines
from crawlers.formats.html.host_template import Box, Template, make_reader
from crawlers.formats.html.host_template_learning import Lesson, learn
from flows.collect import collect
from flows.curate import extract_jobs, learn_jobs
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from flows.engine.shard_jobs import extract as extract_shard
from flows.engine.shard_jobs import learn as learn_host
from malmoi.errors import MalmoiError
from malmoi.source import Item
from malmoi.storage import checksummed_files, shard
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_archive import HOST, MARK, page, prose, site, source, write


@pytest.fixture(autouse=True)
def in_this_process():
    worker_pool.configure(0)
    yield
    worker_pool.configure(None)


def item(body: str, path: str = "/read/1") -> Item:
    return Item(f"{HOST}{path}", f"{HOST}{path}", body.encode(), "text/html", "utf-8", "r")


def lesson(body: str) -> Lesson:
    found = html_page.extract(item(body))
    return Lesson(html_page.parse(item(body)), found.text)


@pytest.fixture(scope="module")
def board() -> Template:
    found, why = learn("board.example", [lesson(page(n)) for n in range(12)], [lesson(page(n)) for n in range(12, 20)])
    assert found is not None, why
    return found


def by(template: Template, body: str) -> tuple[str, str]:
    return make_reader(template)(html_page.parse(item(body)))


def curated(root, *archives):
    """Collect each archive in a run of its own, learn, extract; the documents of all shards by address."""
    home = Workspace.open(root / "w")
    for number in range(1, len(archives) + 1):
        collect(home, source(root, *archives[:number]), Progress(quiet=True))
    return home, extracted(home, source(root, *archives))


def extracted(home, name):
    for job in learn_jobs(home, name):
        if not job.target.exists():
            learn_host(job)
    found = {}
    for job in extract_jobs(home, name):
        executors.thread_mapper(1)(extract_shard, [job], lambda _: None)
        for file in ("documents.parquet", "dropped.parquet"):
            for row in shard.read(home.stage("2-documents", job.key) / file).to_pylist():
                found[row["id"].removeprefix(f"board/{HOST}")] = row
    return found


def how(row) -> str:
    return {x["name"]: x["value"] for x in row["labels"]}.get(host_templates.LABEL, "")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("board")
    paragraphs = "".join(f"<p>{prose(n)}</p>" for n in range(70, 74))
    odd = {
        "/odd/layout": f"<body><main><h1>다른 꼴</h1>{paragraphs}</main></body>",
        "/odd/beside": page(900, beside=f"<div class=essay><p>{prose(901, 9)}</p><p>{prose(902, 9)}</p></div>"),
        "/odd/inside/3": page(910, inside=f"<section class=report><h3>새 단</h3><p>{prose(911, 12)}</p></section>"),
        "/marked": page(920, mark=MARK),
    }
    write(root / "a.warc.gz", site() | odd)
    worker_pool.configure(0)
    home, rows = curated(root, root / "a.warc.gz")
    worker_pool.configure(None)
    return root, home, rows


def test_the_box_and_what_in_it_is_no_text_are_learned(board):
    assert board.box == Box("div", "id", "view_box")
    assert {name for name in board.dropped if name.startswith("div")} == {"div.>ul.related>li.#link"}
    assert board.agreement >= host_template_learning.AGREEMENT and board.pages == 8


def named(number: int, title: str, heading: str = "") -> str:
    return page(number).replace(f"<title>글 {number}</title>", f"<title>{title}</title>{heading}")


@pytest.mark.parametrize(
    ("shown", "title"),
    [
        ("글 {} [공장 위키]", "글 40"),
        ("공장 위키 / 글 {}", "글 40"),
        ("글 {} (공장 위키)", "글 40"),
        ("글 {}", "글 40"),
    ],
)
def test_what_most_titles_of_a_host_share_is_cut_off(shown, title):
    pages = [lesson(named(n, shown.format(n))) for n in range(20)]
    found, _ = learn("board.example", pages[:12], pages[12:])
    one = ParsedItem(item(named(40, shown.format(40))))
    assert host_templates.reader([replace(found, host="board.example")], defaults.text)(one).extracted.title == title


def test_a_heading_that_most_pages_share_is_no_title_and_is_learned_without_a_box():
    def made(number: int) -> str:
        body = f"<div class=n{number}><h1>공장 위키</h1><p>{prose(number, 9)}</p></div>"
        return f"<title>글 {number}</title><body>{body}</body>"

    found, why = learn("board.example", [lesson(made(n)) for n in range(12)], [lesson(page(n)) for n in range(8)])
    assert why and found is not None and found.box == host_template.NO_BOX
    assert Template.from_json(found.to_json()) == found
    one = ParsedItem(item(made(40)))
    assert defaults.text(one).title == "공장 위키"
    said = host_templates.reader([found], defaults.text)(one)
    assert said.extracted.title == "글 40" and not said.labels


def test_by_a_template_a_page_says_what_the_full_reading_says(board):
    body = page(40)
    text, miss = by(board, body)
    assert not miss and text == html_page.extract(item(body)).text
    assert "이웃한" not in text and text.startswith("이야기 40\n") and f"- {prose(1120, 1)}" in text


@each_row(
    ("body", "why"),
    [
        ("<body><p>" + prose(1) * 9 + "</p></body>", "no-box"),
        (page(1) + page(2), "no-box"),
        (page(1, beside=f"<div><p>{prose(2, 9)}</p><p>{prose(3, 9)}</p></div>"), "new-outside"),
        (page(1, beside=f"<div><p>{prose(2, 2)}</p></div>"), "new-outside"),  # one short paragraph is text too
        (page(1, inside=f"<blockquote>{prose(2, 12)}</blockquote><dl><dd>{prose(3, 12)}</dl>"), "new-inside"),
        ("<body><div id=view_box><p class=lead>짧은 글</p></div></body>", "too-short"),
        ("<body><div id=view_box></div></body>", "too-short"),
        ("", "no-box"),
    ],
)
def test_a_page_that_is_built_otherwise_does_not_fit(board, body, why):
    assert by(board, body) == ("", why)


def test_rows_and_code_are_text_though_no_page_of_the_sample_had_any(board):
    rows = f"<tr><td>{prose(2, 12)}<td>{prose(3, 12)}<tr><td>하나<td>둘"
    code = f"<pre><code>{prose(4, 12)}</code></pre>"
    text, miss = by(board, page(1, inside=f"<table>{rows}</table>{code}"))
    assert not miss and f"| {prose(2, 12)} | {prose(3, 12)} |\n| --- | --- |\n| 하나 | 둘 |" in text
    assert f"```\n{prose(4, 12)}\n```" in text


def test_a_table_of_links_that_no_page_of_the_sample_had_is_new(board):
    rows = "".join(f"<tr><td><a href=/{n}>{prose(n, 4)}</a></td></tr>" for n in range(9))
    assert by(board, page(1, inside=f"<table>{rows}<tr><td><a href=x>하나</a><td><a href=y>둘</a></table>"))[1]


def test_of_lines_that_say_the_same_the_heading_is_the_one_that_was_kept():
    box = html_page.html.fragment_fromstring(
        "<div><p>이야기</p><p>책</p><h2>이야기</h2><p>옛날에</p><p>옛날에</p></div>"
    )
    matched = host_template_learning._match_lines(text_lines.lines_with_places(box), "이야기\n옛날에")
    assert [kept for _, kept in matched] == [False, False, True, True, False]


def test_reading_leaves_the_tree_as_it_is(board):
    parsed = html_page.parse(item(page(3)))
    before = html_page.html.tostring(parsed.tree)
    make_reader(board)(parsed)
    assert html_page.html.tostring(parsed.tree) == before


def test_a_template_survives_json(board):
    assert Template.from_json(board.to_json()) == board
    assert Template.from_json(board.to_json()).digest == board.digest
    assert replace(board, room=board.room + 1).digest != board.digest


def test_a_template_holds_no_text_of_the_pages(board):
    assert not any("가" <= character <= "힣" for character in board.to_json())


def test_pages_without_a_make_of_their_own_give_no_template():
    def odd(n: int) -> Lesson:
        tag, name = ("p", "div", "section")[n % 3], f"b{n}"
        text = f"<{tag} class={name}>{prose(n, 8)}</{tag}>" * 2
        return replace(lesson(f"<body><div class=x{n}>{text}</div></body>"), text=prose(n + 1, 8) * 2)

    found, why = learn("a.kr", [odd(n) for n in range(8)], [odd(n) for n in range(8, 16)])
    assert found is None and why in ("no-box", "few-fit", "disagrees")


def test_a_template_that_loses_korean_is_none():
    first = [lesson(page(n)) for n in range(12)]
    checks = [lesson(page(n)) for n in range(12, 20)]
    worse = [replace(one, text=one.text + "\n" + prose(n, 40)) for n, one in enumerate(checks)]
    assert learn("a.kr", first, worse)[1] == "disagrees"
    latin = [replace(one, text=f"{one.text}\n{prose(n, 1)}\n{'word ' * 900}") for n, one in enumerate(checks)]
    assert learn("a.kr", first, latin)[0] is None


def test_pages_of_the_make_are_read_by_the_template_and_others_in_full(whole):
    root, home, rows = whole
    (job,) = learn_jobs(home, source(root, root / "a.warc.gz"))
    assert not any("/odd/" in row.url for row in (*job.sample.lessons, *job.sample.checks))
    assert Counter(how(rows[f"/read/{n}"]) for n in range(60)) == {"used": 60}
    assert how(rows["/odd/layout"]) == "no-box" and prose(71) in rows["/odd/layout"]["text"]
    assert how(rows["/odd/beside"]) == "new-outside"
    assert how(rows["/odd/inside/3"]) == "new-inside" and prose(911, 12) in rows["/odd/inside/3"]["text"]


def test_marks_outside_the_box_are_still_found(whole):
    _, _, rows = whole
    assert how(rows["/marked"]) == "used"
    assert {e["licence"] for e in rows["/marked"]["evidence"]} == {"LicenseRef-KOGL-1"}
    assert rows["/read/1"]["evidence"] == []


def test_some_pages_are_read_both_ways_and_say_how_far_they_agree(whole):
    _, _, rows = whole
    measured = {path for path, row in rows.items() for x in row["measures"] if x["name"] == host_templates.MEASURE}
    used = {path for path, row in rows.items() if how(row) == "used"}
    assert measured == {path for path in used if host_templates.is_read_twice(HOST + path)} and measured
    assert all(x["value"] == 1.0 for row in rows.values() for x in row["measures"])


def test_where_both_ways_disagree_the_full_reading_holds(board, monkeypatch):
    monkeypatch.setattr(host_templates, "is_read_twice", lambda url: True)
    poor = replace(board, dropped=(*board.dropped, *(name for name in board.known if "lead" in name)))
    said = host_templates.reader((replace(poor, host="board.example"),), defaults.text)(ParsedItem(item(page(7))))
    assert (
        said.labels == ((host_templates.LABEL, "disagrees"),) and said.measures[0][1] < host_template_learning.AGREEMENT
    )
    assert said.extracted == html_page.extract(item(page(7)))


def test_the_same_captures_give_the_same_bytes(whole, tmp_path):
    root, home, rows = whole
    other, again = curated(tmp_path, root / "a.warc.gz")
    assert again == rows
    keys = sorted(path.name for path in (home.root / "2-documents").iterdir())
    assert sorted(path.name for path in (other.root / "2-documents").iterdir()) == keys


def test_a_later_run_changes_neither_template_nor_the_shards_that_stand(tmp_path):
    write(tmp_path / "a.warc.gz", site(300))
    write(tmp_path / "b.warc.gz", {"/read/z": page(800), "/odd": page(801, beside=f"<p>{prose(1, 30)}</p>")})
    home, _ = curated(tmp_path, tmp_path / "a.warc.gz")
    before = {job.key for job in extract_jobs(home, source(tmp_path, tmp_path / "a.warc.gz"))}
    learned = sorted(home.root.glob("surveys/*/template.json"))
    both = source(tmp_path, tmp_path / "a.warc.gz", tmp_path / "b.warc.gz")
    collect(home, both, Progress(quiet=True))
    # The file that defines the source is another now, and with it every key: only what was sampled is compared.
    (sample,) = (job.sample for job in learn_jobs(home, both))
    assert not any(row.url.endswith(("/z", "/odd")) for row in (*sample.lessons, *sample.checks))
    assert len(learned) == 1 and before


def test_a_template_is_part_of_the_key_of_its_shards(tmp_path):
    write(tmp_path / "a.warc.gz", site())
    name = source(tmp_path, tmp_path / "a.warc.gz")
    home = Workspace.open(tmp_path / "w")
    collect(home, name, Progress(quiet=True))
    unlearned = [job.key for job in extract_jobs(home, name)]
    (job,) = learn_jobs(home, name)
    learn_host(job)
    learned = [one.key for one in extract_jobs(home, name)]
    found = json.loads(job.target.read_text())
    job.target.write_text(json.dumps(found | {"room": found["room"] + 1}))
    checksummed_files.write(
        job.target.parent
    )  # as if another template had been learned; a changed file alone is refused
    changed = [one.key for one in extract_jobs(home, name)]
    assert not set(unlearned) & set(learned) and not set(learned) & set(changed)
    assert all(one.extraction.templates for one in extract_jobs(home, name))


def test_a_run_that_died_between_learning_and_extracting_goes_on(whole, tmp_path):
    root, _, rows = whole
    home = Workspace.open(tmp_path / "w")
    name = source(tmp_path, root / "a.warc.gz")
    collect(home, name, Progress(quiet=True))
    (job,) = learn_jobs(home, name)
    (home.tmp / "half").mkdir()
    (home.tmp / "half" / "template.json").write_text('{"host": "bo')  # what a killed run leaves behind
    assert not job.target.exists()
    learn_host(job)
    stamp = job.target.stat().st_mtime_ns
    assert extracted(home, name) == rows and job.target.stat().st_mtime_ns == stamp


def test_a_host_with_few_pages_learns_nothing(tmp_path):
    write(tmp_path / "a.warc.gz", site(host_templates.MIN_PAGES - 1))
    home, rows = curated(tmp_path, tmp_path / "a.warc.gz")
    assert not learn_jobs(home, source(tmp_path, tmp_path / "a.warc.gz"))
    assert all(not row["measures"] and how(row) == "" for row in rows.values())


def test_a_source_with_a_text_of_its_own_learns_nothing(tmp_path):
    write(tmp_path / "a.warc.gz", site())
    name = source(tmp_path, tmp_path / "a.warc.gz")
    home = Workspace.open(tmp_path / "w")
    collect(home, name, Progress(quiet=True))
    assert learn_jobs(home, name)
    with (tmp_path / "board.py").open("a") as file:
        file.write("\nfrom crawlers.defaults import text as text\n")
    extract._load_source.cache_clear()
    assert not learn_jobs(home, name)


def test_a_page_that_breaks_while_it_is_learned_from_costs_that_page(whole, tmp_path, monkeypatch):
    root, home, _ = whole
    (job,) = learn_jobs(home, source(root, root / "a.warc.gz"))
    known = host_templates.lesson

    def broken(one: Item) -> Lesson | None:
        if one.url == job.sample.lessons[0].url:
            raise ZeroDivisionError
        return known(one)

    monkeypatch.setattr(host_templates, "lesson", broken)
    made = learn_host(replace(job, root=tmp_path))
    assert Template.from_json(made.read_text()).box == Box("div", "id", "view_box")


def test_a_capture_that_cannot_be_read_stops_the_source(whole, tmp_path):
    root, home, _ = whole
    (job,) = learn_jobs(home, source(root, root / "a.warc.gz"))
    rows = tuple(replace(row, path=str(tmp_path / "gone.warc.gz")) for row in job.sample.lessons)
    with pytest.raises((MalmoiError, OSError)):
        learn_host(replace(job, root=tmp_path, sample=replace(job.sample, lessons=rows)))
    assert not list(tmp_path.glob("surveys/*"))
