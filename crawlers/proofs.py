"""Find the proof of each licence claim: the archived page or file that contains the quoted words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from crawlers.encodings.charset_labels import charset_of
from crawlers.rights import claims
from crawlers.web.site_files import INSTRUMENT
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import GONE, LICENCE, Run
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.source import Dump, Folder, LicenceClaim, Source, Warc


def find_base(source: Source) -> Path | None:
    """Return the folder of the files of a source on this machine: its own, or that of its dump or first archive."""
    match source.access:
        case Folder(path=path):
            return path.expanduser()
        case Dump(path=Path() as path):
            return path.expanduser().parent
        case Warc(paths=(first, *_)):
            place = first.expanduser()
            return place if place.is_dir() else place.parent
    return None


def read_licence_files(source: Source) -> Iterator[tuple[str, Path, bytes]]:
    """Read each licence file on this machine that a claim names: (name in the claim, path, bytes).

    Raises SourceError if the file is missing or unreadable, or lacks the words of its claims.
    """
    if (base := find_base(source)) is None:
        return
    for name in dict.fromkeys(claim.file for claim in source.claim if claim.file):
        path = base / name
        if not path.is_file():
            raise SourceError(
                f"{source.name}: the licence file {path} does not exist; a claim needs its proof. "
                "Put it there, or correct `file` of the LicenceClaim in the source file."
            )
        try:
            body = path.read_bytes()
        except OSError as error:
            raise _unreadable_file(source, path, str(error.strerror)) from error
        with input_errors(partial(_unreadable_file, source, path)):
            text = claims.readable_text(body, "", name=path.name)
        for claim in source.claim:
            if claim.file == name:
                claims.check_quote(claim, text, str(path))
        yield name, path, body


def _unreadable_file(source: Source, path: Path, why: str) -> SourceError:
    return SourceError(
        f"{source.name}: the licence file {path} cannot be read ({why}); a claim needs its proof. Grant "
        "read permission, or correct `file` of the LicenceClaim in the source file."
    )


def prove_claims(
    source: Source, rows: Sequence[IndexRow], folder: Path, earlier: Sequence[Run], stats: Mapping[str, Any]
) -> list[IndexRow]:
    """Mark in the rows of a crawl the licence pages and files, after finding the words of each claim in them.

    Raises SourceError if a page answered neither 200 nor 304 in this run, or no longer contains the words: a page that
    an earlier run archived does not prove what the publisher says today.
    """
    proofs: dict[str, IndexRow] = {}
    for claim in source.claim:
        if claim.file:  # a file of the repository, which each run archives like the others
            named = [r for r in rows if r.kind == "resource" and unquote(r.url).endswith(f"/{claim.file}")]
            if not named:
                raise SourceError(
                    f"{source.name}: the licence file {claim.file} is not in the repository; a claim needs its proof. "
                    "Check the repository; correct file of the LicenceClaim if it has moved, or retire the source."
                )
            row = min(named, key=lambda r: len(r.url))  # content/ko/LICENSE has the same ending
            check_words(source, claim, capture.read(folder / row.path, row.offset, row.record).body)
            proofs[claim.file] = replace(row, url=claim.file, kind=LICENCE)
        elif claim.url:
            url = claims.proof_address(claim)
            proofs[url] = proof = _find_page(source, url, rows, folder, earlier, stats)
            page = capture.read(folder / proof.path, proof.offset, proof.record)
            check_words(source, claim, page.body, page.header("content-type"))
    # An answer that a later one of the same run has replaced is not a page of the source either.
    others = [replace(r, kind=INSTRUMENT) if r.url in proofs and r.kind == "response" else r for r in rows]
    return [*(r for r in others if r.record not in {p.record for p in proofs.values()}), *proofs.values()]


def check_words(source: Source, claim: LicenceClaim, body: bytes, media: str = "") -> None:
    """Raise SourceError if an archived licence file or page is unreadable, or lacks the words of the claim."""
    name = claims.proof_address(claim)

    def refuse(error: str) -> SourceError:
        return SourceError(
            f"{source.name}: {name}, on which a claim rests, cannot be read ({error}); a claim needs its proof. "
            "Check it; name another page or file in the LicenceClaim, or retire the source."
        )

    with input_errors(refuse):
        text = claims.readable_text(body, media, charset_of(media), name)
    claims.check_quote(claim, text)


def _find_page(
    source: Source,
    url: str,
    rows: Sequence[IndexRow],
    folder: Path,
    earlier: Sequence[Run],
    stats: Mapping[str, Any],
) -> IndexRow:
    """Return the row of the licence page `url`: of this run, or of the earlier run whose answer this one confirms."""
    last = max((row for row in rows if row.url == url), key=lambda row: row.offset, default=None)
    if last is not None and last.status == 200:
        return replace(last, kind=LICENCE)
    if last is not None and last.kind == "revisit":
        held = [
            (run, r)
            for run in earlier
            for r in run.rows
            if r.url == url and r.kind != "revisit" and r.status != 304 and r.status < 500
        ]
        if held and held[-1][1].status == 200 and held[-1][1].kind != GONE:
            run, row = held[-1]
            return replace(row, path=os.path.relpath(run.folder / row.path, folder), kind=LICENCE)
    why = next(
        (failed["why"] for failed in stats["failed"] if failed["url"] == url),
        "no answer, or blocked: see blocked.jsonl",
    )
    if last is not None:
        why = f"status {last.status}"
    raise SourceError(
        f"{source.name}: the licence page {url} could not be fetched in this run ({why}); a claim needs its proof. "
        "Check the page; correct url of the LicenceClaim if it has moved, or retire the source."
    )
