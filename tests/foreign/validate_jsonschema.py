"""Validate documents/data-provenance-standards.json of a release: python validate_jsonschema.py RELEASE."""

import json
import sys
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).parent / "provenance_standards.schema.json"


def main(release: Path) -> str:
    """Return the faults, one a line."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    said = json.loads((release / "documents/data-provenance-standards.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return "\n".join(f"{error.json_path}: {error.message}" for error in checker.iter_errors(said))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) or None)
