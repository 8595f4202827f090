"""Text elements of XML documents whose root element is known.

law.go.kr: the responses of lawService.do as its open API guide describes them (open.law.go.kr, target law, prec,
admrul, detc, expc, decc).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Elements `names`, in document order, inside each element `within`, below a `label` line."""

    within: str
    names: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Elements of title and date (the first that exists is used), and the parts of the text in order."""

    title: tuple[str, ...]
    date: tuple[str, ...]
    parts: tuple[Part, ...]


FEEDS = ("item", "entry", "NewsItem")  # RSS, Atom, korea.kr

_REASONS = (Part("제개정이유", ("제개정이유내용",)), Part("개정문", ("개정문내용",)))


def _parts_with_labels(root: str, *names: str) -> tuple[Part, ...]:
    return tuple(Part(root, (name,), name) for name in names)


SHAPES = {
    "법령": Shape(
        ("법령명_한글", "법령명한글"),
        ("공포일자", "시행일자"),
        (
            Part("조문", ("조문내용", "항내용", "호내용", "목내용")),
            Part("부칙", ("부칙내용",)),
            *_REASONS,
        ),
    ),
    "AdmRulService": Shape(
        ("행정규칙명",),
        ("발령일자", "시행일자"),
        (Part("AdmRulService", ("조문내용",)), Part("부칙", ("부칙내용",)), *_REASONS),
    ),
    "PrecService": Shape(
        ("사건명",),
        ("선고일자", "의결일자"),
        _parts_with_labels("PrecService", "판시사항", "판결요지", "참조조문", "참조판례", "판례내용"),
    ),
    "DetcService": Shape(
        ("사건명",),
        ("종국일자",),
        _parts_with_labels("DetcService", "판시사항", "결정요지", "심판대상조문", "참조조문", "참조판례", "전문"),
    ),
    "ExpcService": Shape(
        ("안건명",),
        ("해석일자", "회신일자"),
        _parts_with_labels("ExpcService", "질의요지", "회답", "이유"),
    ),
    "DeccService": Shape(
        ("사건명",),
        ("의결일자",),
        _parts_with_labels("DeccService", "주문", "청구취지", "이유", "재결요지"),
    ),
}
