"""Mistakes in a suite file: one sentence with file, line and cure, exit code 2, nothing played."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from workshop import SCENARIO, WORLD, Workshop

CHAT = {"adapter": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1", "api_key": "none"}
CLAIM = {"claim": "c", "scenario": "top-k", "metric": "recall@3", "model": "popularity", "at_least": 0}


def complete() -> dict[str, Any]:
    """A suite with something at every depth."""
    return {
        "name": "bad",
        "data": {"world": {"dataset": "synthetic", "options": dict(WORLD)}},
        "models": {
            "popularity": {"adapter": "reference", "model": "popularity"},
            "knn": {"adapter": "reference", "model": "item-knn", "options": {"neighbours": 5}},
            "llm": {**CHAT, "decoding": {"temperature": 0}, "recommender": {"prompt": "rank-list"}},
        },
        "scenarios": {
            "top-k": {**SCENARIO, "options": {**SCENARIO["options"], "split": {"fraction": 0.8}}}  # type: ignore[dict-item]
        },
        "claims": [dict(CLAIM)],
        "engine": {"budget": {"calls": 9}},
    }


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The complete suite with one value replaced or added."""
    suite = complete()
    place: Any = suite
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return suite


def written(folder: Path, suite: Any) -> Path:
    path = folder / "suite.yaml"
    path.write_text(suite if isinstance(suite, str) else json.dumps(suite, indent=1))
    return path


def line_of(path: Path, needle: str) -> int:
    """The line that holds ``needle`` for the last time."""
    return max(number for number, line in enumerate(path.read_text().splitlines(), 1) if needle in line)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (("modles",), "models"),
        (("data", "world", "datset"), "dataset"),
        (("data", "world", "options", "userz"), "users"),
        (("models", "knn", "descripton"), "description"),
        (("models", "knn", "options", "neighbors"), "neighbours"),
        (("models", "llm", "base_ulr"), "base_url"),
        (("models", "llm", "decoding", "temprature"), "temperature"),
        (("models", "llm", "recommender", "promt"), "prompt"),
        (("scenarios", "top-k", "optoins"), "options"),
        (("scenarios", "top-k", "options", "metrcs"), "metrics"),
        (("scenarios", "top-k", "options", "split", "fracton"), "fraction"),
        (("claims", 0, "at_leest"), "at_least"),
        (("engine", "timout"), "timeout"),
        (("engine", "budget", "cals"), "calls"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value,
)
def test_an_unknown_key_at_any_depth(shop: Workshop, path: tuple[str | int, ...], meant: str) -> None:
    file = written(shop.folder, changed(path, 1))
    for command in ("validate", "run"):
        said = shop.cli(command, file)
        assert said.code == 2
        sentence = said.sentence()
        assert sentence.startswith(f"suite.yaml:{line_of(file, str(path[-1]))}: ")
        assert f"unknown key '{path[-1]}'; did you mean '{meant}'? (allowed here: " in sentence
    assert not (shop.folder / "runs").exists()


def test_a_key_where_none_is_allowed(shop: Workshop) -> None:
    suite = changed(("models", "popularity", "options"), {"speed": 1})
    assert (
        "unknown key 'speed' (allowed here: none)" in shop.cli("run", written(shop.folder, suite)).sentence()
    )


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("name",), 3, 'needs text, not 3, which YAML reads as a number; write "3" in quotes'),
        (("name",), "../up", "the name '../up' cannot be used"),
        (("models",), [], "needs a mapping of keys to values, not a list"),
        (("claims",), "none", "needs a list, as in [a, b], not 'none'"),
        (("models", "knn"), "item-knn", "needs a mapping of keys to values, not 'item-knn'"),
        (("models", "knn", "adapter"), "refrence", "unknown adapter 'refrence'; did you mean 'reference'?"),
        (("models", "knn", "model"), "item-nkn", "unknown reference model 'item-nkn'; did you mean"),
        (("models", "llm", "api_key"), "sk-in-the-open-123", "write ${env:NAME}"),
        (("models", "llm", "decoding", "temperature"), "hot", "needs a number, not 'hot'"),
        (("data", "world", "options", "users"), "many", "needs a whole number, not 'many'"),
        (("engine", "retries"), True, "needs a number, not true or false"),
        (("scenarios", "top-k", "data"), "wrold", "no data set 'wrold' in this suite; did you mean 'world'?"),
        (("scenarios", "top-k", "options", "k"), 0, "must be greater than 0, not 0"),
        (("scenarios", "top-k", "options", "metrics"), "recall", "needs a list, as in [a, b], not 'recall'"),
        (("scenarios", "top-k", "options", "metrics"), ["recal"], "did you mean 'recall'?"),
        (("scenarios", "top-k", "options", "split", "fraction"), 2, "must be less than 1, not 2"),
        (("claims", 0, "metric"), "recall@5", "does not measure 'recall@5'; did you mean 'recall@3'?"),
        (("claims", 0, "model"), "knnn", "did you mean 'knn'?"),
        (("engine", "timeout"), "soon", "needs a number, not 'soon'"),
        (("engine", "error_budget"), 5, "must be at most 1, not 5"),
    ],
)
def test_a_value_of_the_wrong_type(
    shop: Workshop, path: tuple[str | int, ...], value: Any, sentence: str
) -> None:
    said = shop.cli("run", written(shop.folder, changed(path, value)))
    assert said.code == 2
    assert sentence in said.sentence()
    assert ".".join(map(str, path)) in said.err
    assert not (shop.folder / "runs").exists()


