"""Validate documents/dcat-ap.jsonld of a release against shapes of DCAT-AP 3: python validate_pyshacl.py RELEASE."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pyshacl
import rdflib

SHAPES = Path(__file__).parent / "dcat_ap_3.ttl"
VCARD = rdflib.Namespace("http://www.w3.org/2006/vcard/ns#")


def find_faults(release: Path) -> Iterator[str]:
    """Yield what violates the shapes; a missing property that is only recommended does not."""
    data = rdflib.Graph().parse(release / "documents/dcat-ap.jsonld", format="json-ld")
    shapes = rdflib.Graph().parse(SHAPES, format="turtle")
    data.add((VCARD.Organization, rdflib.RDFS.subClassOf, VCARD.Kind))  # as the vocabulary says
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes)
    for result in report.subjects(rdflib.SH.resultSeverity, rdflib.SH.Violation):
        yield " ".join(
            str(report.value(result, rdflib.SH[key])) for key in ("focusNode", "resultPath", "resultMessage")
        )


if __name__ == "__main__":
    sys.exit("\n".join(find_faults(Path(sys.argv[1]))) or None)
