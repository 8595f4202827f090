"""Questions of the card about rights: proofs, decisions of persons, and the answers of each opt-out protocol."""

from __future__ import annotations

from data_cards.questions import DOCUMENTS, Listing, Number, is_plain, site_of
from malmoi.licensing.proofs import PROOFS, REVIEW
from malmoi.licensing.rights_decision import NONE, SCOPES, UNKNOWN

# Where each protocol is asked for: a file of the host ("": none), and the answer that is the document itself.
_PROTOCOLS = ", ".join(
    f"('{name}', '{file}', {on_page})"
    for name, file, on_page in (
        ("robots-ai", "robots", False),
        ("ai-txt", "ai-txt", False),
        ("tdm-reservation", "tdmrep", True),
        ("noai", "", True),
        ("noarchive", "", True),
        ("content-usage", "robots", True),
        ("content-signal", "robots", True),
        ("rsl", "robots", True),
        ("sentence", "", True),
    )
)
_WEB = "('Site', 'Sitemap', 'Feed', 'Warc', 'CommonCrawl')"  # each document is the web answer at its address
_EFFECT = "CASE effect WHEN 'note' THEN 0 WHEN 'granted' THEN 1 ELSE 2 END"
# State of each released document for each protocol, with record and time. `reserved` is here an inferred opt-out
# beside an open licence on the item. A protocol that is asked for in two places is absent if both were asked.
STATES = (
    "SELECT d.id, p.protocol, CASE WHEN s.effect = 2 THEN 'reserved' WHEN s.effect = 1 THEN 'granted'"
    f" WHEN (p.file = '' OR a.record IS NOT NULL) AND (o.access IN {_WEB} OR NOT p.on_page) THEN 'absent'"
    " ELSE 'not asked' END AS state,"
    " CASE state WHEN 'not asked' THEN '' WHEN 'absent' THEN coalesce(a.record, d.record) ELSE s.record END AS held,"
    " CASE WHEN state = 'not asked' THEN '' WHEN held = a.record THEN a.asked_at ELSE d.fetched END AS asked_at"
    f" FROM data d JOIN sources o ON o.name = d.source CROSS JOIN (VALUES {_PROTOCOLS}) p(protocol, file, on_page)"
    " LEFT JOIN policies a ON a.source = d.source AND a.file = p.file"
    " AND a.site = regexp_extract(d.url, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+', 0)"
    f" LEFT JOIN (SELECT id, name, max({_EFFECT}) AS effect, arg_max(record, ({_EFFECT}, record)) AS record"
    " FROM signals GROUP BY ALL) s ON s.id = d.id AND s.name = p.protocol"
)
# The evidence on which the licence of each document rests, as malmoi/licensing/rights_decision.py decides: the decision
# of a person, else the proofs of the nearest scope. Candidates, such as words that name no licence, prove nothing.
DECIDING = (
    f"SELECT * FROM licence_evidence WHERE kind IN {(*sorted(PROOFS), REVIEW)} AND licence NOT IN {(NONE, UNKNOWN)}"
    f" QUALIFY rank() OVER (PARTITION BY id ORDER BY kind <> '{REVIEW}', list_position({list(SCOPES)}, scope)) = 1"
)
_ORDER = (
    f"e.kind = '{REVIEW}', regexp_matches(e.id, '/page-[0-9a-f]{24}$'),"
    " CASE e.\"by\" WHEN 'rights-holder' THEN 0 WHEN 'statute' THEN 1 ELSE 2 END,"
    " starts_with(e.quote, 'http'), regexp_matches(e.quote, '[0-9]{6}|@'), -length(e.quote), sha256(e.id), e.licence,"
    " e.kind, e.place, e.quote"
)
_QUOTE = 400  # code points of a quote that are shown

# The place of evidence of kind `review`: reviews.jsonl#<target>-<letters>: <reviewer>, <date>
_DECISION = "'#((item|addresses|shape)-[a-z]+): (.*), ([0-9]{4}-[0-9]{2}-[0-9]{2})$'"
_JUDGED = ("judged_grants",)


def _rate(title: str, title_ko: str, column: str) -> Number:
    """Return a number of the sample in hundredths of a per cent; NULL if no sample was judged."""
    return Number(
        title, title_ko, "%", _JUDGED, f"SELECT CAST(max({column}) * 100 AS DECIMAL(5, 2)) FROM judged_grants"
    )


