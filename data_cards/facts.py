"""Facts of a data card: every number and every table, as an SQL query over the tables of a release.

An answer contains integers, decimals and strings, in a fixed order. Measures are not summed: floating point sums
depend on the number of threads. Deciles are values from the data.
"""

from __future__ import annotations

from data_cards import (
    ablation_tables,
    document_tables,
    duplicate_tables,
    inspection_tables,
    personal_data_tables,
    rights_tables,
    text_tables,
)
from data_cards.questions import CHARACTERS, DOCUMENTS, HOST, SHARE, SHARE_HEAD, Listing, Number

FACTS_VERSION = 12  # raise it with any change of a query or its title: a card is rendered by the list that made it

_DATA = ("data",)
_FIRST = "stage = (SELECT min(stage) FROM stages)"
_HOLDER, _STATUTE, _OPERATOR = (
    f"SELECT id FROM licence_evidence WHERE \"by\" = '{by}'" for by in ("rights-holder", "statute", "operator")
)
_TENTHS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
_PERCENT = [round(q * 100) for q in _TENTHS]

NUMBERS: dict[str, Number] = {
    "documents": Number("Documents", "문서", "documents", _DATA, "SELECT count(*) FROM data"),
    "characters": Number(
        "Characters", "글자", "code points", _DATA, "SELECT coalesce(sum(n_chars), 0)::BIGINT FROM data"
    ),
    "bytes": Number("Text", "본문 크기", "bytes", _DATA, "SELECT coalesce(sum(n_bytes), 0)::BIGINT FROM data"),
    "sentences": Number(
        "Sentences", "문장", "sentences", _DATA, "SELECT coalesce(sum(n_sentences), 0)::BIGINT FROM data"
    ),
    "morphemes": Number(
        "Morphemes", "형태소", "morphemes", _DATA, "SELECT coalesce(sum(n_morphemes), 0)::BIGINT FROM data"
    ),
    "sources": Number("Sources", "소스", "sources", _DATA, "SELECT count(DISTINCT source) FROM data"),
    "licences": Number(
        "Licence expressions", "라이선스", "expressions", _DATA, "SELECT count(DISTINCT license) FROM data"
    ),
    "hosts": Number("Hosts", "호스트", "hosts", _DATA, f"SELECT count(DISTINCT {HOST}) FROM data WHERE {HOST} <> ''"),
    "first_date": Number(
        "Earliest text", "가장 이른 문서", "date", _DATA, "SELECT min(date) FROM data WHERE date <> ''"
    ),
    "last_date": Number("Latest text", "가장 늦은 문서", "date", _DATA, "SELECT max(date) FROM data WHERE date <> ''"),
    "undated": Number("Without a date", "날짜 없음", "documents", _DATA, "SELECT count(*) FROM data WHERE date = ''"),
    "first_fetched": Number("First fetched", "수집 시작", "time, UTC", _DATA, "SELECT min(fetched) FROM data"),
    "last_fetched": Number("Last fetched", "수집 종료", "time, UTC", _DATA, "SELECT max(fetched) FROM data"),
    "with_evidence": Number(
        "Documents with licence evidence",
        "라이선스 증거가 있는 문서",
        "documents",
        ("data", "licence_evidence"),
        "SELECT count(*) FROM data WHERE id IN (SELECT id FROM licence_evidence)",
    ),
    "evidence_share": Number(
        "Share of documents with licence evidence",
        "라이선스 증거가 있는 비율",
        "%",
        ("data", "licence_evidence"),
        # Whole hundredths, truncated: 100.00 means all documents.
        "SELECT CAST(CAST(10000 * count(*) FILTER (id IN (SELECT id FROM licence_evidence)) // count(*)"
        " AS DECIMAL(9, 0)) * 0.01 AS DECIMAL(5, 2)) FROM data",
    ),
    "item_evidence": Number(
        "Documents with the licence on the item itself",
        "문서 자체에 라이선스가 표시된 문서",
        "documents",
        ("data", "licence_evidence"),
        "SELECT count(*) FROM data WHERE id IN (SELECT id FROM licence_evidence WHERE scope = 'item')",
    ),
    "rights_holder_evidence": Number(
        "Documents whose licence the source itself shows",
        "소스 자체에 라이선스 근거가 있는 문서",
        "documents",
        ("data", "licence_evidence"),
        f"SELECT count(*) FROM data WHERE id IN ({_HOLDER})",
    ),
    "statute_evidence": Number(
        "Documents that a statute leaves free",
        "법률에 따라 보호되지 않는 문서",
        "documents",
        ("data", "licence_evidence"),
        f"SELECT count(*) FROM data WHERE id IN ({_STATUTE}) AND id NOT IN ({_HOLDER})",
    ),
    "operator_evidence": Number(
        "Documents whose licence only a note of the operator states",
        "운영자 메모만 라이선스 근거인 문서",
        "documents",
        ("data", "licence_evidence"),
        f"SELECT count(*) FROM data WHERE id IN ({_OPERATOR}) AND id NOT IN ({_HOLDER}) AND id NOT IN ({_STATUTE})",
    ),
    "entered": Number(
        "Documents in",
        "입력 문서",
        "documents",
        ("stages",),
        f"SELECT coalesce(sum(n), 0)::BIGINT FROM stages WHERE outcome = 'in' AND {_FIRST}",
    ),
    "dropped": Number("Dropped", "제외한 문서", "documents", ("dropped",), "SELECT count(*) FROM dropped"),
    "failed": Number("Failed", "처리 실패 문서", "documents", ("failed",), "SELECT count(*) FROM failed"),
    "torn": Number(
        "Unreadable records",
        "읽지 못한 레코드",
        "records",
        ("stages",),
        "SELECT coalesce(sum(n), 0)::BIGINT FROM stages WHERE outcome = 'torn'",
    ),
    "withdrawn": Number(
        "Withdrawn documents left out",
        "철회되어 제외한 문서",
        "documents",
        ("dropped",),
        "SELECT count(*) FROM dropped WHERE reason = 'withdrawn'",
    ),
    **rights_tables.NUMBERS,
    **inspection_tables.NUMBERS,
    **ablation_tables.NUMBERS,
    **duplicate_tables.NUMBERS,
    **personal_data_tables.NUMBERS,
    **text_tables.NUMBERS,
    **document_tables.NUMBERS,
    "opt_outs": Number(
        "Documents that opted out",
        "이용 거부(옵트아웃) 문서",
        "documents",
        ("signals",),
        "SELECT count(DISTINCT id) FROM signals WHERE effect = 'opt-out'",
    ),
}

