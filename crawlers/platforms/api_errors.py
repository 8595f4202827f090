"""Detect errors that Korean public APIs send with status 200: quota, key, empty answers.

Each function reads one capture and returns a `Trouble`, or None for a valid answer. Source files
call them from their `trouble`. Only the head of an answer is searched, with bounded patterns. A message repeats
only known codes, or letters and digits of a code, never the text of an answer.
"""

from __future__ import annotations

import re

from malmoi.archive.capture import Capture
from malmoi.source import Trouble

HEAD = 8192  # bytes in which an API reports an error
_FLAGS = re.IGNORECASE

# Codes of the common gateway of data.go.kr. 22 (quota), 30 (key), 31 (expired) and, of the policy news,
# 98 (window of dates) have been recorded from answers; the others are from its guide, unverified.
DATA_GO_KR: dict[str, Trouble] = {
    "1": Trouble("again", "application-error"),  # unverified
    "2": Trouble("again", "database-error"),  # unverified
    "4": Trouble("again", "http-error"),  # unverified
    "5": Trouble("again", "service-time-out"),  # unverified
    "10": Trouble("stop", "a parameter of the request is wrong (code 10); correct the source"),  # unverified
    "11": Trouble("stop", "a parameter of the request is missing (code 11); correct the source"),  # unverified
    "12": Trouble("stop", "the service no longer exists (code 12); correct the source"),  # unverified
    "20": Trouble("stop", "access is denied (code 20); apply for the service at data.go.kr"),  # unverified
    "21": Trouble("stop", "the key is disabled for now (code 21); ask at data.go.kr"),  # unverified
    "22": Trouble("stop", "the quota of requests is used up (code 22); run again tomorrow"),
    "30": Trouble("stop", "the key is not registered for this service, or its path is old (code 30)"),
    "31": Trouble("stop", "the key has expired (code 31); renew it at data.go.kr"),
    "32": Trouble("stop", "the address of this machine is not registered (code 32)"),  # unverified
    "33": Trouble("stop", "the request is not signed (code 33); ask at data.go.kr"),  # unverified
    "98": Trouble("stop", "the window of dates is too wide (code 98); at most three days, correct the source"),
    "99": Trouble("again", "unknown-error"),  # unverified
}
# "NORMAL SERVICE". 03 is NODATA: an answer to a question that has none.
_FINE = frozenset({"0", "3"})
_CODE = re.compile(
    r"""<(?:returnReasonCode|resultCode)>\s{0,20}([0-9]{1,4})\s{0,20}</|"resultCode"\s{0,5}:\s{0,5}"?([0-9]{1,4})""",
    _FLAGS,
)
_ERROR_MESSAGE = re.compile(r"<errMsg>|OpenAPI_ServiceResponse", _FLAGS)


def data_go_kr(capture: Capture) -> Trouble | None:
    """Check the gateway of data.go.kr: `OpenAPI_ServiceResponse` with `returnReasonCode`, or a `resultCode`.

    Errors come with status 200, as XML even if JSON was requested. An answer that is not empty, not
    a page of HTML and has no code counts as valid: some services write none.

    >>> error = b"<OpenAPI_ServiceResponse><cmmMsgHeader><returnReasonCode>22</returnReasonCode></cmmMsgHeader>"
    >>> data_go_kr(Capture("r", "http://a.kr/", "", 200, (), error)).kind
    'stop'
    """
    head = _head(capture)
    if not head.strip():
        return Trouble("again", "no bytes")
    found = _CODE.search(head)
    if found is None:
        if _ERROR_MESSAGE.search(head):
            return Trouble("again", "an error without a code")
        return Trouble("again", "a page instead of an answer") if _is_page(head) else None
    code = str(int(found[1] or found[2]))
    if code in _FINE:
        return None
    return DATA_GO_KR.get(code, Trouble("stop", f"an unknown code, {code}; look it up at data.go.kr"))


_LAW_ROOT = re.compile(r"\s{0,99}(?:<\?xml[^>]{0,200}\?>\s{0,99})?(?:<!--[^>]{0,500}-->\s{0,99})?<([^\s>/?!]{1,60})")
_LAW_REFUSED = ("사용자 정보 검증", "사용자인증", "인증에 실패", "IP주소", "도메인주소", "접근이 제한", "미신청")


def law_go_kr(capture: Capture) -> Trouble | None:
    """Check the DRF API of law.go.kr: refusals as pages of HTML or lines of text, and empty answers.

    Known: the account name `OC` and the IP address of the machine must be registered, and the same id may
    be answered empty and then in full. Unverified: the words of the refusals and that they come with 200;
    a page or a line of text instead of XML or JSON is requested again in any case.

    >>> law_go_kr(Capture("r", "http://a.kr/", "", 200, (), b"")).kind
    'again'
    >>> law_go_kr(Capture("r", "http://a.kr/", "", 200, (), "<법령><조문>제1조</조문></법령>".encode()))
    """
    head = _head(capture)
    asked_for_page = re.search(r"[?&]type=HTML(?:&|$)", capture.url, _FLAGS) is not None
    if not head.strip():
        return Trouble("again", "no bytes")
    structured = head.lstrip()[:1] in "{[" or (_LAW_ROOT.match(head) is not None and not _is_page(head))
    if not structured:
        if any(word in head for word in _LAW_REFUSED):
            return Trouble("stop", "the account or this machine's address is not registered; see open.law.go.kr")
        return None if asked_for_page and _is_page(head) else Trouble("again", "no XML and no JSON")
    # No text between its tags, or an empty object.
    plain = re.sub(r"<[^>]{0,4000}>", "", head.replace("<![CDATA[", "").replace("]]>", ""))
    if len(capture.body) <= HEAD and not plain.strip(" \t\r\n{}[]"):
        return Trouble("again", "an answer without content")
    return None


