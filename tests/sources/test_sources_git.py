"""The sources that are git repositories: what they ask for, and that no template is left in their text."""

import re
import time
from pathlib import Path

import pytest

from crawlers import catalogue, defaults
from crawlers.fetch import git_collector
from crawlers.formats import ParsedItem
from crawlers.platforms import gettext, rst, site_builders
from crawlers.rights import claims
from malmoi.document import LicenceEvidence
from malmoi.errors import SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.source import Extracted, Git, Item, LicenceClaim
from tests.builders.rows import each_row
from tests.builders.small_repository import serve

DATA = Path(__file__).parents[1] / "data" / "sources"
CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "ko-react-dev"
# name → an example of its files, the path that one has in the repository, and its text
FILES = {
    "kubernetes_ko": [("git_kubernetes_ko.md", "content/ko/docs/concepts/pods.md", "git_kubernetes_ko.txt")],
    "mdn_ko": [("git_mdn_ko.md", "files/ko/web/api/widget/turn/index.md", "git_mdn_ko.txt")],
    "react_ko": [("git_react_ko.md", "src/content/learn/button.md", "git_react_ko.txt")],
    "rust_book_ko": [("git_rust_book_ko.md", "src/ch08-01-lists.md", "git_rust_book_ko.txt")],
    "pytorch_ko": [
        ("git_pytorch_ko.rst", "beginner_source/dist_overview.rst", "git_pytorch_ko.txt"),
        ("git_pytorch_ko.py.txt", "beginner_source/basics/tensor_tutorial.py", "git_pytorch_ko.py.expected.txt"),
    ],
    "debian_guide_ko": [("git_debian_guide_ko.po", "po/ko/preparing.po", "git_debian_guide_ko.txt")],
}
# As the file has it, line ends too: the quote must be found across them.
COPYRIGHT = (
    "This repository is licensed under the Apache License, Version 2.0\n"
    "<LICENSE-APACHE or https://www.apache.org/licenses/LICENSE-2.0> or the MIT\n"
    "license <LICENSE-MIT or https://opensource.org/licenses/MIT>, at your option."
)
CASES = [(name, *row) for name, rows in FILES.items() for row in rows]
# What a template leaves behind, outside of code: braces of Hugo, Yari, mdBook and JSX, roles, directives, entities.
RESIDUE = re.compile(
    r"\{\{[<%#]|\{\{[A-Z]|[>%]\}\}|\{/\*|\*/\}|<!--|-->|^\.\. |:[a-z]+:`|`__?\b|&[a-z-]+;|<[A-Z]", re.M
)
CODE = re.compile(r"```.*?^```|`[^`\n]*`", re.S | re.M)


def item(name: str, path: str, body: bytes) -> Item:
    access = catalogue.load(name).source.access
    assert isinstance(access, Git)
    url = f"{access.url}/blob/{access.branch}/{path}"
    return Item(url, url, body, git_collector.media_of(path), "", "urn:uuid:1")


def text_of(name: str, path: str, body: bytes) -> Extracted:
    return (catalogue.load(name).text or defaults.text)(ParsedItem(item(name, path, body)))


@pytest.mark.parametrize(("name", "file", "path", "expected"), CASES)
def test_the_text_of_a_page_is_its_prose_and_its_code(name, file, path, expected):
    found = text_of(name, path, (DATA / file).read_bytes())
    assert found.text == (DATA / expected).read_text(encoding="utf-8").rstrip("\n")
    assert (found.outcome, found.encoding) == ("kept", "utf-8") and found.title


@pytest.mark.parametrize(("name", "file", "path", "expected"), CASES)
def test_no_template_is_left_in_the_prose(name, file, path, expected):
    assert not RESIDUE.findall(CODE.sub("", text_of(name, path, (DATA / file).read_bytes()).text))


@pytest.mark.parametrize("name", FILES)
def test_a_repository_is_asked_for_on_a_host_that_is_known(name, monkeypatch):
    monkeypatch.setattr(git_collector.socket, "getaddrinfo", lambda *a, **more: [])
    source = catalogue.load(name).source
    assert isinstance(source.access, Git)
    assert git_collector.place_of(source, source.access, git_collector.Guard()).protocol == "https"


@pytest.mark.parametrize(("name", "file", "path", "expected"), CASES)
def test_the_globs_choose_the_example_and_neither_licence_nor_another_language(name, file, path, expected):
    source = catalogue.load(name).source
    assert isinstance(source.access, Git)

    def chosen(p: str) -> bool:
        return git_collector.matches(p, source.access.include, source.access.exclude)  # type: ignore[union-attr]

    assert chosen(path)
    others = [claim.file for claim in source.claim]
    others += [
        "README.md",
        "content/en/docs/a.md",
        "files/ja/a/index.md",
        "src/components/a.tsx",
        "po/ja/a.po",
        "conf.py",
    ]
    assert not [other for other in others if chosen(other)]


