"""The plan of an ablation: inputs, held-out sets, seeds and the size of the model; read from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from malmoi.errors import CallError

Name: TypeAlias = Annotated[str, Field(pattern=r"^[\w.+-]{1,40}$")]
SettingName: TypeAlias = Literal["tiny", "small", "medium"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(_Strict):
    """Texts in files: a release, a folder, a file or a pattern, with the column of text and an SQL condition."""

    name: Name
    path: str  # relative to the plan
    text: str = "text"
    where: str = ""


class Setting(_Strict):
    """Sizes of model, training and measurement."""

    layers: int
    width: int
    heads: int
    context: int  # tokens
    vocabulary: int  # byte pairs; characters are measured in bits, so inputs share one vocabulary
    tokens: int  # that a model sees in training
    batch: int  # sequences of `context` tokens in a step
    rate: float = 0.003  # peak learning rate of the embedding (AdamW)
    matrix_rate: float = 0.003  # peak learning rate of the matrices (Muon)
    held_out_chars: int = 50_000  # code points measured of each held-out set
    document_chars: int = 500  # code points measured of one document: its beginning

    @property
    def steps(self) -> int:
        """Return the number of training steps."""
        return max(1, self.tokens // (self.batch * self.context))


# docs/ablate.md says how these were chosen.
SETTINGS: dict[SettingName, Setting] = {
    "tiny": Setting(
        layers=1, width=32, heads=2, context=32, vocabulary=400, tokens=6_400, batch=8, held_out_chars=2_000
    ),
    "small": Setting(layers=4, width=256, heads=4, context=256, vocabulary=4096, tokens=1_500_000, batch=8),
    "medium": Setting(
        layers=8, width=512, heads=8, context=512, vocabulary=16_384, tokens=100_000_000, batch=64,
        rate=0.002, matrix_rate=0.002, held_out_chars=1_000_000, document_chars=8_000,
    ),
}  # fmt: skip


class Plan(_Strict):
    """An ablation, as a TOML file writes it."""

    setting: SettingName = "small"
    seeds: Annotated[int, Field(ge=1, le=100)] = 2
    tokens: Annotated[int, Field(ge=1)] | None = None  # that a model sees; default: those of the setting
    vocabulary: str = ""  # vocabulary.json of another ablation, relative to the plan; default: trained on the inputs
    input: Annotated[tuple[Texts, ...], Field(min_length=1)]
    held_out: Annotated[tuple[Texts, ...], Field(min_length=1)]

    @property
    def sizes(self) -> Setting:
        """Return the setting with the tokens of the plan."""
        found = SETTINGS[self.setting]
        return found.model_copy(update={"tokens": self.tokens}) if self.tokens else found


def read_plan(path: Path) -> Plan:
    """Return the plan of a TOML file; CallError if it cannot be read, or gives one name to two inputs or sets."""
    try:
        plan = Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name the TOML file of a plan (docs/ablate.md).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError(f"{path}: not TOML in UTF-8 ({error}). Correct the plan.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CallError(f"{path}: {place}: {first['msg']}. Correct the plan (docs/ablate.md).") from error
    for kind, given in (("input", plan.input), ("held_out", plan.held_out)):
        names = [one.name for one in given]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise CallError(f"{path}: two tables [[{kind}]] have the name {twice[0]!r}. Give each a name of its own.")
    return plan
