"""Questions of the card about personal data: what the first detector masked, and what the second still finds."""

from __future__ import annotations

from data_cards.questions import DOCUMENTS, Listing, Number, is_plain

_REPLACED, _BOTH, _LEFT = ("personal_data",), ("personal_data", "residue"), ("residue",)
_CLEARED = ("cleared_finds",)
_IN_TEXT = "starts_with(path, 'data/') AND field = 'text'"

NUMBERS: dict[str, Number] = {
    "personal_data": Number(
        "Personal data masked in the published texts",
        "공개한 본문에서 마스킹한 개인정보",
        "places",
        _REPLACED,
        "SELECT coalesce(sum(n), 0)::BIGINT FROM personal_data",
    ),
    "personal_data_documents": Number(
        "Published documents with masked personal data",
        "개인정보를 마스킹한 공개 문서",
        "documents",
        _REPLACED,
        "SELECT count(DISTINCT id) FROM personal_data",
    ),
    "residue_detector": Number(
        "Second detector", "두 번째 검출기", "name and version", _LEFT, "SELECT max(detector) FROM residue"
    ),
    "residue_files": Number(
        "Files checked by the second detector",
        "두 번째 검출기가 검사한 파일",
        "files",
        _LEFT,
        "SELECT count(DISTINCT path) FROM residue WHERE path <> ''",
    ),
    "residue_values": Number(
        "Values checked by the second detector",
        "두 번째 검출기가 검사한 값",
        "values",
        _LEFT,
        "SELECT coalesce(sum(n), 0)::BIGINT FROM residue WHERE outcome = 'values'",
    ),
    "residue_characters": Number(
        "Characters checked by the second detector",
        "두 번째 검출기가 검사한 글자",
        "code points",
        _LEFT,
        "SELECT coalesce(sum(n), 0)::BIGINT FROM residue WHERE outcome = 'characters'",
    ),
    "residue_documents": Number(
        "Documents quarantined by the second detector",
        "두 번째 검출기 때문에 격리한 문서",
        "documents",
        ("dropped",),
        "SELECT count(*) FROM dropped WHERE reason = 'residual-personal-data'",
    ),
    "cleared_finds": Number(
        "Findings cleared as false alarms",
        "오탐으로 해제한 검출",
        "places",
        _CLEARED,
        "SELECT coalesce(sum(n), 0)::BIGINT FROM cleared_finds WHERE place <> 'morphemes'",
    ),
    "cleared_documents": Number(
        "Documents with cleared findings",
        "해제한 검출이 있는 문서",
        "documents",
        _CLEARED,
        "SELECT count(DISTINCT id) FROM cleared_finds",
    ),
    "residue_in_texts": Number(
        "Findings of the second detector in texts",
        "두 번째 검출기의 본문 검출 결과",
        "places",
        _LEFT,
        f"SELECT coalesce(sum(n), 0)::BIGINT FROM residue WHERE outcome = 'found' AND {_IN_TEXT}",
    ),
    "residue_elsewhere": Number(
        "Findings of the second detector elsewhere",
        "두 번째 검출기의 본문 밖 검출 결과",
        "places",
        _LEFT,
        f"SELECT coalesce(sum(n), 0)::BIGINT FROM residue WHERE outcome = 'found' AND NOT ({_IN_TEXT})",
    ),
}

TABLES: dict[str, Listing] = {
    "personal_data": Listing(
        "Personal data masked, and residual findings",
        "마스킹한 개인정보와 남은 개인정보",
        (
            ("kind", "종류"),
            ("places masked", "마스킹한 곳"),
            DOCUMENTS,
            ("left in texts", "본문에 남음"),
            ("left elsewhere", "다른 곳에 남음"),
            ("a finding", "검출 시 처리"),
        ),
        _BOTH,
        "SELECT kind, coalesce(places, 0) AS places, coalesce(documents, 0) AS documents, in_texts, elsewhere,"
        " coalesce(what, 'not sought') AS what FROM ("
        "SELECT kind, sum(n)::BIGINT AS places, count(DISTINCT id) AS documents FROM personal_data GROUP BY kind)"
        " FULL JOIN (SELECT kind,"
        f" coalesce(sum(n) FILTER (outcome = 'found' AND {_IN_TEXT}), 0)::BIGINT AS in_texts,"
        f" coalesce(sum(n) FILTER (outcome = 'found' AND NOT ({_IN_TEXT})), 0)::BIGINT AS elsewhere,"
        " max(outcome) FILTER (outcome IN ('stops', 'quarantines', 'reports', 'kept')) AS what"
        " FROM residue WHERE kind <> '' GROUP BY kind) USING (kind) ORDER BY 2 DESC, 1",
    ),
    "cleared_finds": Listing(
        "Findings cleared as false alarms",
        "오탐으로 해제한 검출",
        (
            ("decision", "결정"),
            ("target", "대상"),
            ("kind", "종류"),
            ("shape", "형태"),
            ("reviewer", "검토자"),
            ("date", "날짜"),
            ("reason given", "검토 사유"),
            ("places", "곳"),
            DOCUMENTS,
        ),
        _CLEARED,
        "SELECT decision, split_part(decision, '-', 1) AS target, kind, CASE WHEN starts_with(decision, 'shape-')"
        f" THEN shape ELSE '' END AS shape, CASE WHEN {is_plain('reviewer', labels=True)} THEN reviewer ELSE '' END"
        f" AS reviewer, date, CASE WHEN {is_plain('reason', labels=True)} THEN reason ELSE '' END AS reason,"
        " coalesce(sum(n) FILTER (place <> 'morphemes'), 0)::BIGINT AS n, count(DISTINCT id) AS documents"
        " FROM cleared_finds GROUP BY ALL ORDER BY n DESC, decision, kind",
    ),
    "residue": Listing(
        "Findings of the second detector",
        "두 번째 검출기의 검출 결과",
        (("table", "테이블"), ("column", "열"), ("kind", "종류"), ("places", "곳")),
        _LEFT,
        "SELECT CASE WHEN starts_with(path, 'data/') THEN 'data' WHEN starts_with(path, 'morphemes/') THEN 'morphemes'"
        " ELSE path END AS place, field, kind,"
        " sum(n)::BIGINT AS n FROM residue WHERE outcome = 'found' GROUP BY ALL ORDER BY 1, 2, 3",
    ),
}
