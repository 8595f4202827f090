"""Cases of tests/advice/test_advice.py: `malmoi try` and `malmoi demo`."""

import base64
import json
import socket
from contextlib import suppress

from crawlers.sources import sample
from tests.advice.advice import GENERAL, Place, advice, own


def lines(place: Place, *rows: object) -> None:
    place.write("in.jsonl", "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


GOOD = {"id": "a", "text": "한국어 문장이다."}
PAGE = {"id": "a", "html": "<p>글</p>"}


@advice("unknown stage {}: choose one of {}.")
def stage_unknown(place):
    lines(place, GOOD)
    yield "try languages --jsonl in.jsonl"
    yield "try language --jsonl in.jsonl"


@advice("give either files or --jsonl FILE (- for standard input).")
def input_both(place):
    lines(place, GOOD)
    yield "try language in.jsonl --jsonl in.jsonl"
    yield "try language --jsonl in.jsonl"


UNREAD = "{} could not be read ({}); name readable files."


@advice(UNREAD)
def input_of_a_folder(place):
    own(place)
    yield "try extract pages"
    yield "try extract pages/a.txt"


@advice(UNREAD)
def input_missing(place):
    own(place)
    yield "try extract pages/b.txt pages/a.txt"
    yield "try extract pages/a.txt"


@advice("{}: {}; name a readable file.")
def query_missing(place):
    place.released()
    place.write("a.txt", "짧은 글이다.")
    yield "index query b.txt --workspace w"
    yield "index query a.txt --workspace w"


@advice("{}: {}; name a readable file.")
def recipe_of_a_folder(place):
    (place.folder / "own.toml").mkdir()
    yield "run own.toml --source sample --dry-run"
    (place.folder / "own.toml").rename(place.folder / "recipes")
    place.write("recipes/own.toml", GENERAL)
    yield "run recipes/own.toml --source sample --dry-run"


@advice("{}: {}; name a readable file, or - for standard input.")
def lines_missing(place):
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}: not a JSON object in UTF-8 ({}). Correct the line.")
def line_broken(place):
    lines(place, GOOD, "{")
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}: not a JSON object but {}. Write one object per line.")
def line_of_a_list(place):
    lines(place, [GOOD])
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}: {}. Correct the line.")
def field_text(place):
    lines(place, {"id": "a", "text": 1})
    yield "try language --jsonl in.jsonl"
    lines(place, GOOD)
    yield "try language --jsonl in.jsonl"


@advice("{}: the object needs one of the fields {}.")
def field_missing(place):
    lines(place, {"id": "a"})
    yield "try extract --jsonl in.jsonl"
    lines(place, PAGE)
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'base64' cannot be decoded: {}. Encode the bytes again (RFC 4648).")
def field_base64(place):
    lines(place, {"id": "a", "base64": "?"})
    yield "try extract --jsonl in.jsonl"
    lines(place, {"id": "a", "base64": base64.b64encode("글".encode()).decode()})
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'html' is not a string; correct the line.")
def field_html(place):
    lines(place, {"id": "a", "html": 1})
    yield "try extract --jsonl in.jsonl"
    lines(place, PAGE)
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'headers' is not an object of strings; correct the line.")
def field_headers(place):
    lines(place, PAGE | {"headers": [1]})
    yield "try extract --jsonl in.jsonl"
    lines(place, PAGE | {"headers": {"content-language": "ko"}})
    yield "try extract --jsonl in.jsonl"


@advice("{}: field 'robots' must be a string, 'well_known' an object of texts; correct the line.")
def field_robots(place):
    lines(place, PAGE | {"well_known": "a"})
    yield "try rights --jsonl in.jsonl"
    lines(place, PAGE | {"well_known": {"/.well-known/ai.txt": "a"}, "robots": "User-agent: *"})
    yield "try rights --jsonl in.jsonl"


@advice("{}: field 'source' must be an object; correct the line.")
def field_source(place):
    lines(place, PAGE | {"source": "gongu"})
    yield "try rights --jsonl in.jsonl"
    lines(place, PAGE | {"source": {"proofs": ["field"], "fields": ["이용조건"]}})
    yield "try rights --jsonl in.jsonl"


@advice("{}: 'source' has no key {}; use {}.")
def field_source_key(place):
    lines(place, PAGE | {"source": {"selectors": [["", ".kogl"]]}})
    yield "try rights --jsonl in.jsonl"
    lines(place, PAGE | {"source": {"proofs": ["kogl-block"], "selector": [["", ".kogl"]]}})
    yield "try rights --jsonl in.jsonl"


@advice("{}: key {} of 'source' must be {}; correct the line.")
def field_source_value(place):
    lines(place, PAGE | {"source": {"proofs": ["kogl-block"], "selector": ".kogl"}})
    yield "try rights --jsonl in.jsonl"
    lines(place, PAGE | {"source": {"proofs": ["kogl-block"], "selector": [["", ".kogl"]]}})
    yield "try rights --jsonl in.jsonl"


@advice("{}: field 'trust' must be a list of {}; correct the line.")
def field_trust(place):
    lines(place, PAGE | {"trust": "rel-license"})
    yield "try rights --jsonl in.jsonl"
    lines(place, PAGE | {"trust": ["rel-license"]})
    yield "try rights --jsonl in.jsonl"


@advice("more than one line has the id {}; a cluster names its members by id. Give each its own.")
def line_twice(place):
    lines(place, GOOD, GOOD)
    yield "try duplicates --jsonl in.jsonl"
    lines(place, GOOD, GOOD | {"id": "b"})
    yield "try duplicates --jsonl in.jsonl"


@advice("recipe {} has no filter {}; choose another with --recipe.")
def stage_without_filter(place):
    lines(place, GOOD)
    place.write("own.toml", 'name = "own"\npurpose = "p"\nunredacted = "x"\n[[clean]]\nfilter = "rights"\n')
    yield "try language --jsonl in.jsonl --recipe own.toml"
    yield "try language --jsonl in.jsonl --recipe general"


@advice("port {}: {}; set MALMOI_SAMPLE_PORT to a free one.")
def demo_port(place):
    with socket.socket() as taken:
        with suppress(OSError):  # somebody else has it
            taken.bind(("127.0.0.1", sample.PORT))
            taken.listen()
        yield "demo --workspace w --workers 1"
    yield "sources sample"  # tests/flows/test_demo.py runs it on another port
