"""Parameters of the deployments: types, choices and help texts, which Prefect shows as a form and its server enforces.

A flow cannot check here what only the machine of the worker knows: a source that fails to load, a version that exists.
"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import re
from inspect import Signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from prefect.utilities import callables
from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

from crawlers import catalogue
from flows import release as releases
from flows import run as runs
from flows.deployments.home_folder import list_clusters, list_files
from flows.engine.executors import EngineName
from malmoi.storage.location import REFUSED_IN_FORMS

if TYPE_CHECKING:
    _RecipeName: TypeAlias = str
    _SourceName: TypeAlias = str
    _Address: TypeAlias = str
else:
    _RecipeName = Literal[(*runs.list_recipes(), *list_files(".toml"))]
    _SourceName = Literal[(*catalogue.names(), *list_files(".py"))]
    _Address = Literal[("", *list_clusters())]
_SourceNames = Annotated[list[_SourceName], Field(min_length=1, json_schema_extra={"uniqueItems": True})]

RecipeName = Annotated[
    _RecipeName,
    Field(title="recipe", description="Filters and name of the release: a shipped recipe, or one of your own."),
]
Sources = Annotated[
    _SourceNames, Field(title="sources", description="Sources of the catalogue, or your own; at least one.")
]
RecipeSources = Annotated[
    _SourceNames | None,
    Field(
        title="sources",
        description="Sources of the catalogue, or your own; leave empty for those that the recipe names.",
    ),
]
Contact = Annotated[
    Annotated[str, Field(pattern=f"^{runs.CONTACT}$")] | None,
    Field(
        title="contact",
        description="Mail address, or http(s) address of a page, that the crawler sends to each host; required on the "
        "open web. Example: crawl@office.example",
    ),
]
Limit = Annotated[
    Annotated[int, Field(ge=1, le=1_000_000)] | None,
    Field(
        title="limit (captures per source)",
        description="Maximum number of captures of each source, 1 to 1,000,000, for a first look; leave empty for all.",
    ),
]
Version = Annotated[
    str,
    Field(
        pattern=f"^({releases.VERSION})?$",
        title="version",
        description="MAJOR.MINOR.PATCH, higher than all releases of the recipe; leave empty for the next one.",
    ),
]
Replace = Annotated[
    bool,
    Field(
        title="replace",
        description="Publish without the documents of the sources of the version before that this run does not name.",
    ),
]


def _refuse_folder(given: str) -> str:
    """Refuse what the schema refuses, also where a server does not enforce it."""
    if wrong := next((what for what, pattern in REFUSED_IN_FORMS.items() if re.search(pattern, given)), ""):
        raise ValueError(f"{given!r} is {wrong}")
    return given


Folder = Annotated[
    str,
    AfterValidator(_refuse_folder),
    Field(
        title="workspace",
        description="Folder of the workspace on the machine of the worker; a relative path is below MALMOI_HOME.",
    ),
]
Engine = Annotated[
    EngineName,
    Field(title="engine", description="Where shards are processed: the machine of the worker, or a cluster."),
]
Address = Annotated[
    _Address,
    Field(
        title="address (of the cluster)",
        description="Ray or Dask cluster of MALMOI_CLUSTERS; leave empty for this machine, or a trial cluster on it.",
    ),
]
ReleaseName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", title="release", description="Name of a release of the workspace: general"),
]
Kind = Annotated[
    Literal["id", "url", "url-prefix", "text-sha256"],
    Field(
        title="kind (of the keys)",
        description="Ids of documents, addresses of pages, beginnings of addresses (which cover all pages below), or "
        "sha256 (hex) of published texts.",
    ),
]
Keys = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(
        min_length=1,
        title="keys",
        description="What to erase. The server stores it; for a personal value, use `malmoi erase --value` instead.",
        json_schema_extra={"uniqueItems": True},
    ),
]
Reason = Annotated[str, Field(min_length=1, title="reason", description="Reason of the erasure; it is published.")]
Request = Annotated[str, Field(title="request", description="Who asked for it, or the number of the request.")]
Copies = Annotated[bool, Field(title="copies", description="Erase the recorded near-duplicates too.")]
Dry = Annotated[bool, Field(title="dry_run", description="Count what would be erased, and write nothing.")]


# Rules beside the types of fields: a parameter → rules of a flow that has it. One rule, one reason: the server says the
# title of the one that is broken. They are not in the fields, which the form would show as a choice.
_RULES: dict[str, list[dict[str, Any]]] = {
    "address": [  # belongs to an engine that has clusters
        {
            "if": {"properties": {"address": {"minLength": 1}}, "required": ["address"]},
            "then": {"properties": {"engine": {"enum": ["ray", "dask"]}}, "required": ["engine"]},
        }
    ],
    "workspace": [
        {"properties": {"workspace": {"not": {"title": what, "type": "string", "pattern": pattern}}}}
        for what, pattern in REFUSED_IN_FORMS.items()
    ],
    # The $ of the patterns above is for the server also the place before a last line break.
    **{
        name: [
            {"properties": {name: {"not": {"title": "a value with a line break", "type": "string", "pattern": "\n"}}}}
        ]
        for name in ("contact", "version", "release")
    },
}


class _ClosedSchema(callables.ParameterSchema):
    additionalProperties: bool  # noqa: N815  # a keyword of JSON Schema
    allOf: list[dict[str, Any]] | None  # noqa: N815


def _make_form(signature: Signature, docstrings: dict[str, str]) -> callables.ParameterSchema:
    """Make the schema of a flow: unknown parameters refused, titles and help texts of `Annotated`, plain fields.

    A parameter that may be None becomes a field that may stay empty, and not a choice between a type and "None".
    """
    rules = [rule for name in _RULES if name in signature.parameters for rule in _RULES[name]]
    made = _ClosedSchema(
        **_generate(signature, docstrings).model_dump(), additionalProperties=False, allOf=rules or None
    )
    for name, parameter in signature.parameters.items():
        field = made.properties[name]
        for said in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(said, FieldInfo):
                field |= {"title": said.title, "description": said.description}
        shown: list[dict[str, Any]] = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
        if len(shown) == 1 and field.get("default", "") is None:
            field |= shown[0]
            del field["anyOf"], field["default"]
    return made


# Prefect 3.9 drops titles and help texts of `Annotated`, and omits additionalProperties: the server would start a run
# with a misspelt parameter, which crashes. Without a setting for it, the function that makes the schema is wrapped for
# every flow of a process that has loaded this module.
_generate = callables.generate_parameter_schema
callables.generate_parameter_schema = _make_form
