"""The JSON Schema agrees with the validator, and the shipped file is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from small_suite import SMALL

from genrec_eval.core.content import content
from genrec_eval.core.yaml import plain, read_file
from genrec_eval.suite.json_schema import suite_schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made, broken = suite_schema()
    assert broken == []
    return made


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(validator: jsonschema.Draft202012Validator, document: Any) -> list[str]:
    return [error.json_path for error in validator.iter_errors(document)]


def test_the_shipped_schema_is_current(schema: dict[str, Any]) -> None:
    shipped = json.loads((content("suites") / "suite.schema.json").read_text(encoding="utf-8"))
    assert shipped == schema, "run: genrec-eval schema -o suites/suite.schema.json"


@pytest.mark.parametrize("path", sorted(content("suites").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_suites_fit_the_schema(validator: jsonschema.Draft202012Validator, path: Path) -> None:
    assert faults(validator, plain(read_file(path, path.name))) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("    model: random", "    modle: random", "$.models.random"),
        ("model: random\n", "model: rnd\n", "$.models.random.model"),
        ("adapter: reference\n    model: random", "adapter: refrence", "$.models.random.adapter"),
        ("neighbours: 5", "neigbours: 5", "$.models.knn.options"),
        ("k: 10", "k: ten", "$.scenarios.top.options.k"),
        ("users: 50", "users: x", "$.data.world.options.users"),
        ("dataset: synthetic", "dataset: imaginary", "$.data.world.dataset"),
        ("better_by: 0", "better: 0", "$.claims[0]"),
        ("  knn:", "  k nn:", "$.models"),
        ("name: small", "nam: small", "$"),
    ],
)
def test_editors_see_the_faults(
    validator: jsonschema.Draft202012Validator, old: str, new: str, where: str
) -> None:
    assert faults(validator, yaml.safe_load(SMALL)) == []
    assert old in SMALL
    assert where in faults(validator, yaml.safe_load(SMALL.replace(old, new, 1)))


def test_own_classes_are_accepted_with_any_keys(validator: jsonschema.Draft202012Validator) -> None:
    text = SMALL.replace("adapter: reference\n    model: random", "adapter: mine.py:Spec\n    depth: 4")
    assert faults(validator, yaml.safe_load(text)) == []


def test_every_key_of_a_suite_is_described(schema: dict[str, Any]) -> None:
    own = ("Data", "Model", "Play", "Claim", "Budget", "EngineOptions")
    missing = [
        f"{name}.{key}"
        for name, definition in {"Suite": schema, **{name: schema["$defs"][name] for name in own}}.items()
        for key, value in definition["properties"].items()
        if not ({"description", "anyOf", "$ref"} & set(value))
    ]
    assert missing == []