TABLES: dict[str, Listing] = {
    "by_licence": Listing(
        "By licence and use",
        "라이선스와 용도별",
        (("use", "용도"), ("licence", "라이선스"), DOCUMENTS, CHARACTERS, ("bytes", "바이트"), SHARE_HEAD),
        _DATA,
        'SELECT "use", license, count(*) AS documents, sum(n_chars)::BIGINT AS characters,'
        f" sum(n_bytes)::BIGINT AS bytes, {SHARE} FROM data GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    "partitions": Listing(
        "By licence, field and split",
        "라이선스, 분야, 분할별",
        (
            ("use", "용도"),
            ("licence", "라이선스"),
            ("domain", "분야"),
            ("split", "분할"),
            DOCUMENTS,
            CHARACTERS,
            ("bytes", "바이트"),
        ),
        _DATA,
        "SELECT \"use\", license, CASE domain WHEN '' THEN 'general' ELSE domain END AS domain, split,"
        " count(*) AS documents, sum(n_chars)::BIGINT AS characters, sum(n_bytes)::BIGINT AS bytes"
        " FROM data GROUP BY ALL ORDER BY 1, 2, 3, 4",
    ),
    "by_source": Listing(
        "By source",
        "소스별",
        (("source", "소스"), ("title", "이름"), ("publisher", "제공자"), DOCUMENTS, CHARACTERS),
        ("data", "sources"),
        "SELECT s.name, s.title, s.publisher, count(d.id) AS documents,"
        " coalesce(sum(d.n_chars), 0)::BIGINT AS characters"
        " FROM sources s LEFT JOIN data d ON d.source = s.name GROUP BY ALL ORDER BY 4 DESC, 1",
    ),
    "by_register": Listing(
        "By register",
        "글 종류별",
        (("register", "글 종류"), DOCUMENTS, CHARACTERS),
        _DATA,
        "SELECT register, count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data"
        " GROUP BY ALL ORDER BY 2 DESC, 1",
    ),
    "by_domain": Listing(
        "By domain",
        "분야별",
        (("domain", "분야"), DOCUMENTS, CHARACTERS),
        _DATA,
        "SELECT domain, count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data"
        " GROUP BY ALL ORDER BY 2 DESC, 1",
    ),
    "by_hangul_share": Listing(
        "By share of Hangul among letters",
        "한글 비율별",
        (("hangul share", "한글 비율"), DOCUMENTS, CHARACTERS, SHARE_HEAD),
        _DATA,
        "SELECT CASE WHEN step IS NULL THEN '' ELSE '0.' || step || '–' ||"
        " CASE step WHEN 9 THEN '1.0' ELSE '0.' || (step + 1) END END AS hangul_share,"
        f" count(*) AS documents, sum(n_chars)::BIGINT AS characters, {SHARE} FROM"
        " (SELECT n_chars, least(floor(hangul_share * 10), 9)::INTEGER AS step FROM data)"
        " GROUP BY step ORDER BY step NULLS LAST",
    ),
    "by_year": Listing(
        "By year of publication",
        "발행 연도별",
        (("year", "연도"), DOCUMENTS, CHARACTERS),
        _DATA,
        "SELECT substr(date, 1, 4) AS year, count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data"
        " GROUP BY ALL ORDER BY 1",
    ),
    "hosts": Listing(
        "Hosts with the most documents",
        "문서가 많은 호스트",
        (("host", "호스트"), DOCUMENTS, CHARACTERS),
        _DATA,
        f"SELECT {HOST} AS host, count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data"
        " GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 10",
    ),
    "funnel": Listing(
        "Documents by stage",
        "단계별 문서 수",
        (("stage", "단계"), ("in", "입력"), ("kept", "유지"), ("dropped", "제외"), ("failed", "실패")),
        ("stages",),
        "SELECT stage, "
        + ", ".join(
            f"coalesce(sum(n) FILTER (outcome = '{outcome}'), 0)::BIGINT AS \"{outcome}\""
            for outcome in ("in", "kept", "dropped", "failed")
        )
        + " FROM stages WHERE outcome <> 'torn' GROUP BY stage ORDER BY stage",
    ),
    "drop_reasons": Listing(
        "Drop reasons",
        "제외 사유",
        (("stage", "단계"), ("filter", "필터"), ("reason", "제외 사유"), DOCUMENTS),
        ("stages",),
        "SELECT stage, filter, reason, sum(n)::BIGINT AS documents FROM stages WHERE outcome = 'dropped'"
        " GROUP BY ALL ORDER BY 1, 4 DESC, 2, 3",
    ),
    "failures": Listing(
        "Failures",
        "실패 원인",
        (("stage", "단계"), ("why", "원인"), DOCUMENTS),
        ("failed",),
        "SELECT stage, why, count(*) AS documents FROM failed GROUP BY ALL ORDER BY 1, 2",
    ),
    "edits": Listing(
        "Changes to the texts",
        "본문 수정 내역",
        (("filter", "필터"), ("reason", "수정 사유"), ("edits", "수정 횟수")),
        ("edits",),
        "SELECT filter, reason, sum(n)::BIGINT AS edits FROM edits GROUP BY ALL ORDER BY 3 DESC, 1, 2",
    ),
    **personal_data_tables.TABLES,
    **duplicate_tables.TABLES,
    **rights_tables.TABLES,
    **inspection_tables.TABLES,
    **ablation_tables.TABLES,
    **text_tables.TABLES,
    **document_tables.TABLES,
    "evidence": Listing(
        "Licence evidence by kind",
        "종류별 라이선스 증거",
        (("licence", "라이선스"), ("kind", "증거"), ("scope", "범위"), ("by", "밝힌 주체"), DOCUMENTS),
        ("licence_evidence",),
        'SELECT licence, kind, scope, "by", count(DISTINCT id) AS documents FROM licence_evidence'
        " GROUP BY ALL ORDER BY 1, 2, 3, 4",
    ),
    "signals": Listing(
        "Signals about use",
        "이용 관련 신호",
        (("signal", "신호"), ("effect", "효과"), DOCUMENTS),
        ("signals",),
        "SELECT name, effect, count(DISTINCT id) AS documents FROM signals GROUP BY ALL ORDER BY 1, 2",
    ),
    "deciles": Listing(
        "Distribution over documents",
        "문서 분포",
        (
            ("share of documents, %", "문서 누적 비율, %"),
            CHARACTERS,
            ("hangul share", "한글 비율"),
            ("quality", "품질 점수"),
        ),
        _DATA,
        # One scan for all shares; `unnest` of the lists gives a row for each.
        f"SELECT unnest({_PERCENT}) AS upto, unnest(quantile_disc(n_chars, {_TENTHS})) AS n_chars,"
        f" CAST(unnest(quantile_disc(hangul_share, {_TENTHS})) AS DECIMAL(9, 3)) AS hangul_share,"
        f" CAST(unnest(quantile_disc(quality, {_TENTHS})) AS DECIMAL(9, 3)) AS quality FROM data ORDER BY 1",
    ),
    "sources": Listing(
        "Sources and their terms",
        "소스와 약관",
        (
            ("source", "소스"),
            ("access", "수집 방식"),
            ("licences it claims", "명시한 라이선스"),
            ("terms check", "약관 확인"),
        ),
        ("sources",),
        "SELECT name, access, array_to_string(licences, ', ') AS licences, terms FROM sources ORDER BY name",
    ),
}
