"""A repository on loopback that speaks OAI-PMH 2.0, with the faults of real ones; records are made when asked for.

`tests/fetch/test_oai_server.py` holds it against the rules of the protocol, so that a harvest of it says something.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

SPACE = "http://www.openarchives.org/OAI/2.0/"
FORMATS = {
    "oai_dc": ("http://www.openarchives.org/OAI/2.0/oai_dc.xsd", "http://www.openarchives.org/OAI/2.0/oai_dc/"),
    "dim": ("http://www.dspace.org/schema/dim.xsd", "http://www.dspace.org/xmlns/dspace/dim"),
    "xoai": ("http://www.lyncode.com/schemas/xoai.xsd", "http://www.lyncode.com/xoai"),
}
ARGUMENTS = {  # verb → required and optional arguments (section 4)
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
    "ListRecords": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
}
PREFIX = "oai:repo.example:"


@dataclass(frozen=True)
class Work:
    """One item of the repository."""

    number: int
    day: str  # datestamp
    title: str = ""
    abstract: str = ""
    rights: tuple[str, ...] = ()
    file: str = ""  # path of the full text on this server
    sets: tuple[str, ...] = ()
    deleted: bool = False


@dataclass
class Repository:
    """What is served, how it misbehaves, and what was asked for."""

    size: int = 0
    work: Callable[[int], Work] = lambda n: Work(n, "2026-01-01", f"제목 {n}", f"초록 {n}")
    page: int = 100  # records of one answer
    sets: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("oai_dc",)
    deleted_record: str = "persistent"
    today: str = "2026-06-01"
    earliest: str = "2026-01-01"
    base: str = ""
    host: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # path → media type, bytes
    cap: int = 0  # a list ends here, without a token
    expire: set[int] = field(default_factory=set)  # cursors whose token is refused once
    dead: set[int] = field(default_factory=set)  # cursors whose token is always refused
    busy: int = 0  # every so many requests one is answered with 503
    broken: dict[int, Callable[[bytes], bytes]] = field(default_factory=dict)  # cursor → damage to the answer
    errors: dict[int, int] = field(default_factory=dict)  # cursor → status of ListRecords
    has_seconds: bool = False  # datestamps have a time, and a day in a request means its midnight
    charset: str = "utf-8"
    error_status: int = 200  # of an error of the protocol
    robots: str = "User-agent: *\nAllow: /\n"
    answers: Counter[str] = field(default_factory=Counter)  # verb → answers, errors included
    hits: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    changes: dict[int, Work] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, number: int) -> Work:
        """The work of a number, as it is now."""
        return self.changes.get(number) or self.work(number)

    def add(self, path: str, media: str, body: bytes) -> str:
        """Serve a file; returns its address."""
        self.files[path] = (media, body)
        return self.host + path

    def answer(self, said: list[tuple[str, str]]) -> tuple[int, bytes]:
        """The answer to a request, and its status."""
        given = dict(said)
        verb = given.pop("verb", "")
        if sum(name == "verb" for name, _ in said) != 1 or verb not in ARGUMENTS:
            return 200, self._error({}, "badVerb", "no such verb")
        required, optional = ARGUMENTS[verb]
        exclusive = "resumptionToken" in given
        wrong = set(given) - {*required, *optional} or len(said) != len(given) + 1
        missing = not exclusive and not set(required) <= set(given)
        if wrong or missing or (exclusive and len(given) > 1):
            return 200, self._error({}, "badArgument", "illegal, repeated or missing argument")
        request = {"verb": verb, **given}
        return getattr(self, f"_{verb}")(request, given)  # type: ignore[no-any-return]

    def _envelope(self, request: dict[str, str], inner: str) -> bytes:
        said = "".join(f' {name}="{escape(value)}"' for name, value in request.items())
        return (
            f'<?xml version="1.0" encoding="{self.charset}"?>\n<OAI-PMH xmlns="{SPACE}">'
            f"<responseDate>{self.today}T00:00:00Z</responseDate><request{said}>{self.base}</request>{inner}</OAI-PMH>"
        ).encode(self.charset)

    def _error(self, request: dict[str, str], code: str, words: str) -> bytes:
        return self._envelope(request, f'<error code="{code}">{words}</error>')

    def _Identify(self, request: dict[str, str], given: dict[str, str]) -> tuple[int, bytes]:
        return 200, self._envelope(
            request,
            f"<Identify><repositoryName>견본</repositoryName><baseURL>{self.base}</baseURL><protocolVersion>2.0"
            f"</protocolVersion><adminEmail>a@repo.example</adminEmail><earliestDatestamp>{self.earliest}"
            f"</earliestDatestamp><deletedRecord>{self.deleted_record}</deletedRecord><granularity>YYYY-MM-DD"
            f"{'Thh:mm:ssZ' * self.has_seconds}</granularity></Identify>",
        )

    def _ListMetadataFormats(self, request: dict[str, str], given: dict[str, str]) -> tuple[int, bytes]:
        if "identifier" in given and self._find(given["identifier"]) is None:
            return 200, self._error(request, "idDoesNotExist", "no such record")
        inner = "".join(
            f"<metadataFormat><metadataPrefix>{name}</metadataPrefix><schema>{FORMATS[name][0]}</schema>"
            f"<metadataNamespace>{FORMATS[name][1]}</metadataNamespace></metadataFormat>"
            for name in self.formats
        )
        return 200, self._envelope(request, f"<ListMetadataFormats>{inner}</ListMetadataFormats>")

    def _ListSets(self, request: dict[str, str], given: dict[str, str]) -> tuple[int, bytes]:
        if not self.sets:
            return 200, self._error(request, "noSetHierarchy", "no sets here")
        if "resumptionToken" in given:
            return 200, self._error(request, "badResumptionToken", "the list of sets is one answer")
        inner = "".join(f"<set><setSpec>{one}</setSpec><setName>{one}</setName></set>" for one in self.sets)
        return 200, self._envelope(request, f"<ListSets>{inner}</ListSets>")

    def _GetRecord(self, request: dict[str, str], given: dict[str, str]) -> tuple[int, bytes]:
        work = self._find(given["identifier"])
        if work is None:
            return 200, self._error(request, "idDoesNotExist", "no such record")
        if given["metadataPrefix"] not in self.formats:
            return 200, self._error(request, "cannotDisseminateFormat", "no such format")
        return 200, self._envelope(
            request, f"<GetRecord>{self._record(work, given['metadataPrefix'], header_only=False)}</GetRecord>"
        )

    def _ListIdentifiers(self, request: dict[str, str], given: dict[str, str]) -> tuple[int, bytes]:
        return self._list(request, given, header_only=True)

    def _ListRecords(self, request: dict[str, str], given: dict[str, str]) -> tuple[int, bytes]:
        return self._list(request, given, header_only=False)

    def _list(self, request: dict[str, str], given: dict[str, str], *, header_only: bool) -> tuple[int, bytes]:
        cursor = 0
        if token := given.get("resumptionToken"):
            try:
                number, prefix, first, last, spec = token.split("!")
                cursor = int(number.partition(".")[0])
            except ValueError:
                return 200, self._error(request, "badResumptionToken", "not a token of this repository")
            if cursor in self.dead or cursor in self.expire:
                self.expire.discard(cursor)
                return 200, self._error(request, "badResumptionToken", "expired")
        else:
            prefix, first, last, spec = (given.get(n, "") for n in ("metadataPrefix", "from", "until", "set"))
        if prefix not in self.formats:
            return 200, self._error(request, "cannotDisseminateFormat", "no such format")
        if spec and not self.sets:
            return 200, self._error(request, "noSetHierarchy", "no sets here")
        if not all(_is_day(one[:10]) for one in (first, last) if one) or (first and last and first > last):
            return 200, self._error(request, "badArgument", "from and until are days, in their order")
        if cursor in self.errors and not header_only:
            return self.errors[cursor], b"failure"
        found, more = [], False
        for number in range(cursor, self.size):
            work = self.get(number)
            stamp, midnight = self._stamp(work), "T00:00:00Z" * self.has_seconds
            early = bool(first) and stamp < (first if "T" in first else first + midnight)
            late = bool(last) and stamp > (last if "T" in last else last + midnight)
            if early or late or not _is_in(work, spec):
                continue
            if len(found) == (self.cap or self.page):
                more = not self.cap
                break
            found.append(work)
        if not found:
            return 200, self._error(request, "noRecordsMatch", "nothing")
        name = "ListIdentifiers" if header_only else "ListRecords"
        inner = "".join(self._record(one, prefix, header_only=header_only) for one in found)
        if more:
            self.tokens += 1
            said = f"{found[-1].number + 1}.{self.tokens}!{prefix}!{first}!{last}!{spec}"
            inner += f'<resumptionToken completeListSize="{self.size}" cursor="{cursor}">{said}</resumptionToken>'
        elif cursor:
            inner += "<resumptionToken/>"  # an answer that completes a list has an empty one
        body = self._envelope(request, f"<{name}>{inner}</{name}>")
        return 200, self.broken[cursor](body) if cursor in self.broken and not header_only else body

    def _find(self, identifier: str) -> Work | None:
        number = identifier.removeprefix(PREFIX)
        return self.get(int(number)) if number.isdecimal() and int(number) < self.size else None

    def _record(self, work: Work, prefix: str, *, header_only: bool) -> str:
        status = ' status="deleted"' if work.deleted else ""
        sets = "".join(f"<setSpec>{one}</setSpec>" for one in work.sets)
        header = (
            f"<header{status}><identifier>{PREFIX}{work.number}</identifier><datestamp>{self._stamp(work)}</datestamp>{sets}"
            "</header>"
        )
        if header_only:
            return header
        if work.deleted:
            return f"<record>{header}</record>"
        return f"<record>{header}<metadata>{getattr(self, f'_{prefix}')(work)}</metadata></record>"

    def _stamp(self, work: Work) -> str:
        return f"{work.day}T12:34:56Z" if self.has_seconds else work.day

    def _page(self, work: Work) -> str:
        return f"https://repo.example/handle/1/{work.number}"

    def _oai_dc(self, work: Work) -> str:
        said = [("title", work.title), ("creator", "견본 저자"), ("description", work.abstract), ("date", work.day)]
        said += [("identifier", self._page(work))]
        said += [("identifier", self.host + work.file)] * bool(work.file) + [("rights", one) for one in work.rights]
        inner = "".join(f"<dc:{name}>{escape(value)}</dc:{name}>" for name, value in said if value)
        return (
            f'<oai_dc:dc xmlns:oai_dc="{FORMATS["oai_dc"][1]}" xmlns:dc="http://purl.org/dc/elements/1.1/">{inner}'
            "</oai_dc:dc>"
        )

    def _dim(self, work: Work) -> str:
        said = [("title", "", work.title), ("description", "abstract", work.abstract), ("date", "issued", work.day)]
        said += [("identifier", "uri", self._page(work)), *(("rights", "uri", one) for one in work.rights)]
        inner = "".join(
            f'<dim:field mdschema="dc" element="{name}"{f" qualifier={chr(34)}{q}{chr(34)}" if q else ""}>'
            f"{escape(value)}</dim:field>"
            for name, q, value in said
            if value
        )
        return f'<dim:dim xmlns:dim="{FORMATS["dim"][1]}">{inner}</dim:dim>'

    def _xoai(self, work: Work) -> str:
        def nested(*path: str, value: str) -> str:
            begin = "".join(f'<element name="{one}">' for one in path)
            return f'{begin}<field name="value">{escape(value)}</field>{"</element>" * len(path)}'

        said = nested("title", "ko_KR", value=work.title) + nested("date", "issued", "none", value=work.day)
        said += nested("description", "abstract", "ko_KR", value=work.abstract)
        said += nested("identifier", "uri", "none", value=self._page(work))
        said += "".join(nested("rights", "uri", "none", value=one) for one in work.rights)
        bundles = "".join(
            f'<element name="bundle"><field name="name">{name}</field><element name="bitstreams"><element '
            f'name="bitstream"><field name="name">x</field><field name="url">{escape(self.host + path)}</field>'
            "</element></element></element>"
            for name, path in (("THUMBNAIL", "/bitstream/small.jpg"), ("ORIGINAL", work.file))
            if work.file
        )
        return (
            f'<metadata xmlns="{FORMATS["xoai"][1]}"><element name="dc">{said}</element>'
            f'<element name="bundles">{bundles}</element></metadata>'
        )


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_in(work: Work, spec: str) -> bool:
    return not spec or any(one == spec or one.startswith(f"{spec}:") for one in work.sets)


def day(number: int, since: str = "2026-01-01") -> str:
    """The day that is so many days later."""
    return (date.fromisoformat(since) + timedelta(days=number)).isoformat()


@contextmanager
def serve(repository: Repository, pause: float = 0.0, port: int = 0) -> Iterator[Repository]:
    """Serve a repository on a port, a free one if none is named, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            time.sleep(pause)
            with repository.lock:
                repository.hits[self.path] += 1
                status, media, body, headers = self._answer(parts.path, parts.query)
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self, path: str, query: str) -> tuple[int, str, bytes, dict[str, str]]:
            if path == "/robots.txt":
                return 200, "text/plain", repository.robots.encode(), {}
            if path in repository.files:
                media, body = repository.files[path]
                return 200, media, body, {"ETag": f'"{sha256(body).hexdigest()}"'}
            if path != "/oai":
                return 404, "text/html", b"none", {}
            said = parse_qsl(query, keep_blank_values=True)
            repository.answers[dict(said).get("verb", "")] += 1
            if repository.busy and sum(repository.answers.values()) % repository.busy == 0:
                return 503, "text/plain", b"later", {"Retry-After": "0"}
            status, body = repository.answer(said)
            status = repository.error_status if b"<error" in body else status
            return status, f"text/xml; charset={repository.charset}", body, {}

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        repository.host = f"http://127.0.0.1:{server.server_port}"
        repository.base = f"{repository.host}/oai"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield repository
        finally:
            server.shutdown()
            thread.join()