_ASSEMBLY_CODE = re.compile(
    r""""CODE"\s{0,5}:\s{0,5}"([A-Z]{1,10}-[0-9]{1,4})"|<CODE>\s{0,20}([A-Z]{1,10}-[0-9]{1,4})""", _FLAGS
)
# Unverified except INFO-200 and the family ERROR-3xx; meanings from the portal's guide.
OPEN_ASSEMBLY: dict[str, Trouble] = {
    "ERROR-290": Trouble("stop", "the key is not valid (ERROR-290); ask at open.assembly.go.kr"),
    "ERROR-300": Trouble("stop", "a parameter is missing (ERROR-300); correct the source"),
    "ERROR-310": Trouble("stop", "the service does not exist (ERROR-310); correct the source"),
    "ERROR-333": Trouble("stop", "a page number is not a number (ERROR-333); correct the source"),
    "ERROR-336": Trouble("stop", "more rows were requested than a page may have (ERROR-336); correct the source"),
    "ERROR-337": Trouble("stop", "the quota of requests is used up (ERROR-337); run again tomorrow"),
    "INFO-300": Trouble("stop", "the key is restricted (INFO-300); ask at open.assembly.go.kr"),
}


def open_assembly(capture: Capture) -> Trouble | None:
    """Check the portal open.assembly.go.kr: `RESULT` with `CODE`; INFO-000 is fine, INFO-200 means no rows.

    No rows is a valid answer: a list ends with it. ERROR-3xx is an error of the request and stops, ERROR-5xx and
    ERROR-6xx are errors of the server and are retried (unverified).

    >>> said = b'{"RESULT": {"CODE": "INFO-200", "MESSAGE": "..."}}'
    >>> open_assembly(Capture("r", "http://a.kr/", "", 200, (), said))
    """
    head = _head(capture)
    if not head.strip():
        return Trouble("again", "no bytes")
    found = _ASSEMBLY_CODE.search(head)
    if found is None:
        return Trouble("again", "a page instead of an answer") if _is_page(head) else None
    code = (found[1] or found[2]).upper()
    if code in ("INFO-000", "INFO-200"):
        return None
    if code in OPEN_ASSEMBLY:
        return OPEN_ASSEMBLY[code]
    if code.startswith(("ERROR-5", "ERROR-6")):
        return Trouble("again", code.lower())
    return Trouble("stop", f"the portal answers {code}; look it up at open.assembly.go.kr")


_CLIK_CODE = re.compile(r""""RESULT_CODE"\s{0,5}:\s{0,5}"([A-Z]{1,10}[0-9]{0,4})\"""")
# Meanings from the guide of the portal, as a public program repeats them.
CLIK: dict[str, Trouble] = {
    "ERROR01": Trouble("stop", "the key is missing or not valid (ERROR01); ask at clik.nanet.go.kr"),
    "ERROR09": Trouble("stop", "the quota of requests is used up (ERROR09); run again tomorrow"),
    "ERROR10": Trouble("stop", "the key is disabled (ERROR10); ask at clik.nanet.go.kr"),
    "ERROR11": Trouble("again", "error11"),
}


def clik(capture: Capture) -> Trouble | None:
    """Check the portal of local councils clik.nanet.go.kr: a `RESULT_CODE` other than SUCCESS, with status 200.

    >>> clik(Capture("r", "http://a.kr/", "", 200, (), b'{"RESULT_CODE": "ERROR09", "RESULT_MESSAGE": "..."}')).kind
    'stop'
    >>> clik(Capture("r", "http://a.kr/", "", 200, (), b'[{"SERVICE": "minutes", "RESULT_CODE": "SUCCESS"}]'))
    """
    head = _head(capture)
    if not head.strip():
        return Trouble("again", "no bytes")
    found = _CLIK_CODE.search(head)
    if found is None:
        return Trouble("again", "a page instead of an answer") if _is_page(head) else None
    if found[1] == "SUCCESS":
        return None
    return CLIK.get(found[1], Trouble("stop", f"the portal answers {found[1]}; look it up at clik.nanet.go.kr"))


def _head(capture: Capture) -> str:
    body = capture.body[:HEAD]
    declared = capture.header("content-type").lower() + body[:200].decode("ascii", "replace").lower()
    encoding = "cp949" if "euc-kr" in declared or "cp949" in declared or "ksc" in declared else "utf-8"
    return body.decode(encoding, "replace").removeprefix("\ufeff")


def _is_page(head: str) -> bool:
    return re.match(r"\s{0,99}(?:<!doctype html|<html)", head, _FLAGS) is not None
