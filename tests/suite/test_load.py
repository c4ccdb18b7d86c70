"""What a suite author sees when a suite is right, and when it is not."""

# ruff: noqa: E501 - a table row is as wide as its sentence

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_suite import SMALL

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import FileError
from genrec_eval.protocol.results import Ruling
from genrec_eval.suite.load import LoadedSuite, check_metrics, check_prompts, missing_environment, resolve

Load = Callable[..., LoadedSuite]
Faults = Callable[..., list[str]]


@pytest.mark.parametrize("path", sorted(content("suites").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_suites_are_valid_by_name_and_start_with_the_schema_line(path: Path) -> None:
    loaded = resolve(path.stem)
    check_metrics(loaded)
    assert loaded.suite.name == path.stem
    assert loaded.suite.description
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./suite.schema.json"


def test_a_suite_is_resolved_with_defaults_and_places(load: Load, small: str, tmp_path: Path) -> None:
    loaded = load(small)
    assert loaded.folder == tmp_path
    assert loaded.source == "s.yaml"
    assert loaded.suite.engine.limit == 64
    assert loaded.resolved["engine"]["chunk"] == 16384
    assert loaded.resolved["models"]["knn"]["options"]["neighbours"] == 5
    assert loaded.resolved["data"]["world"]["options"]["noise"] > 0
    assert loaded.where(("claims", 0)) == "s.yaml:23"
    assert loaded.where("models.knn.options.neighbours") == "s.yaml:14"
    assert loaded.where(("engine", "limit")) == "s.yaml:1"
    claim = loaded.suite.claims[0]
    assert (claim.rule, claim.margin, claim.expected) == ("better_by", 0.0, Ruling.PASS)
    assert loaded.scenario("top").options.k == 10


def test_reading_a_suite_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "from genrec_eval.models.spec import ADAPTERS\n"
        "from genrec_eval.data.registry import DATASETS\n"
        "from genrec_eval.suite.load import resolve\n"
        "for registry in (ADAPTERS, DATASETS):\n"
        "    for name in registry.names(): registry.get(name)\n"
        "resolve('quickstart')\n"
        "heavy = 'numpy pandas pyarrow torch scipy httpx openai starlette uvicorn'.split()\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_resolved_form_is_a_suite_with_the_same_resolved_form(load: Load, small: str) -> None:
    resolved = load(small).resolved
    assert resolve(resolved).resolved == resolved
    assert load(yaml.safe_dump(resolved)).resolved == resolved


BROKEN: list[tuple[str, str, str]] = [
    # (what is replaced, by what, the line that says so)
    ("scenarios:", "scenrios:", "s.yaml:15: scenrios: unknown key 'scenrios'; did you mean 'scenarios'? (allowed"),
    ("    model: random", "    modle: random", "s.yaml:9: models.random.modle: unknown key 'modle'; did you mean 'model'?"),
    ("    model: random", "    modle: random", "s.yaml:7: models.random: missing key 'model'"),
    ("neighbours: 5", "neigbours: 5", "s.yaml:14: models.knn.options.neigbours: unknown key 'neigbours'; did you mean 'neighbours'?"),
    ("      k: 10", "      kk: 10", "s.yaml:20: scenarios.top.options.kk: unknown key 'kk'; did you mean 'k'?"),
    ("users: 50", "usres: 50", "s.yaml:5: data.world.options.usres: unknown key 'usres'; did you mean 'users'?"),
    ("    against:", "    agianst:", "s.yaml:27: claims.0.agianst: unknown key 'agianst'; did you mean 'against'?"),
    ("adapter: reference\n    model: random", "adapter: refrence\n    model: random", "s.yaml:8: models.random.adapter: unknown adapter 'refrence'; did you mean 'reference'?"),
    ("    adapter: reference\n    model: random", "    model: random", "s.yaml:7: models.random: missing key 'adapter'; one of "),
    ("adapter: reference\n    model: random", "adapter: [a]\n    model: random", "s.yaml:8: models.random.adapter: needs text, not a list"),
    ("model: item-knn", "model: item-knnn", "s.yaml:12: models.knn.model: unknown reference model 'item-knnn'; did you mean 'item-knn'?"),
    ("scenario: top-k", "scenario: topk", "s.yaml:17: scenarios.top.scenario: unknown scenario 'topk'; did you mean 'top-k'?"),
    ("dataset: synthetic", "dataset: syntetic", "s.yaml:4: data.world.dataset: unknown dataset 'syntetic'; did you mean 'synthetic'?"),
    ("data: world", "data: wrld", "s.yaml:18: scenarios.top.data: no data set 'wrld' in this suite; did you mean 'world'? (there is: world)"),
    ("    data: world\n", "", "s.yaml:16: scenarios.top: scenario 'top-k' needs data; name an entry under 'data'"),
    ("    model: knn", "    model: kn", "s.yaml:26: claims.0.model: no model 'kn' in this suite; did you mean 'knn'?"),
    ("against: random", "against: rndom", "s.yaml:27: claims.0.against: no model 'rndom' in this suite; did you mean 'random'?"),
    ("scenario: top\n", "scenario: topp\n", "s.yaml:24: claims.0.scenario: no scenario 'topp' in this suite; did you mean 'top'?"),
    ("k: 10", "k: ten", "s.yaml:20: scenarios.top.options.k: needs a whole number, not 'ten'"),
    ("users: 50", "users: true", "s.yaml:5: data.world.options.users: must be at least 2, not true"),
    ("name: small", "name: small\nengine: {limit: true}", "s.yaml:2: engine.limit: needs a number, not true or false"),
    ("k: 10", "k: 0", "s.yaml:20: scenarios.top.options.k: must be greater than 0, not 0"),
    ("k: 10", "k:", "s.yaml:20: scenarios.top.options.k: needs a whole number, not nothing"),
    ("metrics: [ndcg@10]", "metrics: ndcg@10", "s.yaml:21: scenarios.top.options.metrics: needs a list, as in [a, b], not 'ndcg@10'"),
    ("metrics: [ndcg@10]", "metrics: [{a: 1}]", "s.yaml:21: scenarios.top.options.metrics.0: needs text, not a mapping"),
    ("name: small", "name: 1.10", "s.yaml:1: name: needs text, not 1.1, which YAML reads as a number; write \"1.10\" in quotes"),
    ("name: small", "name: true", "which YAML reads as true or false; write \"true\" in quotes"),
    ("name: small", "name: a/b", "s.yaml:1: name: the name 'a/b' cannot be used"),
    ("name: small", "name: ../up", "cannot be used"),
    ("name: small", "name: COM1", "s.yaml:1: name: the name 'COM1' is reserved on Windows"),
    ("name: small", f"name: {'x' * 65}", "cannot be used: up to 64 letters"),
    ("name: small", "nam: small", "s.yaml:1: nam: unknown key 'nam'; did you mean 'name'?"),
    ("name: small", "name: small\nseed: -1", "s.yaml:2: seed: must be at least 0, not -1"),
    ("name: small", "name: small\nlevel: 95", "s.yaml:2: level: must be less than 1, not 95"),
    ("name: small", "name: small\nbaseline: rnd", "s.yaml:2: baseline: no model 'rnd' in this suite"),
    ("name: small", "name: small\nengine: {budget: {cals: 3}}", "s.yaml:2: engine.budget.cals: unknown key 'cals'; did you mean 'calls'?"),
    ("name: small", "name: small\nengine: 3", "s.yaml:2: engine: needs a mapping of keys to values, not 3"),
    ("  random:\n", "  a b:\n", "s.yaml:7: models.a b: the name 'a b' cannot be used"),
    ("  random:\n", "  KNN:\n", "models.knn: 'knn' and 'KNN' differ in case only"),
    ("better_by: 0", "better_by: -1", "s.yaml:28: claims.0.better_by: must be at least 0, not -1"),
    ("better_by: 0", "expect: PASS", "s.yaml:23: claims.0: a claim needs exactly one of at_least, at_most, better_by"),
    ("better_by: 0", "better_by: 0\n    at_least: 1", "not at_least and better_by together"),
    ("better_by: 0", "at_least: 0.5", "s.yaml:23: claims.0: 'at_least' is about one model alone; drop 'against'"),
    ("    against: random\n", "", "'better_by' compares with another model; name it with 'against'"),
    ("against: random", "against: knn", "'knn' is compared with itself"),
    ("better_by: 0", "better_by: 0\n    expect: fail", "s.yaml:29: claims.0.expect: is one of 'PASS' or 'FAIL', not 'fail'; did you mean 'FAIL'?"),
    ("better_by: 0", "better_by: 0\n    slice: women", "s.yaml:29: claims.0.slice: 'women' is not a slice: write all, or one group"),
    ("better_by: 0", "better_by: .inf", "s.yaml:28: .inf is not a finite number"),
    ("data: world", "data: world\n    models: [knn]", "claims.0.against: model 'random' takes no part in scenario 'top'"),
    ("data: world", "data: world\n    models: []", "scenarios.top.models: an empty list leaves no models"),
    ("model: random", "model: random\n    scenarios: [tip]", "s.yaml:10: models.random.scenarios.0: no scenario 'tip' in this suite"),
    ("dataset: synthetic", "dataset: nowhere.py:Spec", "s.yaml:4: data.world.dataset: no such Python file"),
    ("dataset: synthetic", "dataset: os:getcwd", "'os:getcwd' is no dataset: it is not a subclass of DatasetSpec"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN, ids=[row[2] for row in BROKEN])
def test_a_fault_is_said_at_its_line(faults: Faults, small: str, old: str, new: str, expected: str) -> None:
    assert old in small
    found = faults(small.replace(old, new, 1))
    assert any(expected in fault for fault in found), found
    assert all(fault.startswith("s.yaml:") and "\n" not in fault for fault in found)


def test_all_faults_are_shown_together(faults: Faults, small: str) -> None:
    text = small.replace("users: 50", "users: many, usres: 5").replace("k: 10", "k: -1")
    text = text.replace("neighbours: 5", "neighbours: x").replace("data: world", "data: moon")
    assert [fault.split(": ")[1] for fault in faults(text)] == [
        "data.world.options.users",
        "data.world.options.usres",
        "models.knn.options.neighbours",
        "scenarios.top.data",
        "scenarios.top.options.k",
    ]


def test_missing_keys_are_named_together_and_inside_what_is_missing(faults: Faults, small: str) -> None:
    assert faults("models: {a: {adapter: reference}}\nscenarios: {}\nclaims: [{claim: x}]\n") == [
        "s.yaml:1: missing key 'name'",
        "s.yaml:1: models.a: missing key 'model'",
        "s.yaml:2: scenarios: needs at least 1 entry",
        "s.yaml:3: claims.0: missing keys 'scenario', 'metric', 'model'",
    ]
    own = small.replace("options: {users: 50, items: 300}", "").replace("synthetic", "files")
    assert faults(own) == ["s.yaml:3: data.world: missing key 'options.interactions'"]


def test_faults_that_follow_from_another_are_not_said(faults: Faults, small: str) -> None:
    assert faults("extends: quickstart\nmodels: [random]\n") == [
        "s.yaml:2: models: needs a mapping of keys to values, not a list"
    ]
    bad = "adapter: python\n    target: a:b\n    kinds: [rnk]"
    assert len(faults(small.replace("adapter: reference\n    model: random", bad))) == 1


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "3", "text"])
def test_a_file_that_is_no_mapping_is_refused(faults: Faults, text: str) -> None:
    assert "genrec-eval init" in faults(text)[0]


def test_a_missing_file_is_looked_for_by_its_neighbours(load: Load, small: str, tmp_path: Path) -> None:
    load(small)
    with pytest.raises(UsageError, match=r"no suite file 's\.yml'; did you mean 's\.yaml'\?"):
        resolve("s.yml")
    with pytest.raises(UsageError, match=r"no suite file 'quickstrat'; did you mean 'quickstart'\?"):
        resolve("quickstrat")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"'folder' is a folder without any YAML file"):
        resolve("folder")
    with pytest.raises(UsageError, match=r"is a folder; it holds s\.yaml"):
        resolve(tmp_path)
    for odd in ("", "a\0b", "x" * 5000):
        with pytest.raises(UsageError):
            resolve(odd)


