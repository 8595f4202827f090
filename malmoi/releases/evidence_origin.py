"""Tell whose words licence evidence is: of the rights holder, of a statute, or of the operator of the crawl."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

RIGHTS_HOLDER, STATUTE, OPERATOR = "rights-holder", "statute", "operator"
# Kinds of a claim; "claim" is that of a claim that proves nothing, and of all claims in releases of earlier rules.
_CLAIMS: Final = ("claim", "licence-file", "dump-claim")
# The same rule in SQL over `licence_evidence e` and its `sources s`, for `malmoi verify`.
ORIGIN_SQL: Final = (
    f"CASE WHEN e.kind = 'statute' THEN '{STATUTE}' WHEN e.kind = 'review' THEN '{OPERATOR}'"
    f" WHEN e.kind IN {_CLAIMS} AND NOT contains(e.place, '://') AND s.access <> 'Git' THEN '{OPERATOR}'"
    f" ELSE '{RIGHTS_HOLDER}' END"
)


def name_origin(fact: Mapping[str, Any], access: str) -> str:
    """Return whose words a row of evidence is; `access` is that of its source.

    The claim of a source rests on a page of the publisher or on a file of its repository, which the crawler fetched. In
    any other source the file of a claim lies beside the data: the operator put it there, and nothing that the crawler
    fetched shows that the rights holder wrote it.

    >>> name_origin({"kind": "licence-file", "place": "notes.txt"}, "Folder")
    'operator'
    >>> name_origin({"kind": "project-licence", "place": "LICENSE"}, "Git")
    'rights-holder'
    >>> name_origin({"kind": "statute", "place": ""}, "Api")
    'statute'
    """
    if fact["kind"] == "statute":
        return STATUTE
    if fact["kind"] == "review":  # a person decided for the operator
        return OPERATOR
    supplied = fact["kind"] in _CLAIMS and "://" not in fact["place"] and access != "Git"
    return OPERATOR if supplied else RIGHTS_HOLDER
