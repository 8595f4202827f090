"""Politeness: no host is asked faster than it wants, and one that wants rest gets it, on every address."""

import asyncio
import time
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from crawlers.fetch.politeness import Throttle
from tests.builders.hostile import crawl, links, order, page, raw_server


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.0)
        await asyncio.sleep(0)


def departures(pace: Throttle, clock: Clock, hosts: list[str]) -> list[float]:
    found: list[float] = []

    async def one(host: str) -> None:
        async with pace.turn(host):
            found.append(clock())
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        for host in hosts:
            await one(host)

    asyncio.run(all_of_them())
    return found


def test_a_delay_lies_between_any_two_requests() -> None:
    clock = Clock()
    at = departures(Throttle(1.0, 4, None, clock, clock.sleep), clock, ["a.kr"] * 5)
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(at))


def test_the_delay_counts_from_the_moment_a_request_is_written() -> None:
    clock = Clock()
    pace = Throttle(1.0, 1, None, clock, clock.sleep)
    written: list[float] = []

    async def one(connecting: float) -> None:
        async with pace.turn("a.kr"):
            await clock.sleep(connecting)
            pace.note_sent("a.kr")
            written.append(clock())

    async def all_of_them() -> None:
        for connecting in (0.9, 0.0, 0.5, 3.0, 0.0):
            await one(connecting)

    asyncio.run(all_of_them())
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(written))


@pytest.mark.real_time
def test_a_slow_first_connection_does_not_bring_the_second_request_near(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/": links("/1", "/2"), "/1": page("1"), "/2": page("2")}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        done = crawl(order(tmp_path, source, (site.port,), "delay=0.5"), slow_connect=0.4)
    assert done.status == 0 and len(site.asked) == 6
    assert min(gaps([at for at, _ in site.asked])) >= 0.48


def test_two_names_of_one_machine_share_its_pace() -> None:
    clock = Clock()

    async def number(host: str) -> str:
        return "1.1.1.1"

    at = departures(Throttle(1.0, 1, number, clock, clock.sleep), clock, ["a.kr", "1.1.1.1", "www.a.kr", "a.kr"])
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(at))


def test_a_rest_is_for_the_whole_host_and_a_slower_pace_stays() -> None:
    clock = Clock()
    pace = Throttle(0.0, 1, None, clock, clock.sleep)
    pace.rest("a.kr", 30)
    pace.rest("a.kr", 5)
    assert pace.rest_seconds("a.kr") == 30 and pace.rest_seconds("b.kr") == 0
    assert departures(pace, clock, ["b.kr"]) == [100.0] and departures(pace, clock, ["a.kr"])[0] >= 130.0
    pace.slow_down("a.kr", 7.0)
    pace.slow_down("a.kr", 2.0)
    assert pace.delay_of("a.kr") == 7.0


def test_no_more_requests_are_in_flight_than_a_host_allows() -> None:
    pace, flying, most = Throttle(0.0, 3), 0, 0

    async def one() -> None:
        nonlocal flying, most
        async with pace.turn("a.kr"):
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0.001)
            flying -= 1

    async def many() -> None:
        await asyncio.gather(*(one() for _ in range(20)))

    asyncio.run(many())
    assert most == 3


def gaps(times: list[float]) -> list[float]:
    ordered = sorted(times)
    return [later - sooner for sooner, later in pairwise(ordered)]


def politeness(folder: Path, hosts: int, pages: int, delay: float) -> None:
    servers = [raw_server() for _ in range(hosts)]
    sites = [server.__enter__() for server in servers]
    try:
        every = [f"{site.base}/{n}" for n in range(pages) for site in sites]
        sites[0].answers["/"] = links(*every)
        for site in sites:
            site.answers |= {f"/{n}": page("text") for n in range(pages)}
        scope = ", ".join(f'"{site.base}/"' for site in sites)
        source = f'access=Site(start=("{sites[0].base}/",), scope=({scope},))'
        done = crawl(order(folder, source, tuple(site.port for site in sites), f"delay={delay}, concurrency=2"))
        assert done.status == 0 and done.stats["pages"] == hosts * pages + 1
        # All of them are 127.0.0.1, one machine: its pace is one pace.
        every_time = [at for site in sites for at, _ in site.asked]
        assert min(gaps(every_time)) >= delay * 0.9
        assert len(every_time) == hosts * (pages + 3) + 1
    finally:
        for server in servers:
            server.__exit__(None, None, None)