def test_settings_override_and_are_named_in_faults(load: Load, faults: Faults, small: str) -> None:
    loaded = load(
        small,
        "engine.limit=8",
        "models.knn.options.neighbours=7",
        "claims.0.better_by=0.5",
        "description=a: b"[:13],
    )
    assert loaded.suite.engine.limit == 8
    assert loaded.suite.claims[0].margin == 0.5
    assert loaded.where("engine.limit") == "--set engine.limit"
    assert load(small, "claims=[]").suite.claims == ()
    assert load(small.replace("k: 10", "k: 7\n      max_users: 5"), "scenarios.top.options.k=").suite
    for setting, expected in [
        ("models.kn.model=random", "--set models.kn.model: no 'kn' under models; did you mean 'knn'? (there is: random"),
        ("model.knn.model=x", "--set model.knn.model: model: unknown key 'model'; did you mean 'models'?"),
        ("engine.limt=3", "--set engine.limt: engine.limt: unknown key 'limt'; did you mean 'limit'?"),
        ("engine.limit=many", "--set engine.limit: engine.limit: needs a whole number, not 'many'"),
        ("claims.4.metric=x", "--set claims.4.metric: 'claims' is a list of 1; '4' is not one of its positions"),
        ("name.x=1", "--set name.x: 'name' is a value and has no keys below it"),
        ("engine.limit", "--set engine.limit: write key.path=value"),
        ("=1", "write key.path=value"),
        ("seed=[", "--set seed: not valid YAML"),
        ("seed=!!python/name:os.system", "--set seed: the tag"),
    ]:  # fmt: skip
        assert any(expected in fault for fault in faults(small, setting)), (setting, faults(small, setting))


