"""The guard where connections are made: at the resolver and at the peer."""

from __future__ import annotations

from typing import Any

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped,unused-ignore]

from crawlers.fetch.guard import Guard


class PeerRefused(Exception):
    """A connection led to an address that may not be spoken to; nothing was sent."""


@implementer(IHostnameResolver)
class GuardedResolver:
    """Pass on only those addresses of a host that the guard lets through."""

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
        """As IHostnameResolver says; a host with no address left counts as not found."""
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
        if self._guard.resolved(self._host, self._port, address.host) is None:
            self._receiver.addressResolved(address)


class GuardedHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https, which looks at the peer before it says a word to it."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._pool._factory = _guarded(self._pool._factory, crawler.spider.guard)


def _guarded(factory: Any, guard: Guard) -> Any:
    class Guarded(factory):  # type: ignore[misc]
        def buildProtocol(self, addr: Any) -> Any:
            if reason := guard.peer(addr.host, addr.port):
                raise PeerRefused(reason)
            return super().buildProtocol(addr)

    return Guarded


def install(guard: Guard) -> None:
    """Put the guard before the resolver of the running reactor."""
    from twisted.internet import reactor  # only once Scrapy has chosen which

    any_reactor: Any = reactor
    any_reactor.installNameResolver(GuardedResolver(any_reactor.nameResolver, guard))
