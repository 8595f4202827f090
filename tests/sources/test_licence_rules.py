"""The licence rule of a source: what counts as its proofs, and which declarations a source file may leave out."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from crawlers import catalogue, licence_rules
from crawlers.rights.claims import claim_proof
from flows import catalogue_page
from malmoi.errors import CallError
from malmoi.licensing.proofs import PROOFS
from malmoi.source import Dump, Folder, Git, LicenceClaim, LicenceRule, Source, Warc
from tests.builders.rows import each_row
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


LICENCES_AND_QUOTES = [
    ("CC-BY-4.0", "저작자표시 4.0 국제 라이선스를 따릅니다.", True),
    ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/deed.ko", True),
    ("CC-BY-4.0", "별도 표시가 없는 한 모든 글은 CC BY 4.0으로 제공됩니다.", True),
    ("CC-BY-4.0", "Attribution 4.0 International", True),  # the title of the legal code
    ("CC-BY-4.0", "Attribution-ShareAlike 4.0 International", False),
    ("CC-BY-4.0", "저작자표시 3.0 라이선스를 따릅니다.", False),
    ("LicenseRef-CC-BY-2.0-KR", "크리에이티브 커먼즈 코리아 저작자표시 2.0 대한민국 라이선스", True),
    ("CC-BY-4.0", "모든 권리는", False),
    ("CC-BY-4.0", "누구나 자유롭게 이용할 수 있습니다.", False),
    ("CC-BY-4.0", "본 자료는 CC BY 4.0으로 이용할 수 없습니다.", False),
    ("CC-BY-4.0", "본 자료는 CC BY 4.0이지만 상업적으로 이용할 수 없습니다.", False),
    ("CC-BY-4.0", "The photographs are not available under CC BY 4.0.", False),
    ("LicenseRef-KOGL-1", "공공누리 제1유형(출처표시)으로 개방한 저작물입니다.", True),
    ("LicenseRef-KOGL-1", "공공누리 제4유형으로 개방한 저작물입니다.", False),
    ("LicenseRef-KOGL-4", "공공누리 제4유형(출처표시+상업적 이용금지+변경금지)", True),
    ("LicenseRef-KR-CA-Art7", "저작권법 제7조에 따라 보호받지 못하는 저작물", True),
    ("LicenseRef-KR-PD-expired", "저작재산권 보호기간이 만료된 저작물입니다.", True),
    ("LicenseRef-KR-OpenData-Unrestricted", "이용허락범위 제한 없음", True),
    ("MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy of this software", True),
    ("BSD-3-Clause", "Redistribution and use in source and binary forms, with or without modification", True),
    ("Apache-2.0", "Licensed under the Apache License; you may not use this file except in compliance with it", True),
    ("GPL-3.0-or-later", "the GNU General Public License, version 2", False),
    ("GPL-2.0-or-later", "the GNU General Public License, either version 2 or version 3", True),
    ("GPL-2.0-or-later", "GNU Lesser General Public License", False),
    ("LGPL-2.1-only", "GNU Lesser General Public License", True),
    ("GFDL-1.3-or-later", "GNU 자유 문서 사용 허가서(GFDL) 1.3", True),
    ("MIT", "예제 코드는 MIT라이선스를 따릅니다.", True),
    ("CC-BY-SA-4.0", "모든 글은 CC BY-SA로 나눕니다.", True),
    ("GPL-3.0-only", "GNU 일반 공중 사용 허가서 제3판", True),
    ("MIT OR Apache-2.0", "Apache License, Version 2.0", False),
    ("MIT OR Apache-2.0", "Apache License, Version 2.0 or the MIT license, at your option", True),
    ("CC-BY-4.0", "2020년까지 CC BY 4.0이었으나 지금은 사내 자료이다.", False),
    ("CC-BY-4.0", "정리가 끝나면 CC BY 4.0으로 공개할 예정이다.", False),
    ("CC-BY-4.0", "승인을 받은 경우에 한하여 CC BY 4.0을 따른다.", False),
    ("CC-BY-SA-4.0", "CC BY-SA 4.0, unless a page says otherwise", True),
    ("MIT", "MIT 연구진과 함께 만든 자료이다.", False),
]


@each_row(("licence", "words", "grants"), LICENCES_AND_QUOTES)
def test_the_quote_of_a_claim_names_its_licence_and_does_not_deny(licence, words, grants):
    claim = LicenceClaim(licence, words, file="LICENSE")
    refused = pytest.raises(CallError, match=f"a.py: the quote of the claim does not grant {licence}, because")
    with nullcontext() if grants else refused:
        licence_rules.check(source(LicenceRule(("licence-file",)), claim), "a.py")


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
    catalogue_page.show_source(tmp_path, name, out)
    shown, rule = " ".join(written.getvalue().split()), catalogue.load(name).source.rule
    assert rule.proofs or "none: each document needs a review" in shown
    assert all(f"{proof}: {PROOFS[proof].shape}" in shown for proof in rule.proofs)
    assert all(css in shown for _, css in rule.selector) and all(field in shown for field in rule.fields)
