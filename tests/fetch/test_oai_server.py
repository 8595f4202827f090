"""The repository that the tests harvest keeps the rules of OAI-PMH 2.0: a section of the protocol each."""

import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from lxml import etree

from tests.builders.rows import each_row
from tests.builders.small_oai import PREFIX, Repository, Work, day, serve

OAI = "{http://www.openarchives.org/OAI/2.0/}"
SETS = ("a", "a:b", "c")


def work(number: int) -> Work:
    """Records of ten days and three sets; every seventh is deleted."""
    return Work(number, day(number % 10), f"제목 {number}", "글", sets=(SETS[number % 3],), deleted=number % 7 == 0)


@pytest.fixture(scope="module")
def repository() -> Iterator[Repository]:
    with serve(Repository(size=53, work=work, page=10, sets=SETS, formats=("oai_dc", "dim", "xoai"))) as found:
        yield found


def ask(repository: Repository, *said: tuple[str, str], **given: str) -> etree._Element:
    pairs = [*said, *((name.rstrip("_"), value) for name, value in given.items())]
    with urllib.request.urlopen(f"{repository.base}?{urlencode(pairs)}") as answer:
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/xml")
        return etree.fromstring(answer.read())


def error(root: etree._Element) -> str:
    return "".join(one.get("code") or "" for one in root.iter(f"{OAI}error"))


def identifiers(root: etree._Element) -> list[str]:
    return [one.findtext(f"{OAI}identifier") or "" for one in root.iter(f"{OAI}header")]


def whole(repository: Repository, verb: str, **given: str) -> tuple[list[str], list[etree._Element]]:
    root, answers = ask(repository, verb=verb, **given), []
    while True:
        answers.append(root)
        token = next(root.iter(f"{OAI}resumptionToken"), None)
        if token is None or not token.text:
            return [one for answer in answers for one in identifiers(answer)], answers
        root = ask(repository, verb=verb, resumptionToken=token.text)


def test_an_answer_names_its_time_and_its_request(repository):
    """Section 3.2: responseDate in UTC, and the request with its arguments, unless these are wrong."""
    root = ask(repository, verb="Identify")
    assert [etree.QName(one).localname for one in root] == ["responseDate", "request", "Identify"]
    assert root.findtext(f"{OAI}responseDate").endswith("Z")
    request = root.find(f"{OAI}request")
    assert (request.text, dict(request.attrib)) == (repository.base, {"verb": "Identify"})
    assert not ask(repository, verb="Nothing").find(f"{OAI}request").attrib
    assert not ask(repository, verb="Identify", set="a").find(f"{OAI}request").attrib


def test_identify_has_what_it_must_have(repository):
    """Section 4.2."""
    said = ask(repository, verb="Identify").find(f"{OAI}Identify")
    names = [etree.QName(one).localname for one in said]
    assert names == [
        "repositoryName", "baseURL", "protocolVersion", "adminEmail", "earliestDatestamp", "deletedRecord",
        "granularity",
    ]  # fmt: skip
    assert said.findtext(f"{OAI}protocolVersion") == "2.0" and said.findtext(f"{OAI}baseURL") == repository.base


