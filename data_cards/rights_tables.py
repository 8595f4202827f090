"""Questions of the card about rights: proofs, decisions of persons, and the answers of each opt-out protocol."""

from __future__ import annotations

from data_cards.questions import DOCUMENTS, Listing, is_plain, site_of
from malmoi.licensing.proofs import PROOFS, REVIEW

_SITES = "('Site', 'Sitemap', 'Feed', 'Api')"  # whose hosts are asked for robots.txt and the like
_PAGES = "('Site', 'Sitemap', 'Feed', 'Api', 'Warc')"  # whose pages have headers and markup
_PROTOCOLS = ", ".join(
    f"('{name}', {asks_host})"
    for name, asks_host in (
        ("robots-ai", True),
        ("ai-txt", True),
        ("tdm-reservation", False),
        ("noai", False),
        ("noarchive", False),
        ("content-usage", False),
        ("content-signal", False),
        ("rsl", False),
        ("sentence", False),
    )
)
# A candidate permits nothing; it is shown only beside a licence that an earlier version of the rules granted.
_PROOFS = ", ".join(f"'{kind}'" for kind in (*sorted(PROOFS), REVIEW))
_ORDER = (
    f"e.kind NOT IN ({_PROOFS}), e.kind = '{REVIEW}',"
    " regexp_matches(e.id, '/page-[0-9a-f]{24}$'),"
    " CASE e.\"by\" WHEN 'rights-holder' THEN 0 WHEN 'statute' THEN 1 ELSE 2 END,"
    " starts_with(e.quote, 'http'), regexp_matches(e.quote, '[0-9]{6}|@'), -length(e.quote), sha256(e.id), e.licence,"
    " e.kind, e.place, e.quote"
)
_QUOTE = 400  # code points of a quote that are shown

# The place of evidence of kind `review`: reviews.jsonl#<target>-<letters>: <reviewer>, <date>
_DECISION = "'#((item|addresses|shape)-[a-z]+): (.*), ([0-9]{4}-[0-9]{2}-[0-9]{2})$'"

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
            ("fetched", "수집"),
            ("document", "문서"),
        ),
        ("data", "licence_evidence"),
        'SELECT license, "by", kind, scope,'
        f" CASE WHEN {is_plain('quote')} THEN substr(quote, 1, {_QUOTE}) ELSE '' END AS quote,"
        f" CASE WHEN {is_plain('place')} THEN place ELSE '' END AS place,"
        f" CASE WHEN {is_plain('url')} THEN url ELSE {site_of('url')} END AS page, fetched, id FROM ("
        "SELECT d.license, d.url, d.fetched, e.*,"
        f" row_number() OVER (PARTITION BY d.license ORDER BY {_ORDER}) AS turn"
        " FROM licence_evidence e JOIN data d USING (id)) WHERE turn = 1 ORDER BY license",
    ),
    "decisions": Listing(
        "Decisions of persons",
        "사람의 검토 결정",
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
    "opt_outs": Listing(
        "Opt-outs by protocol",
        "규약별 옵트아웃",
        (
            ("protocol", "규약"),
            ("reserved", "거부"),
            ("granted", "허용"),
            ("absent", "표시 없음"),
            ("not asked", "확인 대상 아님"),
        ),
        ("data", "dropped", "sources", "signals"),
        "SELECT protocol, count(*) FILTER (effect = 2) AS reserved, count(*) FILTER (effect = 1) AS granted,"
        " count(*) FILTER (effect = 0 AND sought) AS absent, count(*) FILTER (effect = 0 AND NOT sought) AS not_asked"
        " FROM (SELECT p.protocol, coalesce(s.effect, 0) AS effect,"
        f" coalesce(CASE WHEN p.asks_host THEN d.access IN {_SITES} ELSE d.access IN {_PAGES} END, false) AS sought"
        " FROM (SELECT t.id, o.access FROM (SELECT id, source FROM data UNION ALL SELECT id, source FROM dropped) t"
        f" LEFT JOIN sources o ON o.name = t.source) d CROSS JOIN (VALUES {_PROTOCOLS}) p(protocol, asks_host)"
        # A note is a permission only in these two; in others it is about another use.
        " LEFT JOIN (SELECT id, name, max(CASE WHEN effect <> 'note' THEN 2"
        " WHEN name IN ('tdm-reservation', 'rsl') THEN 1 ELSE 0 END) AS effect FROM signals GROUP BY ALL) s"
        " ON s.id = d.id AND s.name = p.protocol) GROUP BY protocol ORDER BY reserved DESC, granted DESC, protocol",
    ),
}
