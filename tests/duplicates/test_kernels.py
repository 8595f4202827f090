"""Kernels give the same values interpreted and compiled, and a small corpus compiles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.duplicates import bands, compiled_kernels, keepers, sketch
from filters.duplicates.compiled_kernels import Kernel, jit_kernel
from filters.evaluation import search_kernels as evaluation
from tests.builders import small_survey
from tests.builders.small_survey import FILES, ONE

ROOT = Path(__file__).parents[2]
EVERY = {
    id(kernel): kernel
    for module in (bands, keepers, sketch, evaluation)
    for kernel in vars(module).values()
    if isinstance(kernel, Kernel)
}.values()
TEXT = st.text(st.characters(codec=None), max_size=200) | st.text("가나다라마 바사\n,.aAbB７Ａ", max_size=3_000)


@pytest.fixture
def tiers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set whether all kernels are compiled at once or never."""

    def set_to(*, fast: bool) -> None:
        for kernel in EVERY:
            monkeypatch.setattr(kernel, "fast", None)
            monkeypatch.setattr(kernel, "seen", 0)
        monkeypatch.setattr(compiled_kernels, "COMPILE_AFTER", 0 if fast else 1 << 62)
        monkeypatch.setattr(compiled_kernels, "LOAD_AFTER", 0 if fast else 1 << 62)

    return set_to


def both(kernel: Any, *args: Any) -> tuple[Any, Any]:
    """What the two forms of a kernel give and leave in their arrays, each for copies of the arguments."""
    found = []
    for call in (kernel.plain, kernel.dispatcher):
        given = [arg.copy() if isinstance(arg, np.ndarray) and arg.flags.writeable else arg for arg in args]
        with np.errstate(over="ignore"):
            value = call(*given)
        found.append((value, given))
    return found[0], found[1]


@settings(deadline=None, max_examples=60)
@given(TEXT)
def test_a_text_has_the_same_letters_hashes_and_bytes_in_both_forms(text: str) -> None:
    points = sketch._code_points(text)
    room = np.empty(points.size, np.uint32)
    (n, (*_, left)), (m, (*_, right)) = both(sketch.write_letters, points, sketch._lower_case_table(), room)
    assert n == m and (left[:n] == right[:n]).all()
    letters = left[:n].copy()
    (n, (_, left)), (m, (_, right)) = both(sketch.hash_shingles, letters, np.empty(letters.size, np.uint32))
    assert n == m and (left[:n] == right[:n]).all()
    hashes = np.sort(left[:n])
    (n, (left,)), (m, (right,)) = both(sketch.keep_distinct, hashes)
    assert n == m and (left[:n] == right[:n]).all()
    (n, (*_, left)), (m, (*_, right)) = both(
        sketch.encode_utf8, points, sketch._WHITE, np.empty(4 * points.size, np.uint8)
    )
    assert n == m and (left[:n] == right[:n]).all()


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXT, max_size=6))
def test_texts_have_the_same_signatures_in_both_forms(texts: list[str]) -> None:
    points = sketch._code_points("".join(texts))
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    rows = np.empty((len(texts), sketch.PERMUTATIONS), np.uint32)
    left, right = both(sketch.sign_all, points, ends, sketch._lower_case_table(), *sketch._permutations(), rows)
    assert (left[1][-1] == right[1][-1]).all()
    letters = sketch.letters_of("".join(texts))
    left, right = both(sketch.sign, letters, *sketch._permutations(), np.empty(sketch.PERMUTATIONS, np.uint32))
    assert (left[1][-1] == right[1][-1]).all()


