"""Judged samples that a workspace keeps."""

from __future__ import annotations

import json

from malmoi.errors import CallError
from malmoi.releases.sampling.wrong_grants import Counts, Sample
from malmoi.workspace_layout import Layout


def read_sample(layout: Layout, name: str) -> Sample | None:
    """Return the kept sample of the highest sampled version of the release `name`, or None."""
    paths = layout.samples(name)
    if not paths:
        return None
    try:
        found = json.loads(paths[-1].read_text(encoding="utf-8"))
        answers = found["answers"]
        return Sample(
            version=found["version"],
            root=found["root"],
            seed=found["seed"],
            strata=tuple(Counts(**one) for one in found["strata"]),
            reviewers=len({one["reviewer"] for one in answers}),
            last=max(one["date"] for one in answers),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CallError(
            f"{paths[-1]}: cannot be read ({error}); restore it, or delete it and read the filled sheet again."
        ) from error
