"""Cases of tests/advice/test_advice.py: which proofs the licence rule of a source declares, and where."""

from tests.advice.advice import SOURCE, advice, own

RULE = 'rule=LicenceRule(("licence-file",))'


def declared(place, rule):
    """Write the source `own` with the arguments `rule` of its LicenceRule."""
    assert RULE in SOURCE
    own(place, SOURCE.replace(RULE, f"rule=LicenceRule({rule})"))


@advice("{}: rule.proofs names {}; write one of {}")
def proof_unknown(place):
    declared(place, '("licence",)')
    yield "collect own.py"
    place.edit("own.py", '("licence",)', '("licence-file",)')
    yield "collect own.py"


@advice("{}: the claim of {} permits nothing, because its rule does not list the proof {}; write "
        "rule=LicenceRule(proofs=({},), expected=({},))")  # fmt: skip
def claim_without_proof(place):
    own(place, SOURCE.replace(f"    {RULE},\n", ""))
    yield "collect own.py"
    place.edit("own.py", "claim=", "rule=LicenceRule(proofs=('licence-file',), expected=('CC-BY-4.0',)), claim=")
    yield "collect own.py"


@advice("{}: the quote of the claim does not grant {}, because it names no or another licence, or denies a use: {}; "
        "quote the sentence that names {} and grants it, or correct the id")  # fmt: skip
def claim_of_another_licence(place):
    own(place, SOURCE.replace('LicenceClaim("CC-BY-4.0", "CC BY 4.0"', 'LicenceClaim("LicenseRef-KOGL-1", "CC BY 4.0"'))
    yield "collect own.py"
    place.edit("own.py", '"LicenseRef-KOGL-1"', '"CC-BY-4.0"')
    yield "collect own.py"


@advice("{}: the proof field needs the names of the fields that hold the licence; write fields=('…',) into its "
        "LicenceRule")  # fmt: skip
def field_without_fields(place):
    declared(place, '("licence-file", "field")')
    yield "collect own.py"
    place.edit("own.py", '"field")', '"field"), fields=("이용조건",)')
    yield "collect own.py"


@advice("{}: the proof {} needs the element of the page that holds it; write selector=(('https://…', "
        "'.css-selector'),) into its LicenceRule")  # fmt: skip
def page_without_selector(place):
    declared(place, '("licence-file", "kogl-block")')
    yield "collect own.py"
    place.edit("own.py", '"kogl-block")', '"kogl-block"), selector=(("https://a.example/", ".kogl"),)')
    yield "collect own.py"


@advice("{}: rule.selector holds {}; it takes pairs of an address prefix and a CSS selector")
def selector_without_prefix(place):
    declared(place, '("licence-file", "kogl-block"), selector=((".kogl",),)')
    yield "collect own.py"
    place.edit("own.py", '(".kogl",)', '("https://a.example/", ".kogl")')
    yield "collect own.py"


@advice("{}: rule.selector holds {}, not a CSS selector ({}); correct it")
def selector_malformed(place):
    declared(place, '("licence-file", "kogl-block"), selector=(("https://a.example/", "div["),)')
    yield "collect own.py"
    place.edit("own.py", "div[", "div[class]")
    yield "collect own.py"


@advice("{}: rule.{} holds {}, not a regular expression ({}); correct it")
def expression_malformed(place):
    declared(place, '("licence-file",), boards=(r"/view?(",)')
    yield "collect own.py"
    place.edit("own.py", "/view?(", r"/view\\?")
    yield "collect own.py"


@advice("{}: rule.expected names the licence {}, which docs/rights.md does not list; correct the id")
def expected_unknown(place):
    declared(place, '("licence-file",), expected=("CC-BY-40",)')
    yield "collect own.py"
    place.edit("own.py", "CC-BY-40", "CC-BY-4.0")
    yield "collect own.py"


@advice(
    "{}: LicenceRule no longer has the field {}; instead of it declare {} (docs/add-a-source.md, Declare the licence)"
)
def field_replaced(place):
    declared(place, 'place="the file LICENCE", widest="source"')
    yield "collect own.py"
    place.edit("own.py", 'place="the file LICENCE", widest="source"', 'proofs=("licence-file",)')
    yield "collect own.py"
