"""Write a small DOCX: parts given as the inner XML of their roots."""

from __future__ import annotations

import io
import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_MORE = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_CORE = (
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
)
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


def docx(body, *, namespace=W, main="word/document.xml", core="", whole=None, packed=True, **parts):
    """The bytes of a document whose body holds this XML; `parts`: footnotes, endnotes, styles, comments, header1.

    `whole` replaces the main part, for one that is damaged on purpose.
    """
    document = f'<w:document xmlns:w="{namespace}" {_MORE}><w:body>{body}</w:body></w:document>'
    files = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_RELS}">'
        f'<Relationship Id="r1" Type="{_OFFICE}" Target="{main}"/></Relationships>',
        main: document if whole is None else whole,
    }
    for name, inner in parts.items():
        files[f"word/{name}.xml"] = f'<w:{name} xmlns:w="{namespace}" {_MORE}>{inner}</w:{name}>'
    if core:
        files["docProps/core.xml"] = f"<cp:coreProperties {_CORE}>{core}</cp:coreProperties>"
    return zipped(files, packed=packed)


def zipped(files, *, packed=True):
    """An archive of these files, always with the same bytes."""
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return out.getvalue()


def p(*runs, properties=""):
    """A paragraph; a string that is no markup is a run."""
    inner = "".join(run if run.startswith("<") else r(run) for run in runs)
    head = properties and f"<w:pPr>{properties}</w:pPr>"
    return f"<w:p>{head}{inner}</w:p>"


def r(text, properties=""):
    """A run of text."""
    head = properties and f"<w:rPr>{properties}</w:rPr>"
    return f'<w:r>{head}<w:t xml:space="preserve">{text}</w:t></w:r>'


def table(*rows):
    """A table; a cell that is no markup is a paragraph of text."""
    inner = "".join("<w:tr>" + "".join(map(tc, row)) + "</w:tr>" for row in rows)
    return f"<w:tbl>{inner}</w:tbl>"


def tc(cell, properties=""):
    """A cell; one that is a pair has its properties first."""
    if isinstance(cell, tuple):
        properties, cell = cell
    inner = cell if cell.startswith("<") else p(cell)
    head = properties and f"<w:tcPr>{properties}</w:tcPr>"
    return f"<w:tc>{head}{inner}</w:tc>"
