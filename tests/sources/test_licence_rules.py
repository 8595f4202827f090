"""The licence rule of a source: what counts as its proofs, and which declarations a source file may leave out."""

from pathlib import Path

import pytest

from crawlers import catalogue, licence_rules
from crawlers.rights.claims import claim_proof
from flows.cli import show_sources
from malmoi.errors import CallError
from malmoi.licensing.proofs import PROOFS
from malmoi.source import Dump, Folder, Git, LicenceClaim, LicenceRule, Source, Warc
from tests.sources.test_catalogue import console

FILE = LicenceClaim("MIT", "MIT License", file="LICENSE")
PAGE = LicenceClaim("MIT", "MIT License", url="https://a.kr/licence")


def source(rule: LicenceRule, *claims: LicenceClaim, access: object = Folder(Path("x"))) -> Source:
    return Source("a", "가", "나", access, claims, rule)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("access", "claim", "proof"),
    [
        (Git("https://github.com/a/b"), FILE, "project-licence"),
        (Dump("https://a.kr/d.xml"), PAGE, "dump-claim"),
        (Dump(path=Path("d.xml")), FILE, "dump-claim"),
        (Folder(Path("x")), FILE, "licence-file"),
        (Folder(Path("x")), PAGE, "dump-claim"),
        (Warc(()), FILE, "licence-file"),
    ],
)
def test_a_claim_is_the_proof_that_its_access_point_makes_it(access, claim, proof):
    assert claim_proof(access, claim) == proof
    licence_rules.check(source(LicenceRule((proof,)), claim, access=access), "a.py")
    with pytest.raises(CallError, match=f"does not list the proof {proof}; write"):
        licence_rules.check(source(LicenceRule(), claim, access=access), "a.py")


def test_a_claim_of_another_proof_than_the_listed_one_is_a_mistake():
    with pytest.raises(CallError, match="project-licence"):
        licence_rules.check(source(LicenceRule(("licence-file",)), FILE, access=Git("https://github.com/a/b")), "a.py")


def test_a_claim_beside_proofs_of_each_item_may_be_left_to_a_person():
    licence_rules.check(source(LicenceRule(("field",), fields=("licence",)), FILE), "a.py")
    assert catalogue.load("kowikisource").source.claim


@pytest.mark.parametrize("name", ["kogl-block", "rel-license"])
def test_a_mark_of_a_page_needs_its_place_and_metadata_of_the_page_do_not(name):
    with pytest.raises(CallError, match="needs the element of the page"):
        licence_rules.check(source(LicenceRule((name,))), "a.py")
    licence_rules.check(source(LicenceRule((name,), (("https://a.kr/", ".kogl > a, #ccl"),))), "a.py")
    licence_rules.check(source(LicenceRule(("json-ld",))), "a.py")


def test_only_a_source_with_proofs_of_each_item_and_no_claim_is_marked():
    marked = LicenceRule(("rel-license",), (("https://a.kr/", ".ccl"),))
    assert licence_rules.is_marked(source(marked))
    assert not any(map(licence_rules.is_marked, (source(LicenceRule()), source(marked, FILE))))
    assert not licence_rules.is_marked(source(LicenceRule(("licence-file",))))


@pytest.mark.parametrize("name", catalogue.names())
def test_a_source_shows_its_proofs_with_their_places(tmp_path, name):
    out, written = console(200)
    show_sources.show_source(tmp_path, name, out)
    shown, rule = " ".join(written.getvalue().split()), catalogue.load(name).source.rule
    assert rule.proofs or "none: each document needs a review" in shown
    assert all(f"{proof}: {PROOFS[proof].shape}" in shown for proof in rule.proofs)
    assert all(css in shown for _, css in rule.selector) and all(field in shown for field in rule.fields)
