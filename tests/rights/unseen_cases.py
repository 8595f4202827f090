"""Read the unseen cases of tests/rights/unseen as items, sources and policy files, and decide them.

The mapping of their format is fixed here; README.md of that folder describes the keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from crawlers import defaults
from crawlers.formats import ParsedItem
from crawlers.rights import licence_fields, policy_files
from crawlers.rights_engine import make_source, trust_kinds
from malmoi.licensing.quoted_licences import is_proof, read_mentions
from malmoi.licensing.rights_decision import LICENCES, Rights, decide
from malmoi.source import Dump, Git, Item, LicenceClaim, LicenceRule, Site, Source

FOLDER = Path(__file__).parent
Case: TypeAlias = dict[str, Any]
_DEPARTMENT = re.compile(r"부서|기관|소관|department|소속", re.I)
_AUTHOR = re.compile(r"작성자|글쓴|필자|저자|기자|등록자|담당|지은이|author|writer|^글$|^글 ", re.I)


def read_cases(name: str = "unseen") -> Iterator[Case]:
    """Yield all cases of a set, in the order of their files."""
    for file in sorted((FOLDER / name).glob("*.jsonl")):
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def decide_case(case: Case) -> Rights:
    """Return the rights of a case by the source that it declares, or on the open web."""
    source, archived = make_case_source(case)
    item = make_item(case, source)
    parsed = ParsedItem(item)
    found, signals = defaults.evidence_for(source, archived)(parsed.complete(defaults.text(parsed)))
    policies = {name.rpartition("/")[2]: text for name, text in (case.get("policies") or {}).items()}
    robots = policies.pop("robots.txt", "")
    files = policy_files.build_instruments(item.url, robots, policies)
    signals = (*policy_files.resolve_terms(signals, item.url, files), *policy_files.find(item.url, files))
    return decide(trust_kinds(found, case.get("trust") or ()), signals)


def outcome(rights: Rights) -> str:
    """Return the outcome as the cases name it: redistribute, train-only, review or exclude."""
    return "review" if rights.reason == "needs-review" else rights.use


def make_case_source(case: Case) -> tuple[Source, dict[str, str]]:
    """Return the source of a case, and its archived files and pages by name."""
    if not case.get("source"):
        return make_source(), {}
    said = {"expected": [], "boards": [], "author": "", "publisher": "", **case["source"]}
    access: Any = Site((), ())
    claims, archived = [], dict[str, str]()
    if claim := said.get("claim"):
        access = Dump(url=claim["url"])
        words = claim.get("text") or claim["words"]
        claims = [LicenceClaim(one, words, url=claim["url"]) for one in _read_licences(words, said["expected"])]
        archived = {claim["url"]: "r"}
    elif files := case.get("files"):
        access = Git("https://a.example.kr/repository") if "project-licence" in said["proofs"] else access
        claims = list(_read_files(files, said))
        archived = dict.fromkeys(files, "r")
    rule = LicenceRule(
        proofs=tuple(said["proofs"]),
        selector=tuple(_selectors(said.get("selector") or {})),
        fields=(_field(said)["key"],) if said.get("field") else (),
        boards=tuple(said["boards"]),
        author=said["author"] or "",
        expected=tuple(said["expected"]),
    )
    return Source("unseen", "", said["publisher"], access, tuple(claims), rule), archived


def _selectors(families: dict[str, str]) -> list[tuple[str, str]]:
    """Return (prefix, selector); names of families, whose addresses are not given, become one selector for all."""
    known = {name: css for name, css in families.items() if not re.fullmatch(r"front ?matter|record|\w+Type", css)}
    named = ", ".join(css for name, css in known.items() if "://" not in name)
    return [(name, css) for name, css in known.items() if "://" in name] + ([("", named)] if named else [])


def _read_files(files: dict[str, str], said: Case) -> Iterator[LicenceClaim]:
    """Yield the claim that the licence file nearest to the declared folder proves; the boards name its addresses."""
    folder = (said.get("folder") or "").strip("/")
    names = [name for name in files if re.search(r"licen[cs]e|copying|copyright", name.rpartition("/")[2], re.I)]
    near = [name for name in names if f"{folder}/".startswith(name.rpartition("/")[0] + "/") or "/" not in name]
    name = max(near, key=lambda one: one.count("/"), default="")
    if name:
        for licence in _read_licences(" ".join(files[name].split())[:300], said["expected"]):
            yield LicenceClaim(licence, files[name][:200], file=name)


def _read_licences(words: str, expected: list[str]) -> list[str]:
    """Return the licence that a careful author of the source reads in these words: an expected or the named one."""
    named = [one for one in expected if is_proof(one, "sentence", words)]
    found = (licence for _, licence in read_mentions(words))
    return (named or [one for one in found if one] or [one for one in LICENCES if one in words.split()])[:1]


def _field(said: Case) -> Case:
    field = said.get("field") or {}
    return {"key": field} if isinstance(field, str) else field


def make_item(case: Case, source: Source) -> Item:
    """Return the item of a case: its page, with author and fields as the parser of the source hands them over."""
    meta: dict[str, str] = case.get("meta") or {}
    named = [value for label, value in meta.items() if _DEPARTMENT.search(label)]
    named += [value for label, value in meta.items() if _AUTHOR.search(label)]
    headers = {name.lower(): value for name, value in (case.get("headers") or {}).items()}
    record = dict(case.get("record") or {})
    record = record.get("front matter", record)
    field = _field(case.get("source") or {})
    if (key := field.get("key")) in record and (values := field.get("values")):
        record[key] = values.get(str(record[key]), record[key])
    media = headers.get("content-type", "text/html").partition(";")[0]
    evidence = licence_fields.find(record, "r", named=field.get("key", "")) if record else ()
    return Item(
        key=case["id"],
        url=case["url"],
        body=case["html"].encode(),
        media=media,
        charset="utf-8",
        record="r",
        headers=tuple((case.get("headers") or {}).items()),
        title=case["title"],
        author=next(iter(named), ""),
        evidence=evidence,
    )
