"""The names of elements in OWPML and HWPML, which differ in case and namespace only."""

from __future__ import annotations

from functools import lru_cache

from lxml import etree


def name(element: etree._Element) -> str:
    """The name of an element without its namespace, in lower case; "" for what is none.

    >>> name(etree.XML('<hp:secPr xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"/>'))
    'secpr'
    """
    return _local(element.tag) if isinstance(element.tag, str) else ""


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()