def test_settings_reach_names_that_hold_dots(load: Load, small: str) -> None:
    loaded = load(small.replace("  knn:", "  knn-4.1:").replace("model: knn", "model: knn-4.1"),
                  "models.knn-4.1.options.neighbours=9")  # fmt: skip
    assert loaded.resolved["models"]["knn-4.1"]["options"]["neighbours"] == 9


def test_environment_references_are_kept_and_reported_when_unset(
    load: Load, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENREC_TEST_A", raising=False)
    monkeypatch.setenv("GENREC_TEST_B", "secret-value")
    text = small.replace("name: small", "name: small\ndescription: ${env:GENREC_TEST_A} ${env:GENREC_TEST_B}")
    loaded = load(text)
    assert loaded.resolved["description"] == "${env:GENREC_TEST_A} ${env:GENREC_TEST_B}"
    assert missing_environment(loaded) == ["s.yaml:2: environment variable GENREC_TEST_A is not set"]
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    loaded = load(small.replace("adapter: reference\n    model: random", "adapter: openai\n    model: x"))
    assert missing_environment(loaded) == ["s.yaml:7: environment variable OPENAI_API_KEY is not set"]


def test_metrics_are_checked_against_what_the_scenario_measures(load: Load, small: str) -> None:
    check_metrics(load(small))
    check_metrics(load(small.replace("metric: ndcg@10", "metric: duplicate@10")))
    for old, new, expected in [
        ("metric: ndcg@10", "metric: ndgc@10", "s.yaml:25: claims.0.metric: unknown metric 'ndgc'; did you mean 'ndcg'?"),
        ("metric: ndcg@10", "metric: ndcg@5", "s.yaml:25: claims.0.metric: scenario 'top' does not measure 'ndcg@5'; did you mean"),
        ("metrics: [ndcg@10]", "metrics: [ndgc@10]", "s.yaml:21: scenarios.top.options.metrics: unknown metric 'ndgc'"),
    ]:  # fmt: skip
        with pytest.raises(FileError) as caught:
            check_metrics(load(small.replace(old, new)))
        assert expected in str(caught.value)


def test_a_dict_is_a_suite_and_faults_point_into_it(small: str) -> None:
    document: dict[str, Any] = yaml.safe_load(small)
    assert resolve(document, ["seed=3"]).suite.seed == 3
    document["models"]["random"]["modle"] = 1
    document["scenarios"]["top"]["options"]["k"] = math.nan
    with pytest.raises(
        UsageError, match=r"suite\['scenarios'\]\['top'\]\['options'\]\['k'\]: nan is not a finite"
    ):
        resolve(document)
    document["scenarios"]["top"]["options"]["k"] = "x"
    with pytest.raises(FileError) as caught:
        resolve(document)
    assert caught.value.lines == [
        "suite['models']['random']['modle']: unknown key 'modle'; did you mean 'model'? (allowed here: "
        + caught.value.lines[0].split("(allowed here: ")[1],
        "suite['scenarios']['top']['options']['k']: needs a whole number, not 'x'",
    ]
    looped: dict[str, Any] = {}
    looped["models"] = looped
    with pytest.raises(UsageError, match="nested deeper"):
        resolve(looped)


def test_own_classes_are_found_beside_the_suite(
    load: Load, faults: Faults, small: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "from genrec_eval.models.spec import ModelSpec\n"
        "class Spec(ModelSpec):\n    adapter: str\n    depth: int = 3\n",
        encoding="utf-8",
    )
    text = small.replace("adapter: reference\n    model: random", "adapter: mine.py:Spec\n    depth: 4")
    assert load(text).resolved["models"]["random"]["depth"] == 4
    found = faults(text.replace("depth: 4", "depht: 4"))
    assert "did you mean 'depth'?" in found[0]
    assert "'mine.py' has no 'Spek'; did you mean 'Spec'?" in faults(text.replace(":Spec", ":Spek"))[0]


def test_a_python_object_of_unknown_type_in_a_dict_does_not_end_in_a_traceback(small: str) -> None:
    document: dict[str, Any] = yaml.safe_load(small)
    document["models"]["random"]["description"] = object()
    with pytest.raises(FileError, match=r"suite\['models'\]\['random'\]\['description'\]: needs text"):
        resolve(document)


_texts = st.text(max_size=12) | st.sampled_from(
    ["top-k", "reference", "synthetic", "random", "world", "all", "ndcg@10"]
)
_documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 100) | st.floats(-1, 2) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(data=st.data())
def test_any_document_is_a_suite_or_refused_in_words(data: st.DataObject, tmp_path: Path) -> None:
    base: dict[str, Any] = yaml.safe_load(SMALL)
    node: Any = base
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or not node[key]:
            break
        node = node[key]
    if isinstance(node, dict):
        node[data.draw(_texts | st.sampled_from(list(node)))] = data.draw(_documents)
    else:
        node.append(data.draw(_documents))
    (tmp_path / "any.yaml").write_text(yaml.safe_dump(base, allow_unicode=True), encoding="utf-8")
    with suppress(UsageError):
        resolve(tmp_path / "any.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=100) | st.binary(max_size=60))
def test_any_bytes_are_a_suite_or_refused_in_words(text: str | bytes, tmp_path: Path) -> None:
    (tmp_path / "any.yaml").write_bytes(
        text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    )
    with pytest.raises(UsageError):
        resolve(tmp_path / "any.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(setting=st.text(max_size=40) | st.from_regex(r"[a-z0-9.]{0,20}=.{0,10}", fullmatch=True))
def test_any_setting_is_taken_or_refused_in_words(setting: str, tmp_path: Path) -> None:
    (tmp_path / "any.yaml").write_text(SMALL, encoding="utf-8")
    with suppress(UsageError):
        resolve(tmp_path / "any.yaml", [setting])


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("rank-lst", "unknown prompt 'rank-lst'; did you mean 'rank-list'?"),
        ("mine.yaml", "mine.yaml: cannot be read"),
    ],
)
def test_a_prompt_is_looked_at_before_anything_is_played(tmp_path: Path, prompt: str, sentence: str) -> None:
    path = tmp_path / "suite.yaml"
    suite = yaml.safe_load(SMALL)
    suite["models"]["llm"] = {"adapter": "openai", "model": "m", "recommender": {"prompt": prompt}}
    path.write_text(yaml.safe_dump(suite), encoding="utf-8")
    with pytest.raises(FileError, match=r"suite\.yaml:\d+: model 'llm': ") as caught:
        check_prompts(resolve(path))
    assert sentence in str(caught.value)


def test_models_of_another_suite_win_over_those_of_the_same_name(tmp_path):
    question = """
name: question
data: {world: {dataset: synthetic}}
models:
  mine: {adapter: reference, model: random}
  added: {adapter: reference, model: popularity}
scenarios: {top-k: {scenario: top-k, data: world}}
"""
    other = "name: other\nmodels:\n  mine: {adapter: reference, model: item-knn}\n"
    (tmp_path / "question.yaml").write_text(question)
    (tmp_path / "other.yaml").write_text(other)
    loaded = resolve(tmp_path / "question.yaml", models_of=tmp_path / "other.yaml")
    assert {name: entry["model"] for name, entry in loaded.resolved["models"].items()} == {
        "mine": "item-knn",
        "added": "popularity",
    }
    assert loaded.given is None  # no command line says it all
    (tmp_path / "other.yaml").write_text("name: other\n")
    with pytest.raises(UsageError, match=r"other\.yaml names no models to take"):
        resolve(tmp_path / "question.yaml", models_of=tmp_path / "other.yaml")
