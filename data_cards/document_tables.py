"""Questions of the documents for others: collection, hosts by size, languages, and checks of their claims."""

from __future__ import annotations

from data_cards.questions import DOCUMENTS, HOST, Listing, Number

MOST_HOSTS = 1000  # rows of the table of hosts
# Ways of access by which the crawler asks pages of a site.
_CRAWLED = "access IN ('Site', 'Sitemap', 'Feed', 'Api', 'OaiPmh')"
_PAGES = f"(SELECT d.*, {HOST} AS host FROM data d JOIN sources s ON d.source = s.name WHERE {_CRAWLED})"
_CHARS, _BYTES = ("characters", "글자"), ("bytes", "바이트")
_SIZE = "count(*) AS documents, sum(n_chars)::BIGINT AS characters, sum(n_bytes)::BIGINT AS bytes"
_IDENTIFIERS = (
    "('rrn', 'frn', 'passport', 'driver_license')"  # of Article 24 of the Personal Information Protection Act
)

NUMBERS: dict[str, Number] = {
    "first_crawled": Number(
        "Earliest answer of a site or interface",
        "사이트나 API의 가장 이른 응답",
        "time, UTC",
        ("data", "sources"),
        f"SELECT min(fetched) FROM {_PAGES}",
    ),
    "last_crawled": Number(
        "Latest answer of a site or interface",
        "사이트나 API의 가장 늦은 응답",
        "time, UTC",
        ("data", "sources"),
        f"SELECT max(fetched) FROM {_PAGES}",
    ),
    "crawled_hosts": Number(
        "Crawled hosts with published documents",
        "공개 문서가 있는 크롤링 호스트",
        "hosts",
        ("data", "sources"),
        f"SELECT count(DISTINCT host) FROM {_PAGES}",
    ),
    "declared_sources": Number(
        "Declared sources", "선언한 소스", "sources", ("sources",), "SELECT count(*) FROM sources"
    ),
    "terms_checked": Number(
        "Sources whose terms of use were checked",
        "이용약관을 확인한 소스",
        "sources",
        ("sources",),
        "SELECT count(*) FROM sources WHERE terms <> ''",
    ),
    "published_opt_outs": Number(
        "Published documents that opted out explicitly",
        "명시적 이용 거부(옵트아웃)가 있는데 공개된 문서",
        "documents",
        ("data", "signals"),
        "SELECT count(*) FROM data WHERE id IN (SELECT id FROM signals WHERE effect = 'opt-out')",
    ),
    "with_record": Number(
        "Documents that name their archived response",
        "보관된 응답을 가리키는 문서",
        "documents",
        ("data",),
        "SELECT count(*) FROM data WHERE record <> ''",
    ),
    "with_attribution": Number(
        "Documents with a sentence of attribution",
        "출처 표시 문구가 있는 문서",
        "documents",
        ("data",),
        "SELECT count(*) FROM data WHERE attribution <> ''",
    ),
    "identifiers_left": Number(
        "Unique identifiers that the second detector finds in published tables",
        "두 번째 검출기가 공개 테이블에서 찾은 고유식별정보",
        "places",
        ("residue",),
        f"SELECT coalesce(sum(n), 0)::BIGINT FROM residue WHERE outcome = 'found' AND kind IN {_IDENTIFIERS}",
    ),
}

TABLES: dict[str, Listing] = {
    "collection": Listing(
        "Collection by source",
        "소스별 수집",
        (
            ("source", "소스"),
            ("access", "수집 방식"),
            ("earliest capture", "가장 이른 캡처"),
            ("latest capture", "가장 늦은 캡처"),
            DOCUMENTS,
            _CHARS,
            _BYTES,
        ),
        ("data", "sources"),
        f"SELECT source, access, min(fetched) AS first_fetched, max(fetched) AS last_fetched, {_SIZE}"
        " FROM data JOIN sources ON source = sources.name GROUP BY 1, 2 ORDER BY 1",
    ),
    "largest_hosts": Listing(
        "Crawled hosts with the most text",
        "본문이 많은 크롤링 호스트",
        (("host", "호스트"), DOCUMENTS, _CHARS, _BYTES),
        ("data", "sources"),
        "SELECT host, documents, characters, bytes FROM (SELECT *, row_number() OVER (ORDER BY bytes DESC, host)"
        " AS place, count(*) OVER () AS hosts FROM"
        f" (SELECT host, {_SIZE} FROM {_PAGES} GROUP BY 1)) WHERE place <= least((hosts + 9) // 10, {MOST_HOSTS})"
        " ORDER BY place",
    ),
    "by_language": Listing(
        "By language",
        "언어별",
        (("language", "언어"), DOCUMENTS, _CHARS),
        ("data",),
        "SELECT language, count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data"
        " GROUP BY ALL ORDER BY 2 DESC, 1",
    ),
    "by_abuse": Listing(
        "By label of hate speech or offence",
        "혐오·공격 표현 판정별",
        (("label", "판정"), DOCUMENTS, _CHARS),
        ("data",),
        "SELECT CASE WHEN abuse IS NULL THEN 'not judged' WHEN abuse = '' THEN 'neither' ELSE abuse END AS label,"
        " count(*) AS documents, sum(n_chars)::BIGINT AS characters FROM data GROUP BY ALL ORDER BY 1",
    ),
}