@each_row(
    ("said", "code"),
    [
        ([], "badVerb"),
        ([("verb", "Nothing")], "badVerb"),
        ([("verb", "Identify"), ("verb", "Identify")], "badVerb"),
        ([("verb", "Identify"), ("set", "a")], "badArgument"),
        ([("verb", "ListRecords")], "badArgument"),
        ([("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("metadataPrefix", "oai_dc")], "badArgument"),
        ([("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("from", "yesterday")], "badArgument"),
        ([("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("from", "2026-02-02"), ("until", "2026-01-01")],
         "badArgument"),
        ([("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("resumptionToken", "x")], "badArgument"),
        ([("verb", "ListRecords"), ("resumptionToken", "x")], "badResumptionToken"),
        ([("verb", "ListRecords"), ("metadataPrefix", "x")], "cannotDisseminateFormat"),
        ([("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("from", "2030-01-01")], "noRecordsMatch"),
        ([("verb", "GetRecord"), ("metadataPrefix", "oai_dc"), ("identifier", "x")], "idDoesNotExist"),
        ([("verb", "GetRecord"), ("metadataPrefix", "x"), ("identifier", f"{PREFIX}1")], "cannotDisseminateFormat"),
        ([("verb", "ListMetadataFormats"), ("identifier", "x")], "idDoesNotExist"),
    ],
)  # fmt: skip
def test_a_wrong_request_has_the_error_of_the_protocol(repository, said, code):
    """Section 3.6."""
    assert error(ask(repository, *said)) == code


def test_a_repository_without_sets_says_so():
    with serve(Repository(size=1)) as repository:
        assert error(ask(repository, verb="ListSets")) == "noSetHierarchy"
        assert error(ask(repository, verb="ListRecords", metadataPrefix="oai_dc", set="a")) == "noSetHierarchy"


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
def test_tokens_lead_through_the_whole_list_and_the_last_one_is_empty(repository, verb):
    """Section 3.5."""
    found, answers = whole(repository, verb, metadataPrefix="oai_dc")
    assert found == [f"{PREFIX}{number}" for number in range(53)] and len(answers) == 6
    tokens = [next(one.iter(f"{OAI}resumptionToken")) for one in answers]
    assert [bool(one.text) for one in tokens] == [True] * 5 + [False]
    assert {one.get("completeListSize") for one in tokens[:-1]} == {"53"}
    assert [int(one.get("cursor")) for one in tokens[:-1]] == [0, 10, 20, 30, 40]


def test_from_and_until_are_inclusive(repository):
    """Section 2.7.1."""
    found, _ = whole(repository, "ListIdentifiers", metadataPrefix="oai_dc", from_=day(2), until=day(3))
    assert found == [f"{PREFIX}{number}" for number in range(53) if number % 10 in (2, 3)]


def test_a_set_holds_its_descendants(repository):
    """Section 2.6."""
    found, _ = whole(repository, "ListIdentifiers", metadataPrefix="oai_dc", set="a")
    assert found == [f"{PREFIX}{number}" for number in range(53) if number % 3 in (0, 1)]
    sets = [one.text for one in ask(repository, verb="ListSets").iter(f"{OAI}setSpec")]
    assert tuple(sets) == SETS


def test_a_deleted_record_has_a_header_and_no_metadata(repository):
    """Section 2.5.1."""
    for root in (
        ask(repository, verb="ListRecords", metadataPrefix="oai_dc"),
        ask(repository, verb="GetRecord", metadataPrefix="oai_dc", identifier=f"{PREFIX}7"),
    ):
        for record in root.iter(f"{OAI}record"):
            is_deleted = record.find(f"{OAI}header").get("status") == "deleted"
            assert is_deleted == (record.find(f"{OAI}metadata") is None)


@pytest.mark.parametrize("prefix", ["oai_dc", "dim", "xoai"])
def test_a_record_is_the_same_alone_and_in_a_list_in_the_namespace_of_its_format(repository, prefix):
    """Sections 2.5 and 4.1; the namespace is the one that ListMetadataFormats names."""
    alone = next(ask(repository, verb="GetRecord", metadataPrefix=prefix, identifier=f"{PREFIX}5").iter(f"{OAI}record"))
    listed = list(ask(repository, verb="ListRecords", metadataPrefix=prefix).iter(f"{OAI}record"))[5]
    assert etree.tostring(alone, method="c14n") == etree.tostring(listed, method="c14n")
    formats = ask(repository, verb="ListMetadataFormats").iter(f"{OAI}metadataFormat")
    spaces = {one.findtext(f"{OAI}metadataPrefix"): one.findtext(f"{OAI}metadataNamespace") for one in formats}
    assert etree.QName(alone.find(f"{OAI}metadata")[0]).namespace == spaces[prefix]
