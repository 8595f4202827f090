"""Remove placeholders: the prompt that a program shows in an empty field of a form ("누름틀").

The prompt is stored as if somebody had typed it, between the marks of the field. Hancom, "한글 문서 파일 형식 5.0"
revision 1.3, "필드 컨트롤"; KS X 6101, CLICK_HERE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PROMPT = re.compile(r"Direction:wstring:(\d{1,5}):")


@dataclass(slots=True)
class OpenFields:
    """Fields of a paragraph whose end has not been read: the index of their first word, and their prompt."""

    _fields: list[tuple[int, str]] = field(default_factory=list)

    def open(self, words: list[str], prompt: str) -> None:
        """Begin a field behind the words; `prompt` is "" for a field that is not empty or has none."""
        self._fields.append((len(words), prompt))

    def close(self, words: list[str]) -> None:
        """End the innermost field; remove its words if they are its prompt."""
        if not self._fields:  # the field began in an earlier paragraph
            return
        start, prompt = self._fields.pop()
        if prompt and "".join(words[start:]).strip() == prompt:
            del words[start:]


def read_prompt(command: str) -> str:
    """Return the prompt in the command of a field; "" without one.

    >>> read_prompt("Clickhere:set:44:Direction:wstring:5:이름 입력 HelpState:wstring:0:  ")
    '이름 입력'
    """
    match = _PROMPT.search(command)
    return command[match.end() : match.end() + int(match[1])].strip() if match else ""