@pytest.mark.real_time
def test_several_hosts_of_one_machine_are_never_asked_faster_than_configured(tmp_path: Path) -> None:
    politeness(tmp_path, hosts=3, pages=4, delay=0.1)


@pytest.mark.soak
def test_twenty_hosts_are_never_asked_faster_than_configured(tmp_path: Path) -> None:
    politeness(tmp_path, hosts=20, pages=15, delay=0.25)


@pytest.mark.real_time  # how many requests are in flight says how busy the machine is
@pytest.mark.parametrize("said", ["2", "date"])
def test_retry_after_is_honoured_for_all_addresses_of_the_host(tmp_path: Path, said: str) -> None:
    with raw_server() as site:
        until: list[float] = []

        def busy(connection) -> None:
            if until:
                connection.sendall(page("at last"))
                return
            until.append(time.time() + 2)
            header = "2" if said == "2" else formatdate(until[0] + 1, usegmt=True)  # whole seconds
            connection.sendall(page("later", "429 Too Many Requests", Retry_After=header))

        site.answers |= {"/": links("/busy", *map(str, range(4))), "/busy": busy}
        site.answers |= {f"/{n}": page("text") for n in range(4)}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        done = crawl(order(tmp_path, source, (site.port,), "delay=0.0, concurrency=2"))
    assert done.status == 0 and done.stats["pages"] == 6 and not done.stats["failed"]
    first = next(at for at, head in site.asked if "/busy" in head)
    later = [at - first for at, head in site.asked if at > first + 0.1]
    assert min(later) >= 1.9 and len(later) >= 4, "nothing but what was in flight"


@pytest.mark.heavy
def test_a_host_that_wants_to_be_left_alone_for_long_is(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = links("/a", "/b")
        site.answers["/a"] = page("later", "503 Service Unavailable", Retry_After="7200")
        site.answers["/b"] = page("text")
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        job = order(tmp_path, source, (site.port,))
        done = crawl(job)
        assert done.status == 4 and "a pause of more than" in done.err and "/b" not in site.paths()
        site.answers["/a"] = page("text")
        again = crawl(job)
    assert again.status == 0 and again.stats["pages"] == 3


@pytest.mark.heavy
def test_an_address_that_always_wants_its_host_left_alone_costs_only_itself(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = links("/a", "/b", "/c", "/d")
        for name in ("/a", "/c"):
            site.answers[name] = page("later", "503 Service Unavailable", Retry_After="7200")
        site.answers |= {"/b": page("text"), "/d": page("text")}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        job = order(tmp_path, source, (site.port,))
        first, second, third = crawl(job), crawl(job), crawl(job)
    assert first.status == 4 and f"{site.base}/a asks" in first.err and "skips this address" in first.err
    assert second.status == 4 and f"{site.base}/c asks" in second.err
    assert third.status == 0 and third.stats["pages"] == 3, third.err
    assert third.why(site.base) == {"/a": "retry-after", "/c": "retry-after"}


@pytest.mark.heavy
def test_a_host_that_stays_busy_is_asked_once_more_a_run(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = links(*(f"/{n}" for n in range(9)))
        site.answers |= {f"/{n}": page("later", "429 Too Many Requests", Retry_After="7200") for n in range(9)}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        job = order(tmp_path, source, (site.port,))
        for run in range(1, 4):
            before = len(site.paths())
            assert crawl(job).status == 4
            asked = [path for path in site.paths()[before:] if path.strip("/").isdigit()]
            assert asked == [f"/{n}" for n in range(run)]


@pytest.mark.real_time
def test_without_retry_after_the_waits_double(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = links("/busy")
        site.answers["/busy"] = page("later", "429 Too Many Requests")
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
        done = crawl(order(tmp_path, source, (site.port,)), first_wait=0.3)
    at = [when for when, head in site.asked if "/busy" in head]
    assert done.why(site.base) == {"/busy": "status-429"} and len(at) == 3
    assert gaps(at)[0] >= 0.29 and gaps(at)[1] >= 0.59
