"""Judged samples, inspections and ablations that a workspace keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from malmoi.ablation.kept_result import Ablation, parse_result
from malmoi.errors import CallError
from malmoi.releases.sampling.inspection import Inspection, QuestionCounts
from malmoi.releases.sampling.wrong_grants import Counts, Sample
from malmoi.workspace_layout import Layout

Kept = TypeVar("Kept", Sample, Inspection, Ablation)


def read_sample(layout: Layout, name: str) -> Sample | None:
    """Return the kept sample of the highest sampled version of the release `name`, or None."""
    return _read_last(layout.samples(name), _parse_sample)


def read_inspection(layout: Layout, name: str) -> Inspection | None:
    """Return the kept inspection of the highest inspected version of the release `name`, or None."""
    return _read_last(layout.inspections(name), _parse_inspection)


def read_ablation(layout: Layout, name: str) -> Ablation | None:
    """Return the kept ablation of the highest measured version of the release `name`, or None."""
    return _read_last(layout.ablations(name), parse_result, "run malmoi ablate")


def _read_last(
    paths: Sequence[Path], parse: Callable[[Mapping[str, Any]], Kept], command: str = "read the filled sheet"
) -> Kept | None:
    if not paths:
        return None
    try:
        return parse(json.loads(paths[-1].read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CallError(
            f"{paths[-1]}: cannot be read ({error}); restore it, or delete it and {command} again."
        ) from error


def _parse_sample(found: Mapping[str, Any]) -> Sample:
    answers = found["answers"]
    return Sample(
        version=found["version"],
        root=found["root"],
        seed=found["seed"],
        strata=tuple(Counts(**one) for one in found["strata"]),
        reviewers=len({one["reviewer"] for one in answers}),
        last=max(one["date"] for one in answers),
    )


def _parse_inspection(found: Mapping[str, Any]) -> Inspection:
    return Inspection(
        version=found["version"],
        root=found["root"],
        seed=found["seed"],
        documents=found["documents"],
        readers=len(found["sheets"]),
        last=max(one["date"] for sheet in found["sheets"] for one in sheet),
        counts=tuple(QuestionCounts(**one) for one in found["counts"]),
    )
