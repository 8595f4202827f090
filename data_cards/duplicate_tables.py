"""What a card says of copies, and of texts that overlap with evaluation sets."""

from __future__ import annotations

from data_cards.questions import DOCUMENTS, HOST, Listing, Number

MOST, MOST_OF_HOST = 10, 3  # texts in the table of the most copied: in all, and of one host

_CLUSTERS = ("clusters",)
_MEMBERS = "(SELECT cluster, keeper AS id FROM clusters UNION SELECT cluster, member FROM clusters)"
_SIZES = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 100))  # from and to, documents of a cluster
_SIZE = " ".join(f"WHEN n <= {last} THEN '{first}{f'–{last}' if last > first else ''}'" for first, last in _SIZES)
_STEPS = 20  # of the histogram of similarities: 0.05 wide, from below; 1 is a step of its own
_OVERLAP = "overlap-"  # in front of the name of a set: the reason for which a document that overlaps is dropped


def _edge(step: str) -> str:
    """A step as the similarity at which it begins, in two decimals."""
    return f"CAST(CAST({step} AS DECIMAL(4, 0)) * 0.05 AS DECIMAL(3, 2))::VARCHAR"


NUMBERS: dict[str, Number] = {
    "clusters": Number(
        "Clusters of copies", "중복 묶음", "clusters", _CLUSTERS, "SELECT count(DISTINCT cluster) FROM clusters"
    ),
    "copies": Number(
        "Copies found", "찾은 중복 문서", "documents", _CLUSTERS, "SELECT count(DISTINCT member) FROM clusters"
    ),
    "largest_cluster": Number(
        "Largest cluster",
        "가장 큰 묶음",
        "documents",
        _CLUSTERS,
        f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {_MEMBERS} GROUP BY cluster)",
    ),
    "earlier_copies": Number(
        "Copies of documents of earlier releases",
        "앞선 공개본 문서의 중복",
        "documents",
        _CLUSTERS,
        "SELECT count(DISTINCT member) FROM clusters WHERE \"release\" <> ''",
    ),
    "overlapping": Number(
        "Documents that overlap with evaluation sets",
        "평가 데이터와 겹치는 문서",
        "documents",
        ("data",),
        # NULL where no filter looked: that is not the same as none.
        "SELECT CASE WHEN count(benchmarks) > 0 THEN count(*) FILTER (len(benchmarks) > 0) END FROM data",
    ),
}

TABLES: dict[str, Listing] = {
    "copies": Listing(
        "Copies",
        "중복",
        (("kind", "종류"), DOCUMENTS),
        _CLUSTERS,
        "SELECT kind, count(DISTINCT member) AS documents FROM clusters GROUP BY ALL ORDER BY 1",
    ),
    "cluster_sizes": Listing(
        "Sizes of clusters",
        "묶음의 크기",
        (("documents in a cluster", "묶음의 문서 수"), ("clusters", "묶음"), DOCUMENTS, ("published", "공개")),
        ("data", "clusters"),
        f"SELECT CASE {_SIZE} ELSE '>{_SIZES[-1][1]}' END AS size, count(*) AS clusters, sum(n)::BIGINT AS documents,"
        " sum(held)::BIGINT AS published FROM ("
        f"SELECT cluster, count(*) AS n, count(d.id) AS held FROM {_MEMBERS} m LEFT JOIN data d USING (id)"
        " GROUP BY cluster UNION ALL SELECT id, 1, 1 FROM data WHERE cluster_size = 1)"
        " GROUP BY 1 ORDER BY min(n)",
    ),
    "similarities": Listing(
        "How alike copies and keepers are",
        "남긴 문서와 얼마나 비슷한가",
        (("Jaccard similarity", "자카드 유사도"), DOCUMENTS, ("measured on the texts", "본문으로 잰 것")),
        _CLUSTERS,
        f"SELECT CASE WHEN step = {_STEPS} THEN '1.00' ELSE {_edge('step')} || '–' || {_edge('step + 1')} END"
        " AS similarity, count(c.member) AS documents, count(c.member) FILTER (c.measured = 'exact') AS measured"
        f" FROM (SELECT unnest(range((SELECT min(floor(similarity * {_STEPS}))::BIGINT FROM clusters), {_STEPS + 1}))"
        f" AS step) s LEFT JOIN clusters c ON floor(c.similarity * {_STEPS})::BIGINT = s.step"
        " GROUP BY step ORDER BY step",
    ),
    "keeper_reasons": Listing(
        "Why keepers stand",
        "남긴 문서를 고른 까닭",
        (("decided by", "가른 기준"), ("copies", "중복 문서"), ("keepers", "남긴 문서")),
        _CLUSTERS,
        "SELECT reason, count(*) AS copies, count(DISTINCT keeper) AS keepers FROM clusters"
        " GROUP BY 1 ORDER BY 2 DESC, 1",
    ),
    "earlier_releases": Listing(
        "Copies of documents of earlier releases",
        "앞선 공개본에 있는 문서의 중복",
        (("release", "공개본"), ("copies", "중복 문서"), ("documents there", "그곳의 문서")),
        _CLUSTERS,
        'SELECT "release", count(DISTINCT member) AS copies, count(DISTINCT keeper) AS keepers FROM clusters'
        " WHERE \"release\" <> '' GROUP BY 1 ORDER BY 2 DESC, 1",
    ),
    "most_copied": Listing(
        "The most copied texts",
        "가장 많이 복제된 글",
        (("host", "호스트"), ("document", "문서"), ("copies", "중복 문서")),
        ("data", "clusters"),
        "SELECT host, id, copies FROM ("
        f"SELECT {HOST} AS host, id, copies, row_number() OVER (PARTITION BY {HOST} ORDER BY copies DESC, id) AS place"
        " FROM (SELECT keeper AS id, count(DISTINCT member) AS copies FROM clusters GROUP BY 1) JOIN data USING (id))"
        f" WHERE place <= {MOST_OF_HOST} ORDER BY copies DESC, host, id LIMIT {MOST}",
    ),
    "evaluation_sets": Listing(
        "Overlap with evaluation sets",
        "평가 데이터와 겹침",
        (("set", "평가 데이터"), ("dropped", "뺀 문서"), ("marked", "표시한 문서")),
        ("data", "dropped"),
        "SELECT name, count(*) FILTER (gone) AS dropped, count(*) FILTER (NOT gone) AS marked FROM ("
        f"SELECT substr(reason, {len(_OVERLAP) + 1}) AS name, true AS gone FROM dropped"
        f" WHERE starts_with(reason, '{_OVERLAP}')"
        " UNION ALL SELECT unnest(benchmarks), false FROM data)"
        " GROUP BY 1 ORDER BY 1",
    ),
}
