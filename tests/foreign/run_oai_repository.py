"""Serve a repository of oai-repo on loopback: SIZE records of two sets; print its port."""

import sys
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import oai_repo
from lxml import etree

SIZE = int(sys.argv[1])
FIRST = datetime(2026, 1, 1)  # UTC; oai-repo takes times without a zone
DC = "http://purl.org/dc/elements/1.1/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number % 50)


def number_of(identifier: str) -> int:
    return int(identifier.rpartition(":")[2])


class Data(oai_repo.DataInterface):
    limit = 20

    def get_identify(self):
        said = oai_repo.Identify()
        said.repository_name, said.base_url, said.admin_email = "견본", base, ["a@repo.example"]
        said.deleted_record, said.granularity = "no", "YYYY-MM-DDThh:mm:ssZ"
        said.earliest_datestamp = "2026-01-01T00:00:00Z"
        return said

    def is_valid_identifier(self, identifier):
        return identifier.startswith("oai:repo.example:") and number_of(identifier) < SIZE

    def get_metadata_formats(self, identifier=None):
        return [
            oai_repo.MetadataFormat(
                metadata_prefix="oai_dc",
                schema="http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
                metadata_namespace=OAI_DC,
            )
        ]

    def get_record_header(self, identifier):
        number = number_of(identifier)
        return oai_repo.RecordHeader(identifier=identifier, datestamp=day(number), setspecs=[f"set{number % 2}"])

    def get_record_metadata(self, identifier, metadataprefix):
        root = etree.Element(f"{{{OAI_DC}}}dc", nsmap={"oai_dc": OAI_DC, "dc": DC})
        for name, words in (("title", f"제목 {identifier}"), ("description", f"초록 {number_of(identifier)} R&D")):
            etree.SubElement(root, f"{{{DC}}}{name}").text = words
        return root

    def get_record_abouts(self, identifier):
        return []

    def list_set_specs(self, identifier=None, cursor=0):
        return ["set0", "set1"], 2, None

    def get_set(self, setspec):
        return oai_repo.Set(spec=setspec, name=setspec, description=[])

    def list_identifiers(self, metadataprefix, filter_from=None, filter_until=None, filter_set=None, cursor=0):
        found = [
            f"oai:repo.example:{number}"
            for number in range(SIZE)
            if (filter_from is None or day(number) >= filter_from.replace(tzinfo=None))
            and (filter_until is None or day(number) <= filter_until.replace(tzinfo=None))
            and filter_set in (None, f"set{number % 2}")
        ]
        return found[cursor : cursor + self.limit], len(found), None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path != "/oai":
            self.send_error(404)
            return
        answer = oai_repo.OAIRepository(Data()).process(dict(parse_qsl(parts.query)))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(bytes(answer))

    def log_message(self, format, *args): ...


server = HTTPServer(("127.0.0.1", 0), Handler)
base = f"http://127.0.0.1:{server.server_port}/oai"
print(server.server_port, flush=True)
server.serve_forever()
