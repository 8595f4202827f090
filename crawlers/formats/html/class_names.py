"""Classify elements by their class names and id."""

from __future__ import annotations

import re
from functools import lru_cache

_QUOTED_NAME = re.compile(
    r"(?:user-?)?comments?(?:[_-].*|list|area|box)?|repl(?:y|ies)(?:[_-].*)?|related?(?:[_-].*)?"
    r"|recommend(?:[_-].*)?"
    r"|quote|example|sample|embed(?:[_-].*)?|(?:[\w-]{0,30}[_-])?caption(?:[_-]?text)?|thumb(?:caption|inner)"
    r"|(?:photo|image|img|picture|figure)[_-](?:credit|caption|source|info|desc)s?|code-?(?:block|sample"
    r"|example)|highlight|tooltip(?:[_-].*)?|demo|snippet|specimen"
)
_MARK_NAME = re.compile(
    r"[\w-]{0,30}kogl[\w-]*|(?:[a-z0-9]{1,20}[_-]){0,3}(?:ccl|cc[_-]licen|g(?:o|g)ng?(?:box|nuri|gong|nr)"
    r"|ggnr|gongnr"
    r"|(?:open|public|menu)[_-]?nuri|nuri|codeview\d*$|open(?:code|type)|licen[cs]e|copyright_item"
    r"|source_area)[\w-]*"
)
_SITE_NAME = re.compile(
    r"(?:site|page|global|main)?[_-]?(?:footer|foot)(?:[_-]?(?:wrap|area|menu|info|inner|box|in|copy|\d+))?"
    r"|[glsf]nb(?:[_-].*)?|side(?:bar)?(?:[_-].*)?|aside|header(?:[_-]?(?:wrap|area|\d+))?|nav(?:bar|igation)?"
)
_WEAK_SITE_NAME = re.compile(r"copy(?:rights?)?(?:[_-].*)?")
_ITEM_NAME = re.compile(
    r"(?:sub_?|main_?|page_?)?(?:contents?|cont|article|post|entry|detail)"
    r"(?:[_-]?(?:body|view|area|wrap|box|inner|txt|text|\d+)){0,4}"
    r"|(?:board|bbs|news|article|post)?_?view(?:[_-]?(?:cont|contents?|wrap|area|body|con|box|txt|\d+)){0,4}"
)
_FORMS = (_QUOTED_NAME, _MARK_NAME, _SITE_NAME, _ITEM_NAME, _WEAK_SITE_NAME)
_ANY_NAME = re.compile("|".join(f"(?:{form.pattern})" for form in _FORMS))
NOTHING = (False, False, False, False, False)


@lru_cache(maxsize=20_000)
def classify_names(called: str) -> tuple[bool, bool, bool, bool, bool]:
    """Return what class names and ids indicate: quoted, licence mark, site frame, item, weakly the site's.

    >>> classify_names("sub_content"), classify_names("footer kogl-box")
    ((False, False, False, True, False), (False, True, True, False, False))
    """
    words = [word for word in called.lower().split() if _ANY_NAME.fullmatch(word)]
    if not words:  # common case: an id that no other element has
        return NOTHING
    quoting, marks, framing, holding, weak = (any(map(form.fullmatch, words)) for form in _FORMS)
    return quoting, marks, framing, holding, weak
