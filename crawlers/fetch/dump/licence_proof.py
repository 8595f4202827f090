"""Archive the evidence before a dump is fetched: licence pages and files, robots.txt, opt-out files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote

from crawlers import proofs
from crawlers.fetch import politeness
from crawlers.fetch.dump.dump_archive import SCHEME, BlockArchive, State
from crawlers.fetch.politeness import OPT_OUT_FILES
from crawlers.fetch.streaming_client import Answer, Net, NoAnswer, Refused
from crawlers.folders import format_utc
from crawlers.web import robots
from crawlers.web.addresses import canonical_url, origin
from malmoi.archive.capture import resource_record, warc_record
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.source import Dump, Source
from malmoi.workspace_layout import BLOCKED


def evidence(state: State, net: Net, archive: BlockArchive, access: Dump) -> str:
    """Archive licence pages, robots.txt and opt-out files; return the decision of robots.txt and the permission used.

    Raises SourceError if robots.txt forbids the dump, or a licence page lacks the claimed words.
    """
    answers: dict[str, tuple[int | None, bytes]] = {}
    unread: list[dict[str, str]] = []  # robots.txt that could not be fetched, and why

    def ask_robots(site: str) -> tuple[int | None, bytes]:
        if site not in answers:
            net.permit = _permit_all  # not for itself and its redirects: RFC 9309, section 2.3.1.2
            found = _fetch_and_archive(state, net, archive, f"{site}/robots.txt", unread)
            net.permit = permit
            answers[site] = (found.status, found.body) if found else (None, b"")
        return answers[site]

    note = ""

    def permit(url: str) -> None:
        nonlocal note
        answer = ask_robots(origin(url))
        with input_errors(
            lambda name: SourceError(_explain_forbidden(state.source, url, f"robots-unreadable: {name}", unread))
        ):
            decision = robots.decide(*answer, url, politeness.AGENT)
        if decision.delay is not None:
            net.delay = max(net.delay, decision.delay)
        if url == canonical_url(access.url) and not decision.allowed:
            # A documented permission outweighs only a rule of robots.txt itself, not an outage.
            if not access.grant or decision.reason != "robots-disallow":
                if decision.reason == "robots-unreadable":
                    said = robots.describe_unreadable(answer[1])
                    unread.append({"url": f"{origin(url)}/robots.txt", "why": said})
                raise SourceError(_explain_forbidden(state.source, url, decision.reason, unread))
            note = f"{decision.reason}, but machine access is documented at {access.grant}"
        elif not decision.allowed:
            raise Refused(decision.reason, url)

    net.permit = permit
    for claim in state.source.claim:
        if (
            claim.url
            and (page := _fetch_and_archive(state, net, archive, canonical_url(claim.url), state.failed))
            and page.status == 200
        ):
            # Before a gigabyte is fetched in vain; crawlers/proofs.py checks again.
            proofs.check_words(state.source, claim, page.body, page.header("content-type"))
    if access.path is None:
        permit(canonical_url(access.url))
        for path in OPT_OUT_FILES:
            _fetch_and_archive(state, net, archive, origin(canonical_url(access.url)) + path, state.failed)
        note = (
            note
            or robots.decide(
                *ask_robots(origin(canonical_url(access.url))), canonical_url(access.url), politeness.AGENT
            ).reason
        )
    return note


def _permit_all(url: str) -> None:
    """Allow every URL."""


def _fetch_and_archive(
    state: State, net: Net, archive: BlockArchive, url: str, failed: list[dict[str, str]]
) -> Answer | None:
    """Archive all answers for a small file and return the last; on failure return None and note why in `failed`."""
    try:
        answers = net.get(url)
    except Refused as refused:
        state.blocked += 1
        if failed is not state.failed:  # of robots.txt, whose refusal is explained
            failed.append({"url": url, "why": f"{refused.url}: {refused.reason}"})
        line = json.dumps({"url": refused.url, "reason": refused.reason}, ensure_ascii=False)
        with (state.job.run_dir / BLOCKED).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        return None
    except NoAnswer as none:
        failed.append({"url": url, "why": none.why})
        return None
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for answer in answers:
        archive.add(warc_record(answer.url, now, answer.status, answer.headers, answer.body))
    return answers[-1]


def _explain_forbidden(source: Source, url: str, reason: str, unread: list[dict[str, str]]) -> str:
    file = f"{origin(url)}/robots.txt"
    if reason != "robots-disallow":
        why = next((one["why"] for one in unread if one["url"] == file), "")
        return f"{source.name}: {robots.explain_refusal(url, reason, file, why)}"
    return (
        f"{source.name}: {url} may not be fetched ({reason}); ask {source.publisher}, name the page that documents "
        "machine access in grant= of the Dump, or retire the source"
    )


def licence_files(source: Source, archive: BlockArchive) -> None:
    """Archive the licence files beside a local dump, after the words of the claims were found in them."""
    for name, path, body in proofs.read_licence_files(source):
        url = f"{SCHEME}{source.name}/{quote(name)}"
        archive.add(resource_record(url, format_utc(path.stat().st_mtime), "text/plain", body))
