"""Reports of KISTI from its repository: supercomputing, security, information science, technology analysis."""

from crawlers.oai import dspace
from malmoi.source import Expect

SOURCE = dspace.source(
    "https://repository.kisti.re.kr/oai/request",
    name="kisti_repository",
    title="KISTI 기관 리포지터리",
    publisher="한국과학기술정보연구원 (KISTI)",
    register="technical",
    domain="science",
    # Not counted: numbers of handles above 19,000 have been seen, and not every number is a report.
    expect=Expect(at_least=100, at_most=100_000),
    attribution="{publisher}, 「{title}」 ({year}), {url}, {licence}",
    unverified="No answer of the interface has been seen. Seen are addresses of files (/bitstream/10580/…/1/….pdf) "
    "and that the repository is a DSpace; /oai/request is where DSpace 5 and 6 answer. Items are said to read "
    "'licensed Korea Open Government License' without a type, which grants nothing here; which field "
    "names the type is unknown.",
    note="Expected outcome: only items whose record names an open licence count, and only their files are fetched. "
    "Papers in journals belong to their publishers. A report under type 4 is not used.",
)
