"""Personal data as others find it: `find_personal_data.py SYSTEM TEXTS.jsonl`, with `find_personal_data.txt` installed.

Reads {id, text} a line; prints {seconds} of the work without the start, then {id, found: [{kind, start, end}]} a line
in the same order. Kinds are Malmoi's; what has no such kind (a job title, a height) is left out.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Find = Callable[[str], Iterator[tuple[str, int, int]]]

KO_PII = {
    "RRN": "rrn", "FRN": "frn", "BUSINESS_REG": "brn", "CORP_REG": "crn", "DRIVER_LICENSE": "driver_license",
    "CARD": "card", "MEDICAL_INSURANCE": "health_insurance", "FAX": "phone", "ACCOUNT": "account",
    "PASSPORT": "passport", "PHONE": "phone", "EMAIL": "email", "IP": "ip", "POSTAL_CODE": "postcode",
    "VEHICLE": "vehicle", "PERSON": "name", "ADDRESS": "address", "DT_BIRTH": "birth_date",
}  # fmt: skip
PRESIDIO = {
    "KR_RRN": "rrn", "KR_FRN": "frn", "KR_BRN": "brn", "KR_DRIVER_LICENSE": "driver_license", "KR_PASSPORT": "passport",
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "IP_ADDRESS": "ip", "CREDIT_CARD": "card", "MAC_ADDRESS": "mac",
}  # fmt: skip
LEAST = 0.3  # its Korean patterns without context words score 0.05 to 0.5 and 1.0 where a check sum agrees


def ko_pii() -> Find:
    """`detect_all`, as its documentation shows it."""
    from ko_pii import detect_all

    def find(text: str) -> Iterator[tuple[str, int, int]]:
        for one in detect_all(text):
            if one.label in KO_PII:
                yield KO_PII[one.label], one.start, one.end

    return find


def presidio() -> Find:
    """Its recognisers called one by one, without an NLP engine: context words, which need one, raise no score here."""
    from presidio_analyzer import predefined_recognizers as known

    names = ("KrRrn", "KrFrn", "KrBrn", "KrDriverLicense", "KrPassport", "Email", "Ip", "CreditCard", "MacAddress")
    recognizers = [getattr(known, f"{name}Recognizer")() for name in names if hasattr(known, f"{name}Recognizer")]
    recognizers.append(known.PhoneRecognizer(supported_regions=("KR",)))

    def find(text: str) -> Iterator[tuple[str, int, int]]:
        for recognizer in recognizers:
            for one in recognizer.analyze(text, recognizer.supported_entities, None) or ():
                if one.score >= LEAST and one.entity_type in PRESIDIO:
                    yield PRESIDIO[one.entity_type], one.start, one.end

    return find


SYSTEMS = {"ko-pii": ko_pii, "presidio": presidio}


def main(system: str, source: Path) -> None:
    """Answers of one system to standard output."""
    find = SYSTEMS[system]()
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").split("\n") if line.strip()]
    for row in rows:
        row["text"] = row["text"].encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair: "?", as long
    list(find("010-0000-1234"))  # what is built at the first call is no part of the work
    begin = time.perf_counter()
    answers = [{"id": r["id"], "found": [dict(zip(("kind", "start", "end"), f, strict=True)) for f in find(r["text"])]}
               for r in rows]  # fmt: skip
    print(json.dumps({"seconds": time.perf_counter() - begin}))
    for answer in answers:
        print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
