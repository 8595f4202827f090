"""Questions of the card about the inspection of texts by people: four rates with intervals, and the agreement."""

from __future__ import annotations

from data_cards.questions import Listing, Number

_INSPECTED = ("inspection",)
_ORDER = "'other_language', 'artefacts', 'unnatural', 'unsuitable'"
# As in malmoi/releases/sampling: the share of yes, Wilson's interval for the number of documents, and Cohen's kappa.
_Z = 1.959964  # normal quantile of 0.975
_RATE = "(yes_first + coalesce(yes_second, 0)) / (judged * readers)"
_SHARED = (
    f"SELECT *, {_RATE} AS rate, (judged - yes_first - yes_second + 2 * yes_both) / judged AS agreed,"
    " (yes_first * yes_second + (judged - yes_first) * (judged - yes_second)) / (judged * judged) AS chance,"
    f" {_Z} * {_Z} / judged AS z2 FROM inspection"
)
_BOUNDS = (
    "SELECT *, (rate + z2 / 2) / (1 + z2) AS middle,"
    f" {_Z} / (1 + z2) * sqrt(rate * (1 - rate) / judged + z2 / (4 * judged)) AS half FROM ({_SHARED})"
)


def _percent(share: str) -> str:
    return f"CAST(100 * {share} AS DECIMAL(5, 2))"


NUMBERS: dict[str, Number] = {
    "inspected": Number(
        "Texts that people inspected",
        "사람이 점검한 글",
        "documents",
        _INSPECTED,
        "SELECT coalesce(max(judged), 0)::BIGINT FROM inspection",
    ),
    "inspected_of": Number(
        "Documents of the inspected version",
        "점검한 버전의 문서",
        "documents",
        _INSPECTED,
        "SELECT coalesce(max(documents), 0)::BIGINT FROM inspection",
    ),
    "inspected_version": Number(
        "Version that was inspected", "점검한 버전", "version", _INSPECTED, "SELECT max(version) FROM inspection"
    ),
    "inspectors": Number(
        "Readers of the inspection",
        "점검한 사람",
        "readers",
        _INSPECTED,
        "SELECT coalesce(max(readers), 0)::BIGINT FROM inspection",
    ),
}

TABLES: dict[str, Listing] = {
    "inspection": Listing(
        "Texts inspected by people",
        "사람이 점검한 글",
        (
            ("question", "질문"),
            ("yes, first reader", "해당함, 첫째 사람"),
            ("yes, second reader", "해당함, 둘째 사람"),
            ("% of documents", "문서 비율 %"),
            ("95 % interval from", "95% 신뢰구간 하한"),
            ("to", "상한"),
            ("% of answers that agree", "일치한 답 %"),
            ("Cohen's kappa", "코헨 카파"),
        ),
        _INSPECTED,
        f"SELECT question, yes_first, yes_second, {_percent('rate')} AS rate,"
        f" {_percent('greatest(0, middle - half)')} AS low, {_percent('least(1, middle + half)')} AS high,"
        f" {_percent('agreed')} AS agreement,"
        " CASE WHEN chance < 1 THEN CAST((agreed - chance) / (1 - chance) AS DECIMAL(4, 3)) END AS kappa"
        f" FROM ({_BOUNDS}) ORDER BY list_position([{_ORDER}], question)",
    ),
}
