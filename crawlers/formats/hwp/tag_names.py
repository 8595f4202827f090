"""Normalise element names of OWPML and HWPML, which differ only in case and namespace."""

from __future__ import annotations

from functools import lru_cache

from lxml import etree


def name(element: etree._Element) -> str:
    """Return the name of an element without its namespace, in lower case; "" for a comment or similar.

    >>> name(etree.XML('<hp:secPr xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"/>'))
    'secpr'
    """
    return _local(element.tag) if isinstance(element.tag, str) else ""


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()
