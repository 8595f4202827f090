"""Safe console of all commands: text of a page, an archive or a release cannot control the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from malmoi.printable import escape_controls


class SafeConsole(Console):
    """A console that escapes control characters in every string it renders, also in cells of tables.

    Rich's own styles are added after rendering, so colors stay.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return `text` as rich text, with control characters escaped."""
        return super().render_str(escape_controls(text), **options)
