"""Publisher of a release, the table `[publisher]` of a recipe: whom to ask to have a text removed."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict

LONGEST: Final = 200  # code points of a value
# Characters that Markdown, HTML and JSON show unchanged, so that a rendered address is the one that was given.
_PAGE: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~:/?#@!$*+,;=%-]*)?")
_MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def _check_name(name: str) -> str:
    if not name.isprintable() or len(name) > LONGEST:
        raise ValueError(f"not one line of at most {LONGEST} printable characters")
    return name


def _check_page(page: str) -> str:
    if page and (len(page) > LONGEST or not _PAGE.fullmatch(page)):
        raise ValueError("not the address (http or https) of a page, in ASCII without blanks and quotes")
    return page


def _check_contact(contact: str) -> str:
    if contact and (len(contact) > LONGEST or not (_MAIL.fullmatch(contact) or _PAGE.fullmatch(contact))):
        raise ValueError("neither a mail address nor the address (http or https) of a page")
    return contact


Name: TypeAlias = Annotated[str, AfterValidator(_check_name)]
Page: TypeAlias = Annotated[str, AfterValidator(_check_page)]
Contact: TypeAlias = Annotated[str, AfterValidator(_check_contact)]


class Publisher(BaseModel):
    """Who publishes a release; an empty string where the recipe says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Name = ""
    contact: Contact = ""  # a mail address, or a page that has one
    url: Page = ""

    @property
    def mail(self) -> str:
        """The mail address, if `contact` is one; the second detector does not count it as personal data."""
        return self.contact if _MAIL.fullmatch(self.contact) else ""

    @property
    def request(self) -> str:
        """The sentence that says whom to write to."""
        if not self.contact:
            return "The publisher of this release gave no contact."
        who = f"{self.name}, {self.contact}" if self.name else self.contact
        return f"To ask about rights, or to have a text removed, write to {who}."


UNNAMED: Final = Publisher()  # the recipe names none
