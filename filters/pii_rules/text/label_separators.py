"""Text allowed between a label and its value in forms, tables and dialogues: (필수): … </td><td> … ⏎고객: 네, …"""

from __future__ import annotations

from typing import Final

_NOTE: Final = "(?: ?[(（\\[][가-힣A-Za-z ]{1,10}[)）\\]])?(?:는요|은요|는|은|이|가|을|를)?"
_MARKS: Final = "(?:</?[A-Za-z가-힣]{1,12}>|[ \\t:：=>|│→▶▷~*\"'\\])}）】」.,;…/–—-]){0,8}"
_ASKED: Final = "(?:(?:알려|불러|말씀|확인|남겨|적어)[가-힣 ]{0,12}[.:：?]? ?)?"
_ANSWERED: Final = "(?:(?: ?(?:어떻게|뭐|무엇)[가-힣 ]{0,8})?[?]?\\n(?:[가-힣A-Za-z ]{1,8}[:：.] ?)?(?:네[,.]? ?)?)?"
BETWEEN: Final = f"{_NOTE}{_MARKS}{_ASKED}{_ANSWERED}[\"'「(]?"
