"""Validate documents/dcat-ap.jsonld of a release against the shapes of DCAT-AP 3: python validate_pyshacl.py RELEASE."""

import sys
from pathlib import Path

import pyshacl
import rdflib

SHAPES = Path(__file__).parent / "dcat_ap_3.ttl"


def main(release: Path) -> str:
    """Return the report of what violates the shapes, or "" if nothing does; print the warnings."""
    data = rdflib.Graph().parse(release / "documents/dcat-ap.jsonld", format="json-ld")
    shapes = rdflib.Graph().parse(SHAPES, format="turtle")
    subclass = (rdflib.URIRef("http://www.w3.org/2006/vcard/ns#Organization"), rdflib.RDFS.subClassOf)
    data.add((*subclass, rdflib.URIRef("http://www.w3.org/2006/vcard/ns#Kind")))  # as the vocabulary says
    sound, report, says = pyshacl.validate(data, shacl_graph=shapes, allow_warnings=True)
    paths = set(report.objects(None, rdflib.SH.resultPath))
    print("without", *sorted(str(path) for path in paths))
    return "" if sound else says


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) or None)
