"""Cases of tests/advice/test_advice.py: releases and their index."""

import shlex
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from tests.advice.advice import advice


@advice("{} exists and is not a Malmoi release; move it away. Nothing was overwritten.")
def release_in_the_way(place):
    w = place.released()
    shutil.rmtree(w / "6-releases")
    shutil.rmtree(w / "surveys" / "index", ignore_errors=True)
    place.write("w/6-releases/general/1.0.0/notes.txt", "mine")
    yield "release general --source small.py --workspace w --workers 1"
    (w / "6-releases" / "general" / "1.0.0").rename(place.folder / "notes")
    yield "release general --source small.py --workspace w --workers 1"


@advice("{} is not a release: it has neither {} nor {}. Name the folder of one version, such as "
        "workspace/6-releases/general/1.0.0.")  # fmt: skip
def verify_of_something_else(place):
    place.released()
    yield "verify w"
    yield "verify w/6-releases/general/1.0.0"


@advice("{}: {}; this is not the release as it was published. Copy it again.")
def verify_of_a_damaged_copy(place):
    release = place.released() / "6-releases" / "general" / "1.0.0"
    shutil.copytree(release, place.folder / "copy")
    next((place.folder / "copy").glob("data/**/*.parquet")).write_bytes(b"")
    yield "verify copy"
    shutil.rmtree(place.folder / "copy")
    shutil.copytree(release, place.folder / "copy")
    yield "verify copy"


def published(w: Path) -> str:
    return published_ids(w)[0]


def published_ids(w: Path) -> list[str]:
    shards = sorted(w.glob("6-releases/*/*/data/**/*.parquet"))
    return [id for shard in shards for id in pq.read_table(shard, columns=["id"], partitioning=None)["id"].to_pylist()]


@advice("{} is neither a workspace nor a release; name the folder that holds malmoi.json or manifest.json.")
def why_elsewhere(place):
    w = place.released()
    yield f"why . {published(w)}"
    yield f"why w {published(w)}"
    yield f"why w/6-releases/general/1.0.0 {published(w)}"


@advice("{} has no document {}; ids look like source/key, as in the column id of documents.parquet and "
        "dropped.parquet in the folders of the stages.")  # fmt: skip
def why_unknown(place):
    w = place.released()
    yield "why w small/none"
    stand = next(w.glob("2-documents/*/documents.parquet"))
    yield f"why w {shlex.quote(str(pq.read_table(stand, columns=['id'])['id'][0]))}"


@advice("{} has no document {}; ids look like source/key, as in the column id of data/ and audit/.")
def why_unpublished(place):
    w = place.released()
    yield "why w/6-releases/general/1.0.0 small/none"
    yield f"why w/6-releases/general/1.0.0 {published(w)}"


@advice("{} does not publish {}; dropped texts are in the workspace: malmoi why WORKSPACE ID --against OTHER.")
def why_against_dropped(place):
    w = place.released()
    first = published(w)
    dropped = next(p for p in w.glob("3-clean/*/dropped.parquet") if pq.read_metadata(p).num_rows)
    other = shlex.quote(str(pq.read_table(dropped, columns=["id"])["id"][0]))
    yield f"why w/6-releases/general/1.0.0 {first} --against {other}"
    yield f"why w {first} --against {other}"


@advice("{} has no index yet: no release has written a segment. Release by a recipe with near_duplicates: the "
        "release writes one.")  # fmt: skip
def query_of_nothing(place):
    w = place.released()
    shutil.move(w / "surveys" / "index", place.folder / "index")
    place.write("a.txt", "짧은 글이다.")
    yield "index query a.txt --workspace w"
    yield "release general --source small.py --workspace w --workers 1"
    yield "index query a.txt --workspace w"


@advice("name the work by either --url ADDRESS or --text FILE.")
def question_without_a_work(place):
    place.released()
    yield "contains w/6-releases/general/1.0.0"
    yield "contains w/6-releases/general/1.0.0 --url https://a.example.kr/1"


@advice("{} is not an address; write it in full, such as https://example.kr/essay/1.")
def question_about_an_address_without_its_scheme(place):
    place.released()
    yield "contains w/6-releases/general/1.0.0 --url example.kr/essay/1"
    yield "contains w/6-releases/general/1.0.0 --url https://example.kr/essay/1"


@advice("the file holds no text that can be compared; give the text of the work as UTF-8 in a .txt file.")
def question_about_a_file_without_text(place):
    place.released()
    place.write("work.pdf", "%PDF-1.7")
    place.write("work.txt", "봄날의 저수지에 물이 가득 찼다.")
    yield "contains w/6-releases/general/1.0.0 --text work.pdf"
    yield "contains w/6-releases/general/1.0.0 --text work.txt"
