"""The label of translated texts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import train_translation
from benchmarks.ngram_training import round_numbers
from filters import morphology, translation
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from malmoi.models import dump_model


def make(text: str) -> Document:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return replace(doc, morphemes=morphology.mark(doc))


def test_a_text_without_analysis_is_refused() -> None:
    with pytest.raises(CallError, match="put 'morphology' before 'translation'"):
        translation.judge(replace(make("말이다."), morphemes=None))


def test_translations_are_told_from_native_texts_and_short_texts_are_left_open() -> None:
    raw = (
        "이 가이드에서, 우리는 어떻게 당신의 첫 번째 정원을 만드는지를 당신에게 보여줄 것입니다. 당신이 시작하기 "
        "전에, 당신은 당신의 흙을 검사하는 것이 필요합니다. 만약 그것이 너무 건조하다면, 당신은 그것에 물을 추가할 수 "
        "있습니다. 그것은 "
        "당신의 식물들이 자라는 것을 허용할 것입니다. 우리는 당신이 그것을 즐기기를 바랍니다."
    )
    assert dict(translation.judge(make(raw)).labels)["translated"] == "yes"
    native = (
        "텃밭 삼 년 차인데 올해도 고추는 반타작이다. 비 온 다음 날 약을 쳤어야 했는데 귀찮아서 하루 미뤘더니 탄저가 "
        "왔다. 옆 밭 아주머니는 새벽 다섯 시에 나오신다. 나는 그 시간에 잔다. 그러니 할 말이 없지. 그래도 상추는 "
        "실컷 먹었고 호박은 아직도 달린다. 내년엔 고추 대신 들깨나 심을까 싶다."
    )
    assert dict(translation.judge(make(native)).labels)["translated"] != "yes"
    assert dict(translation.judge(make("당신의 그것.")).labels)["translated"] == ""


@pytest.mark.soak  # 60 s
def test_the_model_of_translations_is_the_one_that_the_texts_give() -> None:
    texts = train_translation.read_texts()
    assert dump_model(train_translation.train(texts)) == dump_model(round_numbers(translation.MODEL))
    assert translation.MODEL.about["texts"] == len(texts)
