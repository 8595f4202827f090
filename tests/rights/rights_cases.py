"""Cases of rights in tests/data/rights: the page of each, the source that declares its proofs, and the decision."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from crawlers import rights_engine
from malmoi.document import LicenceEvidence
from malmoi.source import Item, LicenceRule, Source

Case: TypeAlias = dict[str, Any]
DATA = Path(__file__).parents[1] / "data" / "rights"
PROSE = "바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. 아이들은 갯벌에 나가 조개를 캐고 물때를 배운다."
FILES = ("traps.jsonl", "marks.toml", "authors.jsonl", "authors_unseen.jsonl", "third.jsonl")


@lru_cache
def read_cases(name: str) -> tuple[Case, ...]:
    """Return the cases of a file of tests/data/rights, each with an `id`."""
    text = (DATA / name).read_text(encoding="utf-8")
    if name.endswith(".toml"):
        return tuple({"id": case["name"], **case} for case in tomllib.loads(text)["case"])
    return tuple(json.loads(line) for line in text.splitlines())


@lru_cache
def _read_frames() -> dict[str, Any]:
    return tomllib.loads((DATA / "sites.toml").read_text(encoding="utf-8"))


def page_of(case: Case) -> str:
    """Return the markup of a case: its own, or the frame of a site around what it says; `mark` "" removes the mark."""
    site, title = case.get("site", ""), case.get("title", "갯벌의 하루" if "site" in case or "page" in case else "글")
    if site:
        frames = _read_frames()
        given = {"board": "공지사항", "crumb": "소식", "rows": "", "end": ""} | case | {"title": title}
        given["body"] = case.get("body", "{prose}").replace("{prose}", frames["prose"])
        given["mark"] = case.get("mark", "{mark}").replace("{mark}", frames["marks"][site])
        inside = frames["frames"][site].format_map(given)
    else:
        inside = case["html"].replace("{prose}", f"<p>{PROSE}</p>").replace("{text}", PROSE)
    if inside.lstrip().lower().startswith("<!doctype"):
        return inside
    head = f"<meta charset=utf-8><title>{case.get('page', title)}</title>{case.get('head', '')}"
    return f"<!DOCTYPE html><html><head>{head}</head><body>{inside}</body></html>"


def item_of(case: Case) -> Item:
    """Return the page or text of a case as an item."""
    url = case.get("url", "https://a.example.kr/1")
    headers = case.get("headers", {})
    pairs = tuple((k, v) for k, v in (headers.items() if isinstance(headers, dict) else headers))
    if "text" in case:
        return Item(case["id"], url, case["text"].encode(), "", "", "r", headers=pairs)
    claim = case.get("claim", "")  # licence of an archived claim of the source
    said = (LicenceEvidence(claim, "dump-claim", "source", "", "https://a.example.kr/licence", "r"),) if claim else ()
    date, body = case.get("date", ""), page_of(case).encode()
    return Item(case["id"], url, body, "text/html", "utf-8", "r", headers=pairs, date=date, evidence=said)


def declares(case: Case) -> bool:
    """Whether a case comes with the source of its page."""
    return "source" in case or "site" in case


def source_of(case: Case) -> Source:
    """Return the source that a case declares, or that of the frame of its page."""
    given = case.get("source") or _read_frames()["sources"].get(case.get("site", ""), {})
    rule = {name: _to_tuple(value) for name, value in given.items() if name != "publisher"}
    return rights_engine.make_source(LicenceRule(**rule), given.get("publisher", ""))


def _to_tuple(value: Any) -> Any:
    return tuple(map(_to_tuple, value)) if isinstance(value, list) else value


def decide(case: Case, *, declared: bool = True, trust: tuple[str, ...] = ()) -> rights_engine.Rights:
    """Return the decision for a case with the source that it declares, or with none."""
    source = source_of(case) if declared else rights_engine.make_source()
    known = {k: v if isinstance(v, str) else json.dumps(v) for k, v in case.get("well_known", {}).items()}
    return rights_engine.decide_item(
        item_of(case), source, robots=case.get("robots", ""), well_known=known, trust=trust
    )