NUMBERS: dict[str, Number] = {
    "sampled": Number(
        "Grants that people judged in a sample",
        "사람이 표본으로 검토한 이용허락",
        "documents",
        _JUDGED,
        "SELECT coalesce(sum(judged), 0)::BIGINT FROM judged_grants",
    ),
    "sampled_of": Number(
        "Documents that the sample represents",
        "표본이 대표하는 문서",
        "documents",
        _JUDGED,
        "SELECT coalesce(sum(documents) FILTER (judged > 0), 0)::BIGINT FROM judged_grants",
    ),
    "sampled_version": Number(
        "Version that was sampled", "표본을 뽑은 버전", "version", _JUDGED, "SELECT max(version) FROM judged_grants"
    ),
    "wrong_grants": _rate(
        "Wrong grants by the sample, unsure ones included",
        "표본으로 추정한 잘못된 이용허락(불확실 포함)",
        "sample_rate",
    ),
    "wrong_grants_least": _rate(
        "Wrong grants, unsure ones included, 95 % interval from",
        "잘못된 이용허락(불확실 포함), 95% 신뢰구간 하한",
        "sample_low",
    ),
    "wrong_grants_most": _rate(
        "Wrong grants, unsure ones included, 95 % interval to",
        "잘못된 이용허락(불확실 포함), 95% 신뢰구간 상한",
        "sample_high",
    ),
}

TABLES: dict[str, Listing] = {
    "proofs": Listing(
        "One proof for each licence",
        "라이선스별 증거 하나",
        (
            ("licence", "라이선스"),
            ("whose words", "밝힌 주체"),
            ("kind", "증거"),
            ("scope", "범위"),
            ("quote", "인용문"),
            ("place", "위치"),
            ("page", "페이지"),
            ("captured", "캡처"),
            ("document", "문서"),
        ),
        ("data", "licence_evidence"),
        'SELECT license, "by", kind, scope,'
        f" CASE WHEN {is_plain('quote')} THEN substr(quote, 1, {_QUOTE}) ELSE '' END AS quote,"
        f" CASE WHEN {is_plain('place')} THEN place ELSE '' END AS place,"
        f" CASE WHEN {is_plain('url')} THEN url ELSE {site_of('url')} END AS page, fetched, id FROM ("
        "SELECT d.license, d.url, d.fetched, e.*,"
        f" row_number() OVER (PARTITION BY d.license ORDER BY {_ORDER}) AS turn"
        f" FROM ({DECIDING}) e JOIN data d USING (id)) WHERE turn = 1 ORDER BY license",
    ),
    "decisions": Listing(
        "Decisions of persons about licences of published documents",
        "공개 문서의 라이선스에 관한 사람의 검토 결정",
        (
            ("decision", "결정"),
            ("target", "대상"),
            ("reviewer", "검토자"),
            ("date", "날짜"),
            ("licence", "라이선스"),
            ("reason given", "검토 사유"),
            DOCUMENTS,
        ),
        ("licence_evidence",),
        f"SELECT regexp_extract(place, {_DECISION}, 1) AS decision, regexp_extract(place, {_DECISION}, 2) AS target,"
        f" CASE WHEN {is_plain(f'regexp_extract(place, {_DECISION}, 3)')}"
        f" THEN regexp_extract(place, {_DECISION}, 3) ELSE '' END AS reviewer,"
        f" regexp_extract(place, {_DECISION}, 4) AS date, licence,"
        f" CASE WHEN {is_plain('quote')} THEN quote ELSE '' END AS reason, count(DISTINCT id) AS documents"
        f" FROM licence_evidence WHERE kind = '{REVIEW}' GROUP BY ALL ORDER BY documents DESC, decision",
    ),
    "judged_grants": Listing(
        "Grants judged by people",
        "사람이 검토한 이용허락",
        (
            ("source", "소스"),
            ("kind", "증거"),
            ("documents", "문서"),
            ("judged", "검토"),
            ("wrong", "잘못됨"),
            ("unsure", "불확실"),
        ),
        _JUDGED,
        "SELECT source, proof, documents, judged, wrong, unsure FROM judged_grants ORDER BY 1, 2",
    ),
    "opt_outs": Listing(
        "Opt-outs by protocol",
        "규약별 옵트아웃",
        (
            ("protocol", "규약"),
            ("reserved", "거부"),
            ("granted", "허용"),
            ("absent", "표시 없음"),
            ("not asked", "확인하지 않음"),
        ),
        ("data", "dropped", "sources", "signals", "policies"),
        "SELECT protocol, "
        + ", ".join(
            f"count(*) FILTER (state = '{state}') AS {state.replace(' ', '_')}"
            for state in ("reserved", "granted", "absent", "not asked")
        )
        + f" FROM (SELECT protocol, state FROM ({STATES}) UNION ALL"
        " SELECT DISTINCT ON (id, name) name, 'reserved' FROM signals WHERE id IN (SELECT id FROM dropped)"
        " AND effect IN ('opt-out', 'inferred-opt-out')"
        f" AND name IN (SELECT protocol FROM (VALUES {_PROTOCOLS}) p(protocol, file, on_page)))"
        " GROUP BY protocol ORDER BY reserved DESC, granted DESC, protocol",
    ),
}
