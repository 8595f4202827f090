"""Questions of the card about the texts: sample documents, their lengths, quality and fields, and what dominates."""

from __future__ import annotations

from data_cards.questions import CHARACTERS, DOCUMENTS, HOST, SHARE, SHARE_HEAD, Listing, Number, is_plain

SAMPLES = 20  # documents shown
_START = 280  # code points of a text that are shown, up to the last blank
_CANDIDATES = 48  # documents among which they are chosen
_DATA = ("data",)
_BINS = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)  # lower bounds of text lengths, in code points
_NAMES = [f"{low:,}–{high - 1:,}" for low, high in zip((0, *_BINS), _BINS, strict=False)] + [f"{_BINS[-1]:,}+"]
_BIN = " ".join(f"WHEN n_chars < {high} THEN {step}" for step, high in enumerate(_BINS))
_BIN_NAME = " ".join(f"WHEN {step} THEN '{name}'" for step, name in enumerate(_NAMES))
# Only whole numbers are added: a sum of floating point numbers depends on the order.
_HANGUL = "sum(CAST(floor(hangul_share * 1000) AS BIGINT) * n_chars) // nullif(sum(n_chars), 0)"


def _largest(by: str, of: str = "true") -> str:
    """Return SQL for the share of characters of the largest group by the expression `by`, among the rows `of`."""
    return f"SELECT coalesce(max(share), 0.00) FROM (SELECT {SHARE} FROM data WHERE {of} GROUP BY {by})"


NUMBERS: dict[str, Number] = {
    "hangul_weighted": Number(
        "Share of Hangul among letters, weighted by length",
        "글자 중 한글 비율(길이 가중)",
        "%",
        _DATA,
        f"SELECT CAST(CAST({_HANGUL} AS DECIMAL(9, 0)) * 0.1 AS DECIMAL(4, 1)) FROM data"
        " WHERE hangul_share IS NOT NULL",
    ),
    "largest_source": Number(
        "Share of characters of the largest source", "가장 큰 소스의 글자 비율", "%", _DATA, _largest("source")
    ),
    "largest_host": Number(
        "Share of characters of the largest host; files have none",
        "가장 큰 호스트의 글자 비율(파일은 호스트 없음)",
        "%",
        _DATA,
        _largest(HOST, f"{HOST} <> ''"),
    ),
    "without_field": Number(
        "Share of characters of texts without a field",
        "분야가 없는 글의 글자 비율",
        "%",
        _DATA,
        f"SELECT coalesce(max(share), 0.00) FROM (SELECT {SHARE} FROM data WHERE domain = '')",
    ),
}

TABLES: dict[str, Listing] = {
    "samples": Listing(
        "Sample documents",
        "예시 문서",
        (
            ("document", "문서"),
            ("title", "제목"),
            ("source", "소스"),
            ("domain", "분야"),
            ("licence", "라이선스"),
            ("register", "글 종류"),
            ("date", "날짜"),
            ("characters", "글자"),
            ("beginning of the text", "본문 앞부분"),
        ),
        _DATA,
        # No document whose page may still show a masked number that leads to harm (decision 11). DuckDB reads the texts
        # of the candidates alone if they are at most 50 (late materialization).
        "SELECT id, title, source, domain, license, register, date, n_chars, start FROM (SELECT *, row_number() OVER"
        " (PARTITION BY domain, license, register ORDER BY sha256(id)) AS turn FROM (SELECT id, title, source, domain,"
        f" license, register, date, n_chars, CASE WHEN n_chars > {_START} THEN"
        f" regexp_replace(substr(text, 1, {_START}), '\\S*$', '') ELSE text END AS start FROM (SELECT * FROM data"
        " WHERE coalesce(abuse, '') = '' AND NOT regexp_matches(id, '/page-[0-9a-f]{24}$')"
        f" ORDER BY sha256(id) LIMIT {_CANDIDATES}))"
        f" WHERE {is_plain('title')} AND {is_plain('start')} AND trim(start) <> '')"
        f" ORDER BY turn, sha256(id) LIMIT {SAMPLES}",
    ),
    "fields_by_register": Listing(
        "Fields by kind of text",
        "분야와 글 종류별",
        (("domain", "분야"), ("register", "글 종류"), DOCUMENTS, CHARACTERS),
        _DATA,
        "SELECT domain, register, count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data"
        " GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2",
    ),
    "lengths": Listing(
        "By length of the text",
        "본문 길이별",
        (("characters of a text", "본문 글자 수"), DOCUMENTS, CHARACTERS, SHARE_HEAD),
        _DATA,
        f"SELECT CASE step {_BIN_NAME} END AS length, count(*) AS documents, sum(n_chars)::BIGINT AS characters,"
        f" {SHARE} FROM (SELECT n_chars, CASE {_BIN} ELSE {len(_BINS)} END AS step FROM data)"
        " GROUP BY step ORDER BY step",
    ),
    "by_quality": Listing(
        "By quality score",
        "품질 점수별",
        (("quality", "품질 점수"), DOCUMENTS, CHARACTERS, SHARE_HEAD),
        _DATA,
        "SELECT CASE WHEN step IS NULL THEN '' ELSE '0.' || step || '–' ||"
        " CASE step WHEN 9 THEN '1.0' ELSE '0.' || (step + 1) END END AS quality,"
        f" count(*) AS documents, sum(n_chars)::BIGINT AS characters, {SHARE} FROM"
        " (SELECT n_chars, greatest(0, least(floor(quality * 10), 9))::INTEGER AS step FROM data)"
        " GROUP BY step ORDER BY step NULLS LAST",
    ),
}
