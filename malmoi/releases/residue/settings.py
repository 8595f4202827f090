"""Names of settings, as programs and configurations have them: `AWS_KMS_KEY_1`, `jwtKeyV1`, `k8s-tls-secret`."""

from __future__ import annotations

import string
from typing import Final, NamedTuple

MOST_DIGITS: Final = 4  # of a name: `S3`, `V2`, `2024`
# Words that name what belongs in their place: they distinguish a placeholder from a password of words.
NAMES: Final = frozenset("password passwd pass pwd pw passphrase secret key token credential credentials".split())
VOCABULARY: Final = NAMES | frozenset(
    "access account admin api app application auth aws azure backend base64 bearer bot bucket build callback cert "
    "change client cloud code config console credentials database db default demo deploy dev docker env example "
    "file firebase for from frontend gcp generated github gitlab google here host http https iam id insert instance "
    "issuer jwt k8s kakao kms kubernetes local localhost login master mongo my mysql name namespace naver notebook "
    "oauth of openai oracle output path payment postgres private prod production project property public redis "
    "refresh region registry release role root s3 sample sdk server service session settings shared sign sql ssh "
    "ssl stage storage string sync system template temp test the this tls to url user username value var vault "
    "variable version web webhook v with write your".split()
)
_LETTERS: Final = frozenset(string.ascii_letters + string.digits + "-_./")


class Name(NamedTuple):
    """The letters of a name of a setting, in words that settings have and in others, and the number of the others."""

    known: int
    unknown: int
    others: int


def read_name(value: str) -> Name | None:
    """Return the letters of a value that may be the name of a setting; None if it has no such form.

    It has two or more words, one of NAMES among them, and at most MOST_DIGITS digits.

    >>> read_name("NHN-KCP-SDK-KEY-2"), read_name("jwtKeyV1"), read_name("9f2c41d07ab84e6fb1c3")
    (Name(known=6, unknown=6, others=2), Name(known=7, unknown=0, others=0), None)
    """
    if not set(value) <= _LETTERS or sum(map(str.isdigit, value)) > MOST_DIGITS:
        return None
    stems = "".join(c if c.isalpha() else " " for c in value).split()
    words = [hump.casefold() for stem in stems for hump in split_humps(stem)]
    if len(words) < 2 or not any(word in NAMES and len(word) > 2 for word in words):
        return None
    others = [word for word in words if word not in VOCABULARY]
    unknown = sum(map(len, others))
    return Name(sum(map(len, words)) - unknown, unknown, len(others))


def is_name(value: str) -> bool:
    """Whether at least half of the letters of a value are those of a setting.

    >>> is_name("AWS-KMS-KEY-1"), is_name("k8sSecretKeyV1"), is_name("NHNKCP-PG-KEY-2")
    (True, True, False)
    """
    name = read_name(value)
    return name is not None and name.known >= name.unknown


def split_humps(stem: str) -> list[str]:
    """Split a word in camel case.

    >>> split_humps("getAPIKey"), split_humps("BuildConfig"), split_humps("KEY")
    (['get', 'API', 'Key'], ['Build', 'Config'], ['KEY'])
    """
    cuts = [
        i
        for i in range(1, len(stem))
        if stem[i].isupper() and (not stem[i - 1].isupper() or (i + 1 < len(stem) and stem[i + 1].islower()))
    ]
    return [stem[start:end] for start, end in zip([0, *cuts], [*cuts, len(stem)], strict=True) if start < end]
