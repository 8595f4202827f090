"""Harvest a repository with oaipmh-scythe; print the identifiers of its records, deleted ones behind a minus sign."""

import sys

from oaipmh_scythe import Scythe

with Scythe(sys.argv[1]) as scythe:
    assert scythe.identify().protocolVersion == "2.0"
    for record in scythe.list_records(metadata_prefix="oai_dc"):
        print("-" * record.deleted + record.header.identifier)
