"""Signatures are those of datasketch, whatever the length, the spacing and the thread; digests are those of hashlib."""

import hashlib
import random
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters.duplicates import compiled_kernels, sketch
from filters.duplicates.sketch import (
    PERMUTATIONS,
    SCHEME,
    SEED,
    SHINGLE,
    exact_digest,
    jaccard,
    jit_kernel,
    letters_of,
    shingle_hashes,
    signature,
    signature_of,
    signatures,
    to_datasketch,
)
from tests.builders.rows import each_row

BLOCK = 1024  # shingles that the kernel takes at once; lengths beside it are tried
SENTENCE = "옛 부엌에는 부뚜막이 있었고, 그 위에 솥을 걸어 밥을 지었다. "
ANY = st.text(st.characters(), max_size=80)  # surrogates too
KOREAN = st.text("가나다라마바사아 .,\nABCabc12힣ㅋㅎ", max_size=80)


def theirs(text: str) -> np.ndarray:
    made = MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME, hashfunc=int)
    made.update_batch(shingle_hashes(text))
    return made.hashvalues


def prose(letters: int, seed: int = 1) -> str:
    """A text of exactly so many letters, with blanks."""
    dice = random.Random(seed)
    return "".join(chr(dice.randrange(0xAC00, 0xD7A4)) + " " * (dice.random() < 0.3) for _ in range(letters))


@settings(deadline=None)  # the first call loads kernels
@given(ANY | KOREAN)
@example("")
@example("말")
def test_signatures_are_those_of_datasketch_bit_for_bit(text):
    assert (theirs(text) == signature(text)).all()


@each_row("letters", [4, 5, 6, 68, 69, BLOCK - 1, BLOCK, BLOCK + 3, BLOCK + 4, BLOCK + 5, 5000, 70_000])
def test_a_text_of_any_length_has_the_signature_of_datasketch(letters):
    text = prose(letters)
    assert letters_of(text).size == letters
    assert (theirs(text) == signature(text)).all()


@settings(deadline=None)
@given(st.lists(KOREAN | ANY, max_size=12))
def test_many_texts_at_once_have_the_signatures_of_each(texts):
    rows = signatures(texts)
    assert rows.shape == (len(texts), PERMUTATIONS)
    assert rows.dtype == np.uint32
    assert all((row == signature(text)).all() for row, text in zip(rows, texts, strict=True))


def test_many_long_texts_do_not_run_into_each_other():
    texts = [prose(dice, dice) for dice in (30_000, 1, 66_000, 40_000, 3, 0, 2000)]
    assert all((row == signature(text)).all() for row, text in zip(signatures(texts), texts, strict=True))


def test_a_published_signature_never_changes():
    """Segments of releases hold signatures; another shingle, table or permutation would meet none of them."""
    row = signature("Ⅱ. ‘부엌의 말’, 2026년 É 漢字 " + SENTENCE * 3)
    digest = hashlib.sha256(row.astype("<u4").tobytes()).hexdigest()
    assert digest == "5acdafabac9750f23eaabbb0463676c3fb988cbd82a1270742209bb5af6542f8"
    assert shingle_hashes("우리말을 모은 사전").tolist() == [1913247192, 2036461813, 2802520663, 3438014830]


def test_datasketch_opens_them_as_they_are():
    texts = [prose(300, seed) for seed in range(20)]
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(25, 5))
    for number, row in enumerate(signatures(texts)):
        index.insert(str(number), to_datasketch(row))
    asked = to_datasketch(signature(texts[3].replace(" ", "")))
    assert index.query(asked) == ["3"]


def test_spacing_changes_nothing_and_a_short_text_has_a_sketch():
    assert (signature("띄어 쓰기가 다르다") == signature("띄어쓰기가다르다")).all()
    assert shingle_hashes("말").size == 1
    assert shingle_hashes(" \n").size == 0


def test_signs_and_case_change_nothing():
    assert (signature("‘부엌의 말’을 Cafe에서, 엽니다!") == signature("부엌의 말을 cafe에서 엽니다 ···")).all()
    assert (signature("ΟΔΟΣ의 뜻은 길이다") == signature("οδος의 뜻은 길이다")).all()
    assert letters_of("!? — 😀").size == 0


def test_a_text_without_letters_has_the_empty_signature():
    assert (signature("!? — 😀") == 0xFFFFFFFF).all()
    assert (signatures(["", "…"]) == 0xFFFFFFFF).all()
    assert signatures([]).shape == (0, PERMUTATIONS)


