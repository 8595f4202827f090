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
from data_cards.rights_tables import DECIDING
from malmoi.licensing.proofs import REVIEW

FACTS_VERSION = 13  # raise it with any change of a query or its title: a card is rendered by the list that made it

_DATA = ("data",)
_FIRST = "stage = (SELECT min(stage) FROM stages)"
_EVIDENCE = ("data", "licence_evidence")
# Whose words prove the licence of each document: those of the rights holder first, those of the operator last.
_ORIGIN = (
    "SELECT id, arg_min(\"by\", list_position(['rights-holder', 'statute', 'operator'], \"by\")) AS origin"
    f" FROM ({DECIDING}) GROUP BY id"
)
_COUNT = f"SELECT count(*) FROM data JOIN ({_ORIGIN}) USING (id)"
_SHARE = (  # whole hundredths of a per cent, truncated: 100.00 means all documents
    "SELECT CAST(CAST(10000 * count(*) FILTER ({}) // count(*) AS DECIMAL(9, 0)) * 0.01 AS DECIMAL(5, 2))"
    f" FROM data LEFT JOIN ({_ORIGIN}) USING (id)"
)
_TIMES = "of a file its last change, of a repository its commit"
_TIMES_KO = "파일은 마지막 수정, 저장소는 커밋 시각"
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
    "hosts": Number(
        "Hosts; numeric ones count as one",
        "호스트(숫자 주소는 하나로 셈)",
        "hosts",
        _DATA,
        f"SELECT count(DISTINCT {HOST}) FROM data WHERE {HOST} <> ''",
    ),
    "first_date": Number(
        "Earliest date that a text states",
        "문서에 적힌 가장 이른 날짜",
        "date",
        _DATA,
        "SELECT min(date) FROM data WHERE date <> ''",
    ),
    "last_date": Number(
        "Latest date that a text states",
        "문서에 적힌 가장 늦은 날짜",
        "date",
        _DATA,
        "SELECT max(date) FROM data WHERE date <> ''",
    ),
    "undated": Number(
        "Documents without a date", "날짜 없는 문서", "documents", _DATA, "SELECT count(*) FROM data WHERE date = ''"
    ),
    "first_fetched": Number(
        f"Earliest capture ({_TIMES})",
        f"가장 이른 캡처({_TIMES_KO})",
        "time, UTC",
        _DATA,
        "SELECT min(fetched) FROM data",
    ),
    "last_fetched": Number(
        f"Latest capture ({_TIMES})",
        f"가장 늦은 캡처({_TIMES_KO})",
        "time, UTC",
        _DATA,
        "SELECT max(fetched) FROM data",
    ),
    "with_evidence": Number(
        "Documents with a proof of their licence",
        "라이선스를 증명하는 증거가 있는 문서",
        "documents",
        _EVIDENCE,
        _COUNT,
    ),
    "evidence_share": Number(
        "Share of documents with a proof of their licence",
        "라이선스를 증명하는 증거가 있는 문서 비율",
        "%",
        _EVIDENCE,
        _SHARE.format("origin IS NOT NULL"),
    ),
    "item_evidence": Number(
        "Documents with the proof of their licence on the item itself",
        "문서 자체에 라이선스 증거가 있는 문서",
        "documents",
        _EVIDENCE,
        "SELECT count(*) FROM data WHERE id IN"
        f" (SELECT id FROM ({DECIDING}) WHERE scope = 'item' AND kind <> '{REVIEW}')",
    ),
    "rights_holder_evidence": Number(
        "Documents with a proof on pages or in records of the source itself",
        "소스 자체의 페이지나 레코드가 증거인 문서",
        "documents",
        _EVIDENCE,
        f"{_COUNT} WHERE origin = 'rights-holder'",
    ),
    "statute_evidence": Number(
        "Documents whose proof is a statute that fits their address and form",
        "주소와 형식에 맞는 법 조항이 증거인 문서",
        "documents",
        _EVIDENCE,
        f"{_COUNT} WHERE origin = 'statute'",
    ),
    "operator_evidence": Number(
        "Documents whose only proof is a note or decision of the operator",
        "운영자의 메모나 결정만 증거인 문서",
        "documents",
        _EVIDENCE,
        f"{_COUNT} WHERE origin = 'operator'",
    ),
    "operator_share": Number(
        "Share of documents whose only proof is a note or decision of the operator",
        "운영자의 메모나 결정만 증거인 문서 비율",
        "%",
        _EVIDENCE,
        _SHARE.format("origin = 'operator'"),
    ),
    "entered": Number(
        "Documents into the first stage",
        "첫 단계에 들어온 문서",
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
        "Documents that opted out explicitly, published or dropped",
        "명시적 이용 거부(옵트아웃)가 있는 문서(공개·제외 모두)",
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
        "Licence evidence found, proofs and what proves nothing, by kind",
        "찾은 라이선스 증거(증명이 되지 않는 것 포함), 종류별",
        (("licence", "라이선스"), ("kind", "증거"), ("scope", "범위"), ("by", "밝힌 주체"), DOCUMENTS),
        ("licence_evidence",),
        'SELECT licence, kind, scope, "by", count(DISTINCT id) AS documents FROM licence_evidence'
        " GROUP BY ALL ORDER BY 1, 2, 3, 4",
    ),
    "signals": Listing(
        "Signals about use, of published and dropped documents",
        "이용 관련 신호(공개·제외 문서 모두)",
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
