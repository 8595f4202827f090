"""Questions of the card about rights: one proof for each licence, and the answers of each opt-out protocol."""

from __future__ import annotations

from data_cards.questions import Listing, Number, is_plain, site_of

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
_ORDER = (
    "regexp_matches(e.id, '/page-[0-9a-f]{24}$'),"
    " CASE e.\"by\" WHEN 'rights-holder' THEN 0 WHEN 'statute' THEN 1 ELSE 2 END,"
    " starts_with(e.quote, 'http'), regexp_matches(e.quote, '[0-9]{6}|@'), -length(e.quote), sha256(e.id), e.licence,"
    " e.kind, e.place, e.quote"
)
_QUOTE = 400  # code points of a quote that are shown

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
    "wrong_grants": _rate("Wrong grants in the sample", "표본에서 잘못된 이용허락", "sample_rate"),
    "wrong_grants_least": _rate("Wrong grants, 95 % interval from", "잘못된 이용허락, 95% 신뢰구간 하한", "sample_low"),
    "wrong_grants_most": _rate("Wrong grants, 95 % interval to", "잘못된 이용허락, 95% 신뢰구간 상한", "sample_high"),
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
