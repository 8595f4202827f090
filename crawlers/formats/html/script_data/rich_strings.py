"""Turn a string of an article body into markup: markup, escaped markup, Markdown or plain lines."""

from __future__ import annotations

import html
import re

from markdown_it import MarkdownIt

from malmoi.limits import MARKDOWN_LINES, MARKDOWN_MARKS

_TAG = re.compile(
    r"</(?:p|div|span|a|b|i|u|em|strong|font|li|ul|ol|td|tr|table|h[1-6]|center|blockquote|code|pre|mark|section|figure"
    r"|sup|sub)\s?>|<br\s?/?>|<(?:p|div|br|img|h[1-6]|li|figure|hr|table|ul|ol)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"&lt;/(?:p|div|span|li|h[1-6]|strong|a|td)&gt;|&lt;br\s?/?&gt;", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_MARKDOWN = re.compile(
    r"^#{1,6} \S|^ {0,3}```|^ {0,3}~~~|^\|.{0,2000}\|\s{0,3}$|\*\*[^*\n]{1,200}\*\*"
    r"|!?\[[^\]\n]{0,200}\]\([^)\s]{1,500}\)"
    r"|^ {0,3}(?:[-*+] \S.{0,2000}\n {0,9}[-*+] \S|1\. \S.{0,2000}\n\s?(?:\n)?2\. \S)"
    r"|^> \S|`[^`\n]{1,200}`",
    re.MULTILINE,
)
_PARSER = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])


def is_markup(text: str) -> bool:
    """Whether a string has tags, not only a word about one."""
    return len(_TAG.findall(text)) >= 2 or bool(
        re.search(
            r"</(?:p|div|li|h[1-6]|td|span|a|b|strong|em|code|mark|u|i|sup|sub|font)>|<br\s?/?>", text, re.IGNORECASE
        )
    )


def string_blocks(text: str) -> str:
    """Return a string among blocks as markup: paragraphs, Markdown, or what it is."""
    if _ESCAPED.search(text) and not is_markup(text):
        text = html.unescape(text)
    if is_markup(text) and not (_MARKDOWN.search(text) and re.search(r"^#{1,6} |^```", text, re.MULTILINE)):
        return (
            text
            if re.search(r"<(?:p|div|br|h[1-6]|ul|ol|table|section|blockquote|pre|figure)\b", text, re.IGNORECASE)
            else f"<p>{text}</p>"
        )
    if (
        _MARKDOWN.search(text)
        and text.count("\n") < MARKDOWN_LINES.value
        and sum(map(text.count, "`|*_~>[")) < MARKDOWN_MARKS.value
    ):
        return str(_PARSER.render(text))
    if "\n" in text:
        return "".join(f"<p>{string_inline(line.strip())}</p>" for line in text.split("\n") if line.strip())
    return f"<p>{string_inline(text)}</p>" if text.strip() else ""


def string_inline(text: str) -> str:
    """Return a string inside a paragraph as markup."""
    if is_markup(text):
        return text
    if _REFERENCE.search(text):
        text = html.unescape(text)
    return html.escape(text, quote=False).replace("\n", "<br>")
