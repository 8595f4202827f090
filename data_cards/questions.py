"""Types of the card's questions: a number or a table, with titles and SQL query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the card: English and Korean title, unit, input tables, SQL query."""

    title: str
    title_ko: str
    unit: str
    inputs: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One table of the card; `heads` are the column titles, English and Korean, in the order of the query."""

    title: str
    title_ko: str
    heads: tuple[tuple[str, str], ...]
    inputs: tuple[str, ...]
    sql: str


DOCUMENTS = ("documents", "문서")
# Host of the column `url` of data. A numeric host is not shown: the address of a machine may be personal data.
HOST = r"regexp_replace(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)', 1), '^[0-9.:\[\]]+$', 'a number')"
CHARACTERS = ("characters", "글자")
# Whole hundredths of a per cent of all characters, truncated.
SHARE = (
    "CAST(CAST(10000 * sum(n_chars) // nullif((SELECT sum(n_chars) FROM data), 0) AS DECIMAL(9, 0)) * 0.01"
    " AS DECIMAL(5, 2)) AS share"
)
SHARE_HEAD = ("% of characters", "글자 비율 %")
# A text that the card quotes must not have what may be personal data: the second detector would stop the publication,
# and no document could be left out for it. Each pattern is wider than the rules of the detector.
_SIGNS = (
    r"(?i)[@＠]|골뱅이|앳|[(\[{【] ?(at|dot|\.) ?[)\]}】]| (at|dot|\.) ",
    r"([0-9０-９①-⑳][^A-Za-z가-힣]{0,4}){6,}",
    r"([0-9０-９공영일이삼사오육륙칠팔구oOlI][^A-Za-z가-힣]{0,4}){8,}",
    r"[0-9０-９]{2,3} ?[가-힣] ?[0-9０-９]{4}|[0-9０-９] ?호",
    r"(?i)[0-9a-f]{0,4}:[0-9a-f]{0,4}:|[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+",
    r"[A-Za-z0-9_-]{20,}|[?&;][A-Za-z_]+=",
    r"(?i)private key|passport|birth|\bdob\b",
    r"여권|생 ?년 ?월 ?일|일 ?생|생일|출생|면허|보험증|계좌|예금주|등록번호",
)


_LABELS = r"(?i)password|passwd|pwd|api.?key|_key|secret|token|비밀번호|암호"  # of keys


def is_plain(text: str, *, labels: bool = False) -> str:
    """Return the SQL condition that the expression `text` has no sign of personal data; `labels`: those of keys may be.

    A reason that a person gives for a decision names what it is about.
    """
    signs = _SIGNS if labels else (*_SIGNS, _LABELS)
    return "NOT (" + " OR ".join(f"regexp_matches({text}, '{sign}')" for sign in signs) + ")"


def site_of(url: str) -> str:
    """Return SQL for scheme and host of an address; empty for a number, which may be a machine of a person."""
    return rf"regexp_extract({url}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#0-9:@]+', 0)"
