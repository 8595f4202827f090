"""Questions of the card about duplicates, and about overlap with evaluation sets."""

from __future__ import annotations

from data_cards.questions import DOCUMENTS, HOST, Listing, Number

MOST, MOST_OF_HOST = 10, 3  # rows of the table of the most duplicated texts: in total, and per host

_CLUSTERS = ("clusters",)
_MEMBERS = "(SELECT cluster, keeper AS id FROM clusters UNION SELECT cluster, member FROM clusters)"
_SIZES = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 100))  # bins of cluster sizes in documents: first and last, inclusive
_SIZE = " ".join(f"WHEN n <= {last} THEN '{first}{f'–{last}' if last > first else ''}'" for first, last in _SIZES)
_STEPS = 20  # bins of the similarity histogram: 0.05 wide, lower bound included; 1 has its own bin
_OVERLAP = "overlap-"  # prefix of the drop reason, before the name of the evaluation set


def _edge(step: str) -> str:
    """Return SQL for the lower bound of a histogram bin, in two decimals."""
    return f"CAST(CAST({step} AS DECIMAL(4, 0)) * 0.05 AS DECIMAL(3, 2))::VARCHAR"


NUMBERS: dict[str, Number] = {
    "clusters": Number(
        "Duplicate clusters", "중복 클러스터", "clusters", _CLUSTERS, "SELECT count(DISTINCT cluster) FROM clusters"
    ),
    "copies": Number(
        "Duplicates found", "중복 문서", "documents", _CLUSTERS, "SELECT count(DISTINCT member) FROM clusters"
    ),
    "largest_cluster": Number(
        "Largest cluster",
        "가장 큰 클러스터",
        "documents",
        _CLUSTERS,
        f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {_MEMBERS} GROUP BY cluster)",
    ),
    "earlier_copies": Number(
        "Duplicates of documents in earlier releases",
        "이전 릴리스 문서의 중복",
        "documents",
        _CLUSTERS,
        "SELECT count(DISTINCT member) FROM clusters WHERE \"release\" <> ''",
    ),
    "overlapping": Number(
        "Published documents that overlap with evaluation sets",
        "평가 데이터와 겹치는 공개 문서",
        "documents",
        ("data",),
        # NULL if no filter checked, which differs from 0.
        "SELECT CASE WHEN count(benchmarks) > 0 THEN count(*) FILTER (len(benchmarks) > 0) END FROM data",
    ),
}

TABLES: dict[str, Listing] = {
    "copies": Listing(
        "Duplicates by kind",
        "종류별 중복 문서",
        (("kind", "종류"), DOCUMENTS),
        _CLUSTERS,
        "SELECT kind, count(DISTINCT member) AS documents FROM clusters GROUP BY ALL ORDER BY 1",
    ),
    "cluster_sizes": Listing(
        "Cluster sizes",
        "클러스터 크기",
        (
            ("documents in a cluster", "클러스터의 문서 수"),
            ("clusters", "클러스터"),
            DOCUMENTS,
            ("published", "릴리스에 포함"),
        ),
        ("data", "clusters"),
        f"SELECT CASE {_SIZE} ELSE '>{_SIZES[-1][1]}' END AS size, count(*) AS clusters, sum(n)::BIGINT AS documents,"
        " sum(held)::BIGINT AS published FROM ("
        f"SELECT cluster, count(*) AS n, count(d.id) AS held FROM {_MEMBERS} m LEFT JOIN data d USING (id)"
        " GROUP BY cluster UNION ALL SELECT id, 1, 1 FROM data WHERE cluster_size = 1)"
        " GROUP BY 1 ORDER BY min(n)",
    ),
    "similarities": Listing(
        "Similarity of duplicates to their keeper",
        "중복 문서와 대표 문서의 유사도",
        (("Jaccard similarity", "자카드 유사도"), DOCUMENTS, ("measured on the texts", "본문에서 측정")),
        _CLUSTERS,
        f"SELECT CASE WHEN step = {_STEPS} THEN '1.00' ELSE {_edge('step')} || '–' || {_edge('step + 1')} END"
        " AS similarity, count(c.member) AS documents, count(c.member) FILTER (c.measured = 'exact') AS measured"
        f" FROM (SELECT unnest(range((SELECT min(floor(similarity * {_STEPS}))::BIGINT FROM clusters), {_STEPS + 1}))"
        f" AS step) s LEFT JOIN clusters c ON floor(c.similarity * {_STEPS})::BIGINT = s.step"
        " GROUP BY step ORDER BY step",
    ),
    "keeper_reasons": Listing(
        "How keepers were chosen",
        "대표 문서 선정 기준",
        (("decided by", "선정 기준"), ("duplicates", "중복 문서"), ("keepers", "대표 문서")),
        _CLUSTERS,
        "SELECT reason, count(*) AS copies, count(DISTINCT keeper) AS keepers FROM clusters"
        " GROUP BY 1 ORDER BY 2 DESC, 1",
    ),
    "earlier_releases": Listing(
        "Duplicates of documents in earlier releases, by release",
        "이전 릴리스 문서와의 중복(릴리스별)",
        (("release", "릴리스"), ("duplicates", "중복 문서"), ("documents there", "해당 릴리스의 문서")),
        _CLUSTERS,
        'SELECT "release", count(DISTINCT member) AS copies, count(DISTINCT keeper) AS keepers FROM clusters'
        " WHERE \"release\" <> '' GROUP BY 1 ORDER BY 2 DESC, 1",
    ),
    "most_copied": Listing(
        f"Published texts with the most duplicates, at most {MOST_OF_HOST} of a host",
        f"중복이 가장 많은 공개 문서(호스트마다 {MOST_OF_HOST}건까지)",
        (("host", "호스트"), ("document", "문서"), ("duplicates", "중복 문서")),
        ("data", "clusters"),
        "SELECT host, id, copies FROM ("
        f"SELECT {HOST} AS host, id, copies, row_number() OVER (PARTITION BY {HOST} ORDER BY copies DESC, id) AS place"
        " FROM (SELECT keeper AS id, count(DISTINCT member) AS copies FROM clusters GROUP BY 1) JOIN data USING (id))"
        f" WHERE place <= {MOST_OF_HOST} ORDER BY copies DESC, host, id LIMIT {MOST}",
    ),
    "evaluation_sets": Listing(
        "Overlap with evaluation sets",
        "평가 데이터와 겹침",
        (("set", "평가 데이터"), ("dropped", "제외한 문서"), ("marked", "표시한 문서")),
        ("data", "dropped"),
        "SELECT name, count(*) FILTER (gone) AS dropped, count(*) FILTER (NOT gone) AS marked FROM ("
        f"SELECT substr(reason, {len(_OVERLAP) + 1}) AS name, true AS gone FROM dropped"
        f" WHERE starts_with(reason, '{_OVERLAP}')"
        " UNION ALL SELECT unnest(benchmarks), false FROM data)"
        " GROUP BY 1 ORDER BY 1",
    ),
}
