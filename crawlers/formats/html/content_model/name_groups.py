"""Group the class names and the id of a box by the words that site builders use."""

from __future__ import annotations

import re
from functools import lru_cache

MANY_NAMES = 300  # code points of class names and id of one element
# Words of class names and ids, as site builders use them, by what they name.
_GROUPS = {
    "nav": (
        "nav navi navbar navigation gnb lnb snb fnb tnb menu menus breadcrumb breadcrumbs location locator "
        "sitemap skip skipnav path depth sitenav quick"
    ),
    "side": "side sidebar aside widget widgets rail right left wing lside rside",
    "foot": "footer foot bottom familysite family",
    "head": "header head masthead top util gov",
    "share": "share sns social kakao facebook twitter sharing bookmark url clip clipboard",
    "related": (
        "related relate relation recommend recommended popular rank ranking best latest recent other others "
        "hot also another similar series more realtime issue trend headline newest"
    ),
    "comment": "comment comments reply replies disqus cmt utterances giscus guestbook",
    "meta": (
        "meta info byline author authors writer reporter date time published regdate hit profile user nick "
        "member name datetime timestamp modified created dept count views"
    ),
    "tag": "tag tags keyword keywords category categories hashtag hashtags label labels badge",
    "paging": "prev next previous paging pagination pager paginate docnav",
    "file": "file files attach attached attachment attachments download downloads addfile",
    "ad": (
        "ad ads adsense adsbygoogle banner sponsor sponsored promotion promo outbrain taboola dable subscribe "
        "subscription newsletter adv advert event"
    ),
    "layer": "cookie consent popup modal layer login toast dialog dim alert tooltip",
    "caption": "caption figcaption credit cap photo img image imgs pic picture thumb thumbnail",
    "title": "title tit subject subj heading ttl",
    "content": (
        "content contents cont article post entry body view txt text detail read editor markdown prose "
        "document doc story main desc substance wiki section"
    ),
    "control": (
        "btn btns button buttons tool tools toolbar option print font scrap vote like good bad rate rating "
        "survey satisfaction satisfy recommendbtn edit editsection zoom copybtn copy action actions poll "
        "research charge"
    ),
    "rights": "copyright copyrights license licence kogl ccl nuri opencode publicnuri",
    "list": "list lists item items card cards row col column",
    "tab": "tab tabs tabpanel tabcontent accordion collapse collapsible details fold",
    "toc": "toc tocs outline",
    "note": "footnote footnotes note notes reference references reflist admonition tip warning",
}
_GROUP_OF = {word: group for group, words in _GROUPS.items() for word in words.split()}
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[가-힣]+")


@lru_cache(maxsize=20_000)
def read_names(tag: str, called: str, name: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the words of class names and id, and the groups that they name; a tag may name a group, too."""
    words = tuple(dict.fromkeys(word.lower() for word in _NAME_WORDS.findall(f"{called} {name}"[:MANY_NAMES])))
    groups = {_GROUP_OF[word] for word in words if word in _GROUP_OF}
    if tag in _TAG_GROUPS:
        groups.add(_TAG_GROUPS[tag])
    return words, frozenset(groups)


_TAG_GROUPS = {
    "nav": "<nav>", "aside": "<aside>", "footer": "<footer>", "header": "<header>", "article": "<article>",
    "main": "<main>", "figure": "<figure>", "figcaption": "<figcaption>", "form": "<form>", "address": "<address>",
    "table": "<table>", "ul": "<ul>", "ol": "<ol>", "dl": "<dl>", "blockquote": "<blockquote>",
}  # fmt: skip
