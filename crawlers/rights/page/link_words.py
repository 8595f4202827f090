"""What the words and pictures around licence links say: whether they speak for the page and agree with the link."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import html

from crawlers.formats.html.runs import PageEvidence, Run, is_quoting
from crawlers.rights.page import candidates, kogl_block
from crawlers.rights.page.beside import MAX_CLIMB, is_beside
from malmoi.licensing.rights_decision import terms

MAX_LINKS = 40  # licence links of a place; more are a list
MAX_CLAUSE = 30  # code points of a line beside a licence that is a clause of it
_LABEL = re.compile(r"(?:^|[.|·•\n]) ?([^:：.|·•]{1,30})[:：][^:：.]{0,60}$")  # Game art: "Rainy Tiles", CC BY 4.0
_OWN_LABEL = re.compile(
    r"라이[선센]스|licen[cs]e|ライセンス|이용 ?(?:조건|허락)|저작권|copyright|CCL?|글|텍스트|본문|문서|text|content|©",
    re.I,
)
_CHOICE = re.compile(r"또는|혹은|하나를|골라|선택|\beither\b|\bor\b|dual", re.I)


class LinkWords:
    """The runs of a page or a place, with the run of each link."""

    def __init__(self, shown: Sequence[Run]) -> None:
        self.shown = shown
        self.number = {link.element: number for number, run in enumerate(shown) for link in run.links}

    def join_licences(self, links: Sequence[PageEvidence]) -> str:
        """Return the one licence of some links, or the expression of two in one line that lets choose; else ""."""
        names = sorted({one.licence for one in links})
        numbers = {self.number.get(one.element) for one in links}
        if len(links) > MAX_LINKS or len(names) != 2 or len(numbers) != 1 or None in numbers:
            return names[0] if len(names) == 1 and len(links) <= MAX_LINKS else ""
        return " OR ".join(names) if any(_CHOICE.search(self.shown[number or 0].text) for number in numbers) else ""

    def speaks_for_page(self, one: PageEvidence, url: str) -> bool:
        """Whether a link is in the head, the frame or a mark block, without words about other things."""
        if one.element.tag == "link":
            return True
        run = self.run_of(one)
        above: list[html.HtmlElement] = [one.element, *one.element.iterancestors()][:MAX_CLIMB]
        if run is None or not self.agrees(one) or any(map(is_quoting, above)):
            return False
        placed = run.state.part == "site" or run.state.mark is not None
        placed = placed or len(run.text) > len(one.element.text_content() or "")
        return placed and candidates.speaks_of_page(run.text) and not is_beside(one.element, url)

    def is_undisputed(self, one: PageEvidence, url: str) -> bool:
        """Whether no box about something else surrounds a link at a declared place, and no words about another work."""
        run = self.run_of(one)
        if run is None:
            return False
        (link,) = (link for link in run.links if link.element is one.element)
        before, after = run.words_around(link)
        label = _LABEL.search(before)
        labelled = label is not None and not _OWN_LABEL.search(label[1])
        about_other = labelled or bool(candidates.OTHER_WORK.search(before)) or kogl_block.is_of_parts(after)
        return not about_other and not is_beside(one.element, url, declared=True)

    def agrees(self, one: PageEvidence) -> bool:
        """Whether nothing in the run of a link, its pictures or a short neighbour forbids what its licence allows."""
        found = terms(one.licence)
        if (run := self.run_of(one)) is None or found is None or found.use == "exclude":
            return True
        number, parent = self.number[one.element], run.owner.getparent()
        near = [other for other in self.shown[max(0, number - 1) : number + 2] if other.state.part == run.state.part]
        near = [other for other in near if other is run or other.owner.getparent() is parent]
        words = [other.text for other in near if other is run or len(other.text) <= MAX_CLAUSE]
        words += [f"{image.get('alt') or ''} {image.get('src') or ''}" for other in near for image, _ in other.images]
        return not any(map(candidates.is_closed, words))

    def run_of(self, one: PageEvidence) -> Run | None:
        """Return the run of a link of the body, None for one of the head."""
        number = self.number.get(one.element)
        return None if number is None else self.shown[number]
