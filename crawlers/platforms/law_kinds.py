"""The closed lists of what article 7 of the Copyright Act covers, by the words with which law.go.kr names a text.

A name outside the lists permits nothing: a person decides. A register also lists texts of bodies that are not a part of
the State, such as corporations of a city that call their house rules 조례.
"""

from __future__ import annotations

import re2

# (1) The Constitution, Acts, treaties, orders, ordinances and rules. Orders are named after their issuer (대통령령,
# 국토교통부령), and so are the rules of the other constitutional bodies (대법원규칙).
_STATUTE = re2.compile(r"헌법|법률|조약|조례|[가-힣·ㆍ ]{0,30}(?:령|규칙)")

# (2) Notifications, public notices, instructions of the State or a local government "and the like". 예규 are
# instructions under another name; 지침, 세칙 and the rest are left for a person to judge.
_RULES = frozenset(("고시", "공고", "훈령", "예규", "대통령훈령", "국무총리훈령"))
# Bodies of the State: ministries, agencies and offices by the end of their names, which corporations do not share;
# commissions and other bodies one by one, because corporations have such names too (영화진흥위원회, 금융감독원).
# The last line are offices of ministries that issue rules of their own; the decree on the organisation of each ministry
# (직제) names them.
_STATE = re2.compile(
    r"[가-힣]{1,20}(?:부|처|청)|대통령|국무총리|감사원|국가정보원|국무조정실|국무총리비서실|대통령비서실|대통령경호처|국가안보실"
    r"|(?:국가인권|공정거래|금융|국민권익|원자력안전|개인정보보호|방송통신|방송미디어통신|중앙선거관리|국가교육|중앙노동)위원회"
    r"|국립전파연구원|중앙전파관리소|국가재난안전교육원|국립재난안전연구원|국립농산물품질관리원"
)

# (3) Judgments, decisions, orders and rulings of a court: "판결", "결정 : 확정", "전원합의체 판결".
_JUDGMENT = re2.compile(r"(?:전원합의체\s?)?(?:판결|결정|명령|심판)(?:\s?[:：].{0,40})?")
_COURT = re2.compile(r"대법원|[가-힣 ]{1,20}(?:법원|고법|지법|지원|행법|가법|재판소)(?:\([가-힣]{1,6}\))?")

# (1) and (2) of local governments, their offices of education and their councils, as law.go.kr names the issuer:
# 서울특별시, 강원특별자치도 동해시, 경기도교육청. "(구)" is before the name of a body that was merged.
_ORDINANCES = frozenset(("조례", "규칙", "훈령", "예규", "고시", "의회규칙"))
_LOCAL = re2.compile(
    r"(?:\(구\)\s?)?"
    r"(?:서울특별시|(?:부산|대구|인천|광주|대전|울산)(?:광역|직할)시|세종특별자치시|전남광주통합특별시|충청광역연합"
    r"|경기도|강원도|충청북도|충청남도|전라북도|전라남도|경상북도|경상남도|제주도|(?:강원|전북|제주)특별자치도)"
    r"(?:\s[가-힣]{1,6}[시군구])?\s?(?:교육청|교육감|의회)?"
)


def is_statute(kind: str) -> bool:
    """Whether a text of this kind (법종구분, 법령구분) is an Act, an order or a rule.

    >>> is_statute("법률"), is_statute("국토교통부령"), is_statute("정관")
    (True, True, False)
    """
    return bool(_STATUTE.fullmatch(kind))


def is_rule(kind: str, bodies: str) -> bool:
    """Whether a rule of this kind is one of bodies of the State; several, separated by commas, may issue one together.

    >>> is_rule("고시", "기획재정부,국토교통부"), is_rule("세칙", "금융위원회"), is_rule("고시", "금융감독원")
    (True, False, False)
    >>> is_rule("대통령훈령", "대통령"), is_rule("고시", "국립전파연구원"), is_rule("고시", "한국전파진흥협회")
    (True, True, False)
    """
    return kind in _RULES and all(_STATE.fullmatch(name.strip()) for name in bodies.split(","))


def is_judgment(kind: str, court: str) -> bool:
    """Whether a text of this kind (판결유형) was given by a court.

    >>> is_judgment("판결 : 확정", "서울고등법원"), is_judgment("재결", "국민권익위원회")
    (True, False)
    """
    return bool(_JUDGMENT.fullmatch(kind)) and is_court(court)


def is_court(name: str) -> bool:
    """Whether this is the name of a court."""
    return bool(_COURT.fullmatch(name))


def is_ordinance(kind: str, body: str) -> bool:
    """Whether an ordinance or rule of this kind is one of a local government, its office of education or its council.

    >>> is_ordinance("조례", "강원특별자치도 동해시"), is_ordinance("규칙", "(구)전라남도교육청")
    (True, True)
    >>> is_ordinance("조례", "대구공공시설관리공단"), is_ordinance("기타", "서울특별시")
    (False, False)
    """
    return kind in _ORDINANCES and bool(_LOCAL.fullmatch(body))