@settings(deadline=None, max_examples=60)
@given(st.sets(st.integers(0, 2**32 - 1), max_size=60), st.sets(st.integers(0, 2**32 - 1), max_size=60))
def test_similarity_is_the_same_number_in_both_forms(one: set[int], other: set[int]) -> None:
    left, right = (np.array(sorted(found), np.uint32) for found in (one | set(range(9)), other | set(range(5, 20))))
    assert sketch.jaccard.plain(left, right) == sketch.jaccard.dispatcher(left, right)
    assert sketch.jaccard.plain(left[:0], right[:0]) == sketch.jaccard.dispatcher(left[:0], right[:0]) == 0.0


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 100), st.sampled_from([1, 2, 3, 6, 128]))
def test_keys_of_bands_are_the_same_in_both_forms(seed: int, count: int, rows: int) -> None:
    signatures = np.random.default_rng(seed).integers(0, 1 << 32, (count, sketch.PERMUTATIONS), np.uint32)
    assert (bands.keys.plain(signatures, 0, rows) == bands.keys.dispatcher(signatures, 0, rows)).all()
    room = np.zeros((sketch.PERMUTATIONS // rows, count), np.uint64)
    left, right = both(bands.keys_of, signatures, 0, rows, room, count // 3, count)
    assert (left[1][3] == right[1][3]).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_pairs_are_compared_the_same_in_both_forms(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 1 << 32, sketch.PERMUTATIONS, np.uint32)
    rows = np.where(draw.random((9, len(values))) < 0.9, values, np.uint32(7))  # alike at about 0.81
    pair = draw.integers(0, 9, (2, count))
    letters = draw.choice(np.array([0, 90, 900]), (2, count))
    args = (rows, pair[0], rows[::-1].copy(), pair[1], letters[0], letters[1], bands.bounds(0.8))
    assert (bands.compare_rows.plain(*args) == bands.compare_rows.dispatcher(*args)).all()


@pytest.mark.heavy
@pytest.mark.parametrize("size", [ONE, FILES], ids=["one", "files"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_survey_finds_the_same_in_both_forms(tmp_path: Path, tiers: Any, size: Any, seed: int) -> None:
    docs = small_survey.corpus(seed, texts=25)
    tables = []
    for name, fast in (("plain", False), ("fast", True)):
        tiers(fast=fast)
        earlier = small_survey.segment(docs[::7], tmp_path / name / "segment", "r", "1.0.0")
        shards = small_survey.shards(docs, tmp_path / name / "shards", 20)
        files = small_survey.survey(shards, tmp_path / name / "found", size, (earlier,))
        tables.append([path.read_bytes() for path in files])
    assert tables[0] == tables[1]


def test_a_large_family_is_judged_the_same_in_both_forms(tmp_path: Path, tiers: Any) -> None:
    base = small_survey.prose("crowd", 20)
    docs = [small_survey.document(f"a/{i}", small_survey.changed(base, 0.12, i)) for i in range(90)]
    tables = []
    for name, fast in (("plain", False), ("fast", True)):
        tiers(fast=fast)
        files = small_survey.survey(small_survey.shards(docs, tmp_path / name, 40), tmp_path / name / "found")
        tables.append([path.read_bytes() for path in files])
    assert tables[0] == tables[1]


@pytest.mark.heavy
def test_a_small_corpus_imports_no_compiler(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, flows.engine.preload\nfrom tests.builders import small_survey as s\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "s.survey(s.shards(s.corpus(1, 30), folder / 'a', 20), folder / 'b')\n"
        "print('numba' in sys.modules)"
    )
    ran = run(program, tmp_path)
    assert ran.stdout.strip() == "False", ran.stderr
    assert not list((tmp_path / "kept").rglob("*.nbi"))


def test_the_cache_is_searched_a_few_times_not_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = []
    kernel = Kernel(lambda found: None, lambda found: None, 0, 1)
    monkeypatch.setattr(kernel, "is_kept", lambda: searches.append(kernel.seen))
    monkeypatch.setattr(compiled_kernels, "LOAD_AFTER", 100)
    monkeypatch.setattr(compiled_kernels, "COMPILE_AFTER", 1 << 62)
    for _ in range(10_000):
        kernel(np.zeros(1))
    assert searches == [100, 200, 400, 800, 1600, 3200, 6400]


@pytest.mark.heavy
def test_a_large_input_is_compiled_once_and_says_so(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom filters.duplicates import compiled_kernels as compiling\n"
        "from filters.duplicates import sketch\n"
        "sketch.signature('우리말을 모은 사전 ' * 20)\nassert sketch.sign.fast is None\n"
        "compiling.COMPILE_AFTER = 1_500_000\ntext = '우리말을 모은 사전 ' * 120_000\n"
        "before = sketch.signature(text[:5000])\nsketch.signature(text); sketch.signature(text)\n"
        "assert sketch.sign.fast is not None\nassert (sketch.signature(text[:5000]) == before).all()\n"
    )
    first = run(program, tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("compiling the kernels of deduplication") == 1
    assert f"cached in {tmp_path / 'kept'}" in first.stderr
    again = run(program.replace("COMPILE_AFTER = 1_500_000", "COMPILE_AFTER = 1 << 62"), tmp_path)
    assert again.returncode == 0, again.stderr  # loaded, though it would not have been compiled
    assert "compiling" not in again.stderr


def test_kernels_of_a_folder_that_cannot_be_written_are_kept_in_the_cache_of_the_user(tmp_path: Path) -> None:
    package = tmp_path / "site"
    package.mkdir()
    source = "from filters.duplicates.compiled_kernels import jit_kernel\n"
    source += "@jit_kernel\ndef twice(found):\n    return 2 * len(found)\n"
    (package / "loop.py").write_text(source, encoding="utf-8")
    (package / "__pycache__").touch()  # a file: nothing can be kept below it, whoever asks
    program = (
        f"import sys; sys.path.insert(0, {str(package)!r})\nimport numpy as np, loop\n"
        "from filters.duplicates import compiled_kernels as compiling\n"
        "compiling.COMPILE_AFTER = compiling.LOAD_AFTER = 0\nassert loop.twice(np.zeros(3)) == 6\n"
        "print(loop.twice.is_kept(), loop.twice._folder())"
    )
    ran = run(program, tmp_path, kept=False)
    assert ran.stdout.startswith(f"True {tmp_path / 'home' / '.cache' / 'numba'}"), (ran.stdout, ran.stderr)


def test_an_error_in_an_interpreted_kernel_leaves_the_next_one_counted() -> None:
    @jit_kernel
    def fails(found: Any) -> int:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fails(np.zeros(3))
    assert not compiled_kernels._INSIDE.kernel


def run(program: str, folder: Path, *, kept: bool = True) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, with a home and a cache in `folder`."""
    env = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    env |= {"HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    env |= {"NUMBA_CACHE_DIR": str(folder / "kept")} if kept else {}
    return subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
