"""Documents that run through filters together have the outcomes that they have alone."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from filters import personal_data
from flows import try_worker
from flows.engine import shard_jobs
from flows.engine.shard_jobs import Walked
from flows.input_files import RawInput
from malmoi import recipe
from malmoi.document import Document, Provenance, Spans
from malmoi.errors import CallError
from malmoi.recipe import Step
from malmoi.storage import shard

BAD = "이 문서는 고장 난다."
TEXTS = (
    "환자 홍길동 님, 연락처 010-0000-1234.",
    "날씨가 맑다.",
    BAD,
    "주민등록번호 900101-1234567, 이름: 성춘향",
    "담당자 (주)여울담 02-000-0001\n예금주: 김유신",
    "긴 글이다. " * 9_000,
    "",
    "다시 홍길동 님: 010-0000-1234",
)
STEPS = tuple(
    Step(name, recipe.verb_of(name), 1, params)
    for name, params in (
        ("personal_data", (("keep_official", ("desk-line",)),)),
        ("quarantine", ()),
        ("redact", ()),
    )
)


def walk(together: int, monkeypatch: pytest.MonkeyPatch) -> Walked:
    monkeypatch.setattr(shard_jobs, "TOGETHER", together)
    monkeypatch.setattr(shard_jobs, "_KEPT", {})
    docs = [
        Document(f"a/{i}", text, Provenance("a", f"https://a.example/{i}", "r", "2026-01-01T00:00:00Z", "0"))
        for i, text in enumerate(TEXTS)
    ]
    docs[1] = replace(docs[1], title="환자 홍길동 010-0000-1234")
    packed = shard.pack_table(shard.to_table(docs))
    return shard_jobs.make_walk_worker(("key", STEPS, (), ()))(packed)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of documents that the filter got at once."""
    found: list[int] = []
    mark_batch = personal_data.mark_batch

    def count(docs: Sequence[Document], **options: object) -> list[Spans]:
        found.append(len(docs))
        return mark_batch(docs, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(personal_data, "mark_batch", count)
    return found


def test_documents_together_have_the_outcomes_that_they_have_alone(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    alone = walk(0, monkeypatch)
    assert max(sizes) == 1
    together = walk(1 << 16, monkeypatch)
    assert max(sizes) > 2
    assert alone == together
    assert (alone.entered.total(), len(alone.inputs), alone.failed) == (len(TEXTS), len(TEXTS), ())
    assert shard.unpack_table(together.dropped)["id"].to_pylist() == ["a/3"]


def test_a_document_that_causes_an_exception_fails_alone(monkeypatch: pytest.MonkeyPatch, sizes: list[int]) -> None:
    find_matches = personal_data.find_matches
    monkeypatch.setattr(
        personal_data, "find_matches", lambda text, data: 1 // 0 if text == BAD else find_matches(text, data)
    )
    together, alone = walk(1 << 16, monkeypatch), walk(0, monkeypatch)
    assert max(sizes) > 2
    assert alone == together
    assert [(one.id, one.why) for one in together.failed] == [("a/2", "error:ZeroDivisionError")]
    assert len(shard.unpack_table(together.kept)) == len(TEXTS) - 2


def test_a_long_document_is_read_alone() -> None:
    docs = [Document(str(i), "가" * size, Provenance("a", "", "", "", "")) for i, size in enumerate((9, 1 << 17, 9, 9))]
    assert [len(part) for part in shard_jobs.split_documents(docs)] == [1, 1, 2]
    assert list(shard_jobs.split_documents([])) == []


def test_lines_answered_together_have_the_answers_that_they_have_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = try_worker.make_stage_worker(("pii", "general", 0))
    lines = [json.dumps({"id": i, "text": text}).encode() for i, text in enumerate(TEXTS)]
    rows = tuple(RawInput(str(i), line) for i, line in enumerate(lines))
    alone = [found for row in rows for found in answer((row,))]
    used = []
    walk_batch = try_worker.walk_batch
    monkeypatch.setattr(
        try_worker, "walk_batch", lambda docs, filters: used.append(len(docs)) or walk_batch(docs, filters)
    )
    assert answer(rows) == alone
    assert used == [len(rows)]
    unread = RawInput("9", b"", reason="unreadable")
    assert answer((*rows, unread)) == [*alone, *answer((unread,))]
    *before, error = answer((*rows, RawInput("10", b'{"id": 1, "text": 2}')))
    assert before == alone
    assert isinstance(error, CallError)
