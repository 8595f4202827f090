"""Guard connections: SSRF guard at the resolver and at the peer, throttle, API key, limit on the response head."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Response
from service_identity.exceptions import CertificateError, VerificationError
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.python.failure import Failure
from twisted.web._newclient import BODY
from zope.interface import implementer  # type: ignore[import-untyped,unused-ignore]

from crawlers.fetch.crawl_state import CrawlContext
from crawlers.fetch.failures import NET_ERRORS, HeadTooBig, PeerRefused, TlsFailed
from crawlers.fetch.streaming_client import check_framing
from crawlers.web.ssrf_guard import Guard
from malmoi import limits
from malmoi.boundary import input_errors


@implementer(IHostnameResolver)
class GuardedResolver:
    """Pass on only those addresses of a host that the guard allows."""

    def __init__(self, inner: Any, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard

    def resolveHostName(
        self,
        receiver: IResolutionReceiver,
        host: str,
        portNumber: int = 0,  # noqa: N803 - Twisted passes it by this name
        *rest: Any,
        **named: Any,
    ) -> IHostResolution:
        """Resolve as IHostnameResolver does; a host without an allowed address counts as not found."""
        sieve = _Sieve(receiver, self._guard, host, portNumber)
        found: IHostResolution = self._inner.resolveHostName(sieve, host, portNumber, *rest, **named)
        return found


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, guard: Guard, host: str, port: int) -> None:
        self._receiver = receiver
        self._guard = guard
        self._host = host
        self._port = port
        self.resolutionBegan = receiver.resolutionBegan
        self.resolutionComplete = receiver.resolutionComplete

    def addressResolved(self, address: Any) -> None:
        if self._guard.check_resolved(self._host, self._port, address.host) is None:
            self._receiver.addressResolved(address)


class GuardedHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https; it waits for the throttle and checks the peer before it sends anything."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._context: CrawlContext = crawler.spider.context
        self._pool._factory = _guard_factory(self._pool._factory, self._context.guard, self._context.pace.note_sent)

    async def download_request(self, request: Request) -> Response:
        """Return one answer from the network. It raises only NET_ERRORS, and their texts hold no key."""
        async with self._context.pace.turn(urlsplit(request.url).hostname or ""):
            key = self._context.key if request.meta.get("keyed") else None
            if key is None:
                return _to_plain_response(request.url, await self._download(request))
            try:
                answer = await self._download(request.replace(url=key.add_to_url(request.url)))
            except Exception as error:
                kind = next((kind for kind in NET_ERRORS if isinstance(error, kind)), DownloadFailedError)
                raise kind(key.redact_text(str(error))) from None
            return _to_plain_response(request.url, answer)

    async def _download(self, request: Request) -> Response:
        try:
            with input_errors(lambda name: DownloadFailedError(name), Exception):
                return await super().download_request(request)
        except NET_ERRORS as error:
            causes: Any = getattr(error.__cause__, "reasons", ())
            if any(cause.check(HeadTooBig) for cause in causes):
                raise HeadTooBig(limits.ANSWER_HEAD_BYTES.describe()) from error
            if insecure := [
                cause.value for cause in causes if cause.check(SSL.Error, VerificationError, CertificateError)
            ]:
                said = insecure[0].args[0] if insecure[0].args else ""  # of OpenSSL: [(library, function, reason), …]
                is_list = isinstance(said, list) and bool(said)
                raise TlsFailed("; ".join(str(one[-1]) for one in said) if is_list else str(insecure[0])) from error
            raise
        except Exception as error:  # any parser error that a hostile answer causes is an error of that answer
            raise DownloadFailedError(f"{type(error).__name__}: {error}") from error


def _to_plain_response(url: str, answer: Response) -> Response:
    """Return a plain Response; Scrapy's subclasses decode by whatever charset label an answer declares."""
    return Response(url, answer.status, headers=answer.headers, body=answer.body, flags=answer.flags)


def _guard_factory(factory: Any, guard: Guard, sent: Callable[[str], None]) -> Any:
    class Guarded(factory):  # type: ignore[misc]
        def buildProtocol(self, addr: Any) -> Any:
            if reason := guard.check_peer(addr.host, addr.port):
                raise PeerRefused(reason)
            return _time_requests(_limit_head(super().buildProtocol(addr)), sent)

    return Guarded


def _time_requests(protocol: Any, sent: Callable[[str], None]) -> Any:
    """Call `sent` with the host of each request when it is written, that is, once the connection is open."""
    if not hasattr(protocol, "request"):
        return protocol
    write = protocol.request

    def request(asked: Any) -> Any:
        (host,) = asked.headers.getRawHeaders(b"host", [b""])[:1]
        sent(urlsplit(f"//{host.decode('latin-1')}").hostname or "")
        return write(asked)

    protocol.request = request
    return protocol


def _limit_head(protocol: Any) -> Any:
    """Count the bytes of each head and check its framing.

    Twisted limits only the length of one line (more strictly), not their number.
    """
    if not hasattr(protocol, "dataReceived"):
        return protocol

    def check_head(parser: Any, accept: Callable[[], None]) -> None:
        raw = parser.connHeaders.getAllRawHeaders()
        check_framing((name.decode("latin-1"), one.decode("latin-1")) for name, values in raw for one in values)
        accept()

    received, failure = protocol.dataReceived, cast(Any, Failure)
    counted: list[Any] = [None, 0]  # parser, bytes

    def data_received(data: bytes) -> None:
        parser = protocol._parser
        if parser is not counted[0]:
            counted[:] = parser, 0
            if parser is not None:
                parser.MAX_LENGTH = limits.ANSWER_HEAD_BYTES.value
                parser.allHeadersReceived = partial(check_head, parser, parser.allHeadersReceived)
        received(data)
        if protocol._parser is parser and getattr(parser, "state", BODY) != BODY:
            counted[1] += len(data)
            if counted[1] > limits.ANSWER_HEAD_BYTES.value:
                protocol._giveUp(failure(HeadTooBig()))
                protocol.transport.abortConnection()

    protocol.dataReceived = data_received
    return protocol


def install(guard: Guard) -> None:
    """Install the guard in front of the resolver of the running reactor."""
    from twisted.internet import reactor  # only once Scrapy has chosen which

    any_reactor: Any = reactor
    any_reactor.installNameResolver(GuardedResolver(any_reactor.nameResolver, guard))


async def resolve_host(host: str) -> str:
    """Return the IP address of a host, or the host itself if it does not resolve. No connection is made."""
    from scrapy.utils.defer import maybe_deferred_to_future
    from twisted.internet import reactor
    from twisted.internet._resolver import ComplexResolverSimplifier

    any_reactor: Any = reactor
    # Not through the guard, which would record a refusal although no connection was wanted.
    inner = getattr(any_reactor.nameResolver, "_inner", any_reactor.nameResolver)
    try:
        found: Any = ComplexResolverSimplifier(inner).getHostByName(host)
        return str(await maybe_deferred_to_future(found))
    except Exception:  # unknown or misspelt: the request itself will fail and report it
        return host