def test_all_faults_are_told_at_once(shop: Workshop) -> None:
    suite = changed(("engine", "timout"), 1)
    suite["models"]["knn"]["adapter"] = "refrence"
    said = shop.cli("run", written(shop.folder, suite))
    assert said.code == 2
    head, *faults = said.err.strip().splitlines()
    assert head == "error: 2 faults:"
    assert [fault.split(": ")[1] for fault in faults] == ["models.knn.adapter", "engine.timout"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "the suite is empty; `genrec-eval init` writes one to start from"),
        ("[1, 2]", "suite.yaml:1: the suite is not a mapping of keys to values"),
        ("name: [1,\nmodels: 2", "suite.yaml:2: not valid YAML"),
        ("models:\n\tmine: 1", "suite.yaml:2: a tab is used for indentation"),
        ("name: a\nname: b\n", "suite.yaml:2: the key 'name' is there twice; first at suite.yaml:1"),
        (
            "name: !!python/object/apply:os.system [id]",
            "the tag '!!python/object/apply:os.system' is not allowed",
        ),
        ("\0\1", "the character U+0000 is not allowed in YAML"),
    ],
)
def test_a_file_that_is_no_suite(shop: Workshop, content: str, sentence: str) -> None:
    said = shop.cli("run", written(shop.folder, content))
    assert said.code == 2
    assert sentence in said.sentence()


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"adapter": "python", "target": "modle.py:recommend"}, "no such Python file: {folder}/modle.py"),
        ({"adapter": "python", "target": "no_such_package_x:f"}, "No module named 'no_such_package_x'"),
        ({"adapter": "python", "target": "recommend"}, "is not of the form module:name or file.py:name"),
        ({"adapter": "replay", "path": "lists.csv"}, "no file of recorded answers at {folder}/lists.csv"),
        ({"adapter": "process", "command": ["nodee", "x.mjs"]}, "command not found: 'nodee'"),
        ({**CHAT, "recommender": {"prompt": "rank-lst"}}, "unknown prompt 'rank-lst'"),
        ({**CHAT, "recommender": {"prompt": "mine.yaml"}}, "mine.yaml"),
        ({**CHAT, "recommender": {}, "prices": "cheap.yaml"}, "no price table at {folder}/cheap.yaml"),
    ],
)
def test_a_file_that_a_model_needs_is_missing(shop: Workshop, model: dict[str, Any], sentence: str) -> None:
    said = shop.run({"mine": model})
    assert said.code == 2
    told = said.sentence()
    assert told.startswith(f"suite.yaml:{line_of(shop.folder / 'suite.yaml', 'adapter') - 1}: model 'mine'")
    assert sentence.format(folder=shop.folder) in told


def test_a_missing_suite_and_a_missing_base(shop: Workshop) -> None:
    file = shop.suite(extends="bsae.yaml")
    (shop.folder / "base.yaml").write_text("name: base\n")
    said = shop.cli("run", file)
    assert said.code == 2
    assert f"suite.yaml:{line_of(file, 'extends')}: no suite file 'bsae.yaml'" in said.sentence()
    assert "did you mean 'base.yaml'?" in said.err
    said = shop.cli("run", "suit.yaml")
    assert said.code == 2
    assert "did you mean 'suite.yaml'?" in said.sentence()


@pytest.mark.parametrize(
    "model",
    [
        {"adapter": "http", "url": "${env:GENREC_TEST_UNSET}/rank"},
        {"adapter": "http", "url": "http://127.0.0.1:1/", "headers": {"x-key": "${env:GENREC_TEST_UNSET}"}},
        {"adapter": "process", "command": ["cat"], "env": {"KEY": "${env:GENREC_TEST_UNSET}"}},
        {**CHAT, "api_key": "${env:GENREC_TEST_UNSET}", "recommender": {}},
    ],
)
def test_an_environment_variable_that_is_not_set(
    shop: Workshop, model: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = shop.run({"mine": model})
    assert said.code == 2
    place = line_of(shop.folder / "suite.yaml", "GENREC_TEST_UNSET")
    assert said.sentence() == f"suite.yaml:{place}: environment variable GENREC_TEST_UNSET is not set"
    assert not shop.run_directory.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--only", "popularty"],
            "--only popularty matches no model or scenario; did you mean 'popularity'?",
        ),
        (["--set", "engine.timout=3"], "unknown key 'timout'; did you mean 'timeout'?"),
        (["--set", "engine.timeout"], "write key.path=value, as in --set engine.limit=8"),
    ],
)
def test_mistakes_on_the_command_line(shop: Workshop, words: list[str], sentence: str) -> None:
    shop.suite()
    said = shop.again(*words)
    assert said.code == 2
    assert sentence in said.sentence()
