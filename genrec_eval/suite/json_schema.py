"""The JSON Schema of suite files: completion and checks in editors, from the classes that validate."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import Registry
from genrec_eval.data.registry import DATASETS
from genrec_eval.models.spec import ADAPTERS
from genrec_eval.reference.base import REFERENCE
from genrec_eval.scenarios.base import SCENARIOS
from genrec_eval.suite.schema import Suite

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "suite.schema.json"


def suite_schema() -> tuple[dict[str, Any], list[str]]:
    """Return the schema, and a sentence for each plug-in that is left out because it cannot be imported.

    Built-in kinds and installed plug-ins are alternatives chosen by ``adapter``, ``scenario`` and
    ``dataset``; a kind written as ``module:name`` is accepted with any options, since its class is
    known only when the suite is read.
    """
    broken: list[str] = []
    adapters = _classes(ADAPTERS, broken)
    scenarios = _classes(SCENARIOS, broken)
    datasets = _classes(DATASETS, broken)
    references = _classes(REFERENCE, broken)
    options: dict[str, dict[str, type[BaseModel]]] = {
        "adapter": adapters,
        "scenario": {name: family.Options for name, family in scenarios.items()},
        "dataset": datasets,
        "model": {name: made.Options for name, made in references.items()},
    }
    wanted: dict[type[BaseModel], None] = dict.fromkeys(
        [Suite, *(cls for classes in options.values() for cls in classes.values())]
    )
    refs, generated = models_json_schema(
        [(cls, "validation") for cls in wanted], ref_template="#/$defs/{model}"
    )
    defs: dict[str, Any] = generated["$defs"]

    def ref(cls: type[BaseModel]) -> dict[str, Any]:
        return dict(refs[(cls, "validation")])

    for definition in defs.values():
        _tidy(definition)

    suite = defs.pop(_name(ref(Suite)))
    defs["Model"] = {"type": "object", "required": ["adapter"], "properties": {}}
    for section, entry in (("data", "Data"), ("models", "Model"), ("scenarios", "Play"), ("judges", "Judge")):
        named = suite["properties"][section]["patternProperties"]
        suite["properties"][section] |= {
            "patternProperties": {pattern: {"$ref": f"#/$defs/{entry}"} for pattern in named},
            "additionalProperties": False,
        }
    judging = defs["Judge"]["properties"]["model"]
    defs["Judge"]["properties"]["model"] = {"$ref": "#/$defs/Model", "description": judging["description"]}
    _choose(
        defs["Model"],
        "adapter",
        {name: inspect.getdoc(cls) for name, cls in adapters.items()},
        {name: ref(cls) for name, cls in adapters.items()},
    )
    for definition, key, summaries in (
        (defs["Play"], "scenario", {name: family.summary for name, family in scenarios.items()}),
        (defs["Data"], "dataset", {n: getattr(c, "summary", None) for n, c in datasets.items()}),
        (defs["ReferenceSpec"], "model", {name: inspect.getdoc(cls) for name, cls in references.items()}),
    ):
        _choose(definition, key, summaries, {n: _with(ref(c), defs) for n, c in options[key].items()})
    used: set[str] = set()
    _reach({"suite": suite}, defs, used)
    return {
        "$schema": DIALECT,
        "$id": ADDRESS,
        "title": "genrec-eval suite",
        **suite,
        "$defs": {name: defs[name] for name in sorted(used)},
    }, broken


def _classes(registry: Registry, broken: list[str]) -> dict[str, Any]:
    found = {}
    for name in registry.names():
        try:
            found[name] = registry.get(name)
        except UsageError as error:
            broken.append(str(error))
    return found


def _choose(
    definition: dict[str, Any],
    key: str,
    summaries: Mapping[str, str | None],
    branches: Mapping[str, dict[str, Any]],
) -> None:
    """Make ``key`` an enumeration with a line each, and pick the branch by its value."""
    described = definition["properties"].get(key, {}).get("description")
    consts: list[dict[str, Any]] = [
        {"const": name, **({"description": _first(text)} if text else {})} for name, text in summaries.items()
    ]
    own = {
        "type": "string",
        "pattern": ".:.",
        "description": "Your own class, as module:name or file.py:name.",
    }
    if key != "model":
        consts.append(own)
    definition["properties"][key] = {**({"description": described} if described else {}), "anyOf": consts}
    # if/then instead of oneOf: an editor then reports the faults of the chosen branch alone.
    definition["allOf"] = [
        {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": branch}
        for name, branch in branches.items()
    ]


def _with(ref: dict[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    required = {"required": ["options"]} if defs[_name(ref)].get("required") else {}
    return {"properties": {"options": ref}, **required}


def _name(ref: Mapping[str, str]) -> str:
    return ref["$ref"].rpartition("/")[2]


def _first(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _tidy(schema: Any) -> None:
    """Drop generated titles, which editors would show instead of the descriptions."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        if isinstance(schema.get("description"), str):
            schema["description"] = _first(schema["description"])
        for key, value in schema.items():
            for child in value.values() if key in {"properties", "$defs"} else [value]:
                _tidy(child)
    elif isinstance(schema, list):
        for child in schema:
            _tidy(child)


def _reach(schema: Any, defs: Mapping[str, Any], used: set[str]) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str) and (name := _name(schema)) not in used:
            used.add(name)
            _reach(defs[name], defs, used)
        for child in schema.values():
            _reach(child, defs, used)
    elif isinstance(schema, list):
        for child in schema:
            _reach(child, defs, used)