@pytest.mark.heavy
def test_each_code_point_has_the_lower_case_of_python_but_two_and_full_width_is_plain():
    """İ is i alone; ς is σ, since Python makes Σ either, by where it stands in its word."""
    others = []
    for point in range(sys.maxunicode + 1):
        plain = chr(point - 0xFEE0) if 0xFF01 <= point <= 0xFF5E else chr(point)
        kept = [c for c in plain.lower() if unicodedata.category(c)[0] in "LNM" and ord(c) < 0x323B0]
        if letters_of(chr(point)).tolist() != list(map(ord, kept)):
            others.append(chr(point))
    assert others == ["İ", "ς"]


def test_marks_stay_with_their_letters_and_surrogates_are_none():
    assert "".join(map(chr, letters_of("é\ud800가\U0010ffff나"))) == "é가나"


def test_shingles_are_sorted_and_distinct():
    found = shingle_hashes(SENTENCE * 9)
    assert (np.diff(found.astype(np.int64)) > 0).all()
    assert shingle_hashes("가" * 900).size == 1


@settings(deadline=None)
@given(KOREAN)
def test_there_are_as_many_hashes_as_distinct_shingles(text):
    letters = letters_of(text).tolist()
    some = {tuple(letters[i : i + SHINGLE]) for i in range(max(len(letters) - SHINGLE + 1, min(len(letters), 1)))}
    assert shingle_hashes(text).size == len(some)


@settings(deadline=None)
@given(KOREAN, KOREAN)
def test_jaccard_is_what_sets_say(left, right):
    one, two = set(shingle_hashes(left).tolist()), set(shingle_hashes(right).tolist())
    expected = len(one & two) / len(one | two) if one | two else 0.0
    assert jaccard(shingle_hashes(left), shingle_hashes(right)) == expected


def test_the_estimate_is_near_the_exact_similarity():
    text = prose(3000)
    for share in (0.2, 0.5, 0.8, 0.95):
        cut = text[: int(len(text) * share)]
        true = jaccard(shingle_hashes(text), shingle_hashes(cut))
        estimate = (signature(text) == signature(cut)).mean()
        assert abs(estimate - true) < 0.15  # three times the deviation of 128 values at 0.5


@settings(deadline=None)
@given(ANY | KOREAN)
@example("".join(chr(point) + "말" for point in range(sys.maxunicode + 1) if chr(point).isspace()))
@example("a\u00a0é말\U0001f600\ud800\uffff\u3000끝")
def test_the_digest_is_sha256_of_the_text_without_white_space(text):
    plain = "".join(text.split()).encode("utf-8", "surrogatepass")
    assert exact_digest(text) == hashlib.sha256(plain).hexdigest()


def test_threads_do_not_disturb_each_other():
    texts = [prose(200 + 37 * number, number) for number in range(120)]
    alone = [(signature(text).tobytes(), exact_digest(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(lambda t: (signature(t).tobytes(), exact_digest(t)), texts)) == alone


def test_signatures_are_read_as_they_were_stored():
    rows = signatures(["우리말", "사전", SENTENCE])
    stored = b"".join(row.astype("<u4").tobytes() for row in rows)
    assert (np.frombuffer(stored, dtype="<u4").reshape(-1, PERMUTATIONS) == rows).all()
    assert (signature_of(letters_of(SENTENCE)) == rows[2]).all()


def test_after_warming_nothing_is_left_to_compile(monkeypatch):
    monkeypatch.setattr(compiled_kernels, "COMPILE_AFTER", 0)
    monkeypatch.setattr(compiled_kernels, "LOAD_AFTER", 0)
    sketch.warm()
    every = [k.dispatcher for k in vars(sketch).values() if isinstance(k, compiled_kernels.Kernel)]
    before = [len(k.signatures) for k in every]  # 0 where only another kernel calls it
    assert any(before)
    jaccard(shingle_hashes(SENTENCE), shingle_hashes("말"))
    signatures([SENTENCE, prose(3000)])
    signature(prose(3000))
    exact_digest(SENTENCE)
    assert [len(k.signatures) for k in every] == before


def test_a_kernel_that_can_be_kept_nowhere_is_compiled_all_the_same():
    found: dict = {}
    exec(compile("def twice(x):\n    return 2 * x\n", "/nowhere/kernel.py", "exec"), found)
    assert jit_kernel(found["twice"]).call_compiled(21) == 42