@pytest.mark.parametrize("name", FILES)
def test_the_claim_of_the_repository_permits_publication(name):
    source = catalogue.load(name).source
    page = item(name, FILES[name][0][1], b"x")
    archived = {claims.proof_address(claim): "urn:uuid:2" for claim in source.claim}
    evidence = claims.from_claim(source, page, archived)
    rights = decide(evidence, ())
    assert rights.use == "redistribute"
    assert {(e.kind, e.scope) for e in evidence} == {("project-licence", "source")}
    assert all(isinstance(e, LicenceEvidence) for e in evidence)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        # Written as the files have it; MIT and BSD licences, and the first words of the Creative Commons deed.
        ("kubernetes_ko", "Creative Commons Attribution 4.0 International Public\nLicense\n"),
        ("mdn_ko", "All prose content is available under\n([CC-BY-SA 2.5](https://creativecommons.org/licenses/by-sa/2.5/)).\n"),
        ("react_ko", "Creative Commons Attribution 4.0 International Public License\n"),
        ("pytorch_ko", "BSD 3-Clause License\n\nCopyright (c)\n"),
        ("rust_book_ko", COPYRIGHT),
        ("debian_guide_ko", "It is\nlicensed under the terms of the GNU GPL, version 2.\n"),
    ],
)  # fmt: skip
def test_the_quote_is_found_in_the_licence_file_and_not_in_another(name, words):
    (claim,) = catalogue.load(name).source.claim
    claims.check_quote(claim, words)
    with pytest.raises(SourceError):
        claims.check_quote(claim, "All rights reserved.")


def test_one_source_is_collected_from_a_repository_in_its_shape(tmp_path):
    source = catalogue.load("rust_book_ko").source
    with serve(tmp_path / "served") as served:
        served.commit(
            {
                "COPYRIGHT": COPYRIGHT.encode(),
                "src/ch08-01-lists.md": (DATA / "git_rust_book_ko.md").read_bytes(),
                "src/SUMMARY.md": b"# Summary",
                "README.md": b"# x",
            },
            branch="master",
        )
        path = tmp_path / "rust.py"
        code = Path(catalogue.find_file("rust_book_ko")).read_text(encoding="utf-8")
        assert isinstance(source.access, Git)
        code = code.replace(source.access.url, served.url).replace("at_least=90", "at_least=1")
        code = code.replace("LicenceRule, Source", "LicenceRule, Manners, Source")
        code = code.replace(
            "    attribution=", f"    manners=Manners(loopback=({served.base[7:]!r},)),\n    attribution="
        )
        path.write_text(code, encoding="utf-8")
        from flows.collect import collect
        from flows.engine.progress import Progress
        from malmoi.workspace import Workspace

        done = collect(Workspace.open(tmp_path / "w"), str(path), Progress())
    assert (done.new, done.current) == (1, 1)


@pytest.mark.heavy
def test_the_real_react_pages_leave_no_template_and_lose_no_hangul():
    if not CORPUS.exists():
        pytest.skip(f"{CORPUS} is not here")
    pages = [p for p in sorted(CORPUS.rglob("*.md")) if p.name != "LICENSE-DOCS.md"]
    left: list[str] = []
    for page in pages:
        found = text_of("react_ko", page.relative_to(CORPUS).as_posix(), page.read_bytes())
        left += [f"{page.name}: {hit}" for hit in re.findall(r"\{/\*|\*/\}|<!--", CODE.sub("", found.text))]
    assert len(pages) == 208 and not left


HOSTILE = (
    "{{<" * 100_000,
    "{{< a " + '"' * 100_001,
    "{{< mermaid >}}" * 30_000,
    "{{a(" * 100_000,
    "{{a('" * 80_000,
    "<!--" * 100_000,
    "`" * 200_000 + "<!--",
    "```\n" * 30_000,
    ".. note::\n" * 20_000,
    "\n".join(f"{' ' * n}.. note::" for n in range(600)),
    ":a:`" * 80_000,
    "*" * 200_000,
    "|a" * 100_000,
    'msgid "' + "\\" * 200_001,
    "<a " * 80_000,
    "&a" * 100_000,
)


@pytest.mark.heavy
@each_row("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_costs_no_more_than_its_length(hostile):
    begun = time.process_time()
    for clean in (site_builders.clean_hugo, site_builders.clean_mdn, site_builders.clean_mdbook):
        clean(hostile)
    rst.prose(hostile)
    rst.gallery(f'"""\n{hostile}\n"""\n' + "#" * 30 + f"\n# {hostile}")
    for _ in gettext.messages(f'msgid "a"\nmsgstr "b"\n{hostile}'):
        pass
    gettext.docbook(hostile, {})
    assert time.process_time() - begun < 5.0  # seconds; a quadratic look at 200,000 signs takes minutes


def test_a_python_file_without_prose_and_a_file_without_translation_are_dropped():
    for name, path, body in (
        ("pytorch_ko", "beginner_source/helper.py", b"import torch\n"),
        ("debian_guide_ko", "po/ko/a.po", b'msgid "a"\nmsgstr ""\n'),
        ("kubernetes_ko", "content/ko/docs/a.md", b"---\ntitle: a\n---\n"),
    ):
        found = text_of(name, path, body)
        assert (found.text, found.outcome, found.reason) == ("", "dropped", found.reason) and found.reason


def test_a_comment_that_holds_code_goes_whole_and_one_that_is_talked_about_stays():
    text = "가\n<!-- x\n```\ny\n```\n-->\n나 `<!--` 다\n```html\n<!-- z -->\n```\n"
    assert site_builders.strip_comments(text) == "가\n\n나 `<!--` 다\n```html\n<!-- z -->\n```\n"


def test_a_licence_claim_has_one_file_each():
    for name in FILES:
        assert all(isinstance(claim, LicenceClaim) and claim.file for claim in catalogue.load(name).source.claim)
