"""Questions of the card about an ablation: what small models learn from a version of the release, and a baseline."""

from __future__ import annotations

from data_cards.questions import Listing, Number
from malmoi.ablation import MEAN

_MEASURED = ("ablation",)


def _bits(column: str) -> str:
    return f"CAST({column} AS DECIMAL(9, 3)) AS {column}"


def _difference(column: str) -> str:
    return f"CASE WHEN {column} > 0 THEN '+' ELSE '' END || CAST({column} AS DECIMAL(9, 3)) AS {column}"


def _ask_text(title: str, title_ko: str, unit: str, column: str) -> Number:
    return Number(title, title_ko, unit, _MEASURED, f"SELECT max({column}) FROM ablation")


def _ask_count(title: str, title_ko: str, unit: str) -> Number:
    return Number(title, title_ko, unit, _MEASURED, f"SELECT coalesce(max({unit}), 0)::BIGINT FROM ablation")


NUMBERS: dict[str, Number] = {
    "ablated_version": _ask_text("Version that small models read", "소형 모델이 학습한 버전", "version", "version"),
    "ablation_setting": _ask_text("Setting of the small models", "소형 모델의 설정", "setting", "setting"),
    "ablation_seeds": _ask_count("Small models of each input", "입력별 소형 모델", "seeds"),
    "ablation_tokens": _ask_count("Tokens that each input gives", "입력별 토큰", "tokens"),
    "ablation_baseline": _ask_text("Baseline of the small models", "소형 모델의 기준 입력", "input", "baseline"),
    "ablation_command": _ask_text("Command of the ablation", "어블레이션 명령", "command", "command"),
}

TABLES: dict[str, Listing] = {
    "ablation": Listing(
        "Bits per character on held-out texts",
        "평가용 본문의 글자당 비트",
        (
            ("held-out set", "평가용 세트"),
            ("input", "입력"),
            ("condition", "조건"),
            ("bits per character", "글자당 비트"),
            ("95 % interval from", "95% 신뢰구간 하한"),
            ("to", "상한"),
            ("difference from the baseline", "기준 입력과의 차이"),
            ("95 % interval from", "95% 신뢰구간 하한"),
            ("to", "상한"),
            ("same sign in every seed", "모든 시드에서 같은 부호"),
        ),
        _MEASURED,
        f"SELECT held_out, input, condition, {_bits('bits')}, {_bits('low')}, {_bits('high')},"
        f" {_difference('difference')}, {_difference('difference_low')}, {_difference('difference_high')},"
        " CASE WHEN same_sign THEN 'yes' WHEN NOT same_sign THEN 'no' END AS same_sign FROM ablation"
        f" ORDER BY held_out = '{MEAN}', held_out, input <> baseline, input",
    ),
}
