"""The guard: no address, written or resolved or connected, leads off the public web."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from crawlers.fetch.connections import GuardedResolver, _guard_factory
from crawlers.fetch.failures import PeerRefused
from crawlers.web.ssrf_guard import Guard, refuse_url
from tests.builders.rows import each_row

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "guard.jsonl").read_text("utf-8").splitlines()
]


@each_row("case", CASES, ids=[f"{case['url']!a} {case['why']}" for case in CASES])
def test_addresses_are_refused_by_their_letters(case: dict[str, Any]) -> None:
    assert refuse_url(case["url"]) == case["reason"]


def test_sixty_addresses_are_refused() -> None:
    assert sum(case["reason"] is not None for case in CASES) >= 60


def test_a_named_loopback_host_is_allowed_at_its_port_only() -> None:
    guard = Guard.allow_loopback(("127.0.0.1:8000", "localhost:8001", "[::1]:8002"))
    assert guard.check_url("http://127.0.0.1:8000/") is None
    assert guard.check_url("http://[::1]:8002/") is None
    assert guard.check_url("http://127.0.0.1:8001/") == "guard-loopback"
    assert guard.check_resolved("localhost", 8001, "127.0.0.1") is None
    assert guard.check_resolved("localhost", 8001, "10.0.0.1") == "guard-private"
    assert guard.check_peer("127.0.0.1", 8001) is None
    assert guard.check_peer("127.0.0.1", 22) == "guard-loopback"


def test_a_loopback_entry_without_port_is_an_error() -> None:
    with pytest.raises(ValueError):
        Guard.allow_loopback(("localhost",))


class _Receiver:
    def __init__(self) -> None:
        self.found: list[str] = []

    def resolutionBegan(self, resolution: object) -> None: ...

    def resolutionComplete(self) -> None: ...

    def addressResolved(self, address: Any) -> None:
        self.found.append(address.host)


class _Resolver:
    def resolveHostName(self, receiver: Any, host: str, *rest: Any) -> None:
        for address in ("10.0.0.1", "1.1.1.1", "::1", "fe80::1%eth0", "2606:4700::1111"):
            receiver.addressResolved(SimpleNamespace(host=address))


def test_the_resolver_passes_on_public_addresses_only() -> None:
    guard, receiver = Guard(), _Receiver()
    GuardedResolver(_Resolver(), guard).resolveHostName(cast(Any, receiver), "evil.example", 80)
    assert receiver.found == ["1.1.1.1", "2606:4700::1111"]
    assert guard.refused["evil.example"] == "guard-link-local"


def test_a_forbidden_peer_gets_no_protocol_and_so_no_byte() -> None:
    class Factory:
        def buildProtocol(self, addr: Any) -> str:
            return "protocol"

    factory = _guard_factory(Factory, Guard(), lambda host: None)()
    assert factory.buildProtocol(SimpleNamespace(host="1.1.1.1", port=80)) == "protocol"
    with pytest.raises(PeerRefused, match="guard-link-local"):
        factory.buildProtocol(SimpleNamespace(host="169.254.169.254", port=80))
