"""From a path, a name or a dict to a validated suite that knows where everything was said."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import FileError, descend, explain, line
from genrec_eval.core.secrets import REFERENCE
from genrec_eval.core.yaml import DEEPEST, Node, plain
from genrec_eval.models.spec import ModelSpec
from genrec_eval.scenarios.base import SCENARIOS, Scenario
from genrec_eval.suite.merge import extended, locate, override, read, shown
from genrec_eval.suite.references import references
from genrec_eval.suite.rule import PAIRED
from genrec_eval.suite.schema import RULES, Suite, find

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Metric


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A validated suite.

    Attributes
    ----------
    suite
        What it says, defaults filled in.
    folder
        Folder that relative paths of the suite are resolved against.
    source
        Path of the file as given, or ``"suite"`` for a dict.
    resolved
        Plain JSON form with the defaults; ``${env:NAME}`` stays a reference.
    given
        The path or name by which the suite was asked for; None for a dict or models made in Python.
    sets
        ``key.path=value`` overrides, as given.
    """

    suite: Suite
    folder: Path
    source: str
    resolved: dict[str, Any]
    root: Node = field(repr=False)
    given: str | None = None
    sets: tuple[str, ...] = ()

    def where(self, path: str | Sequence[str | int]) -> str:
        """``"file.yaml:12"`` for a key path such as ``("claims", 0)``; the nearest key above if absent."""
        parts = path.split(".") if isinstance(path, str) else path
        return descend(self.root, parts)[0].place

    def scenario(self, name: str) -> Scenario:
        """The scenario behind the entry ``name``, built from its options and the suite's seed."""
        entry = self.suite.scenarios[name]
        built: Scenario = find(SCENARIOS, entry.scenario, self.folder)(entry.options, self.suite.seed)
        if entry.judging:
            from genrec_eval.suite.judging import questions

            built.questions = questions(self.suite, name, self.folder)
        return built


def resolve(
    source: str | Path | Mapping[str, Any],
    sets: Sequence[str] = (),
    models: Mapping[str, ModelSpec] | None = None,
    models_of: str | Path | None = None,
) -> LoadedSuite:
    """Read, merge and validate a suite.

    Parameters
    ----------
    source
        Path of a suite file, name of a shipped suite, or the suite itself as a dict.
    sets
        ``key.path=value`` overrides; the value is read as YAML.
    models
        Models made in Python, beside those of the suite; they win over one of the same name.
    models_of
        Another suite file, whose models win over those of the same name: the same question, put to what
        that suite describes.

    Raises
    ------
    FileError
        All faults of the suite together, one line each with its place.
    UsageError
        When there is no such file, or it is not YAML.
    """
    if isinstance(source, Mapping):
        folder, name = Path.cwd(), "suite"
        root = extended(_document(source), folder, read)
    else:
        file = locate(str(source), Path.cwd())
        folder, name = file.resolve().parent, shown(file.resolve())
        root = read(file)
    if models_of is not None:
        root = _with_models_of(root, models_of)
    root = override(root, sets)
    data = plain(root)
    if models:
        data["models"] = {**(data.get("models") or {}), **models}
    faults: list[str] = []
    suite: Suite | None = None
    try:
        suite = Suite.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        faults = explain(error, root)
    faults += [line(root, path, message) for path, message in references(data)]
    if suite is not None and not faults:
        faults = [line(root, path, message) for path, message in _unfit(suite, folder)]
    if faults or suite is None:
        raise FileError(faults)
    resolved = _json(suite.model_dump(by_alias=True))
    if faults := [line(root, path, "needs a number, not true or false") for path in _truths(root, resolved)]:
        raise FileError(faults)
    given = None if isinstance(source, Mapping) or models or models_of else str(source)
    return LoadedSuite(suite, folder, name, resolved, root, given, tuple(sets))


def _with_models_of(root: Node, other: str | Path) -> Node:
    theirs = read(locate(str(other), Path.cwd()))
    found = theirs.value.get("models") if isinstance(theirs.value, dict) else None
    if found is None or not isinstance(found.value, dict):
        raise UsageError(f"{other} names no models to take")
    if not isinstance(root.value, dict):
        return root  # the suite itself is refused, with its place
    own = root.value.get("models")
    kept = own.value if own is not None and isinstance(own.value, dict) else {}
    merged = replace(own or found, value={**kept, **found.value})
    return replace(root, value={**root.value, "models": merged})


def _unfit(suite: Suite, folder: Path) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Scenarios whose data hold something else, and claims that compare what cannot be compared."""
    kinds: dict[str, type[Scenario]] = {
        name: find(SCENARIOS, entry.scenario, folder) for name, entry in suite.scenarios.items()
    }
    for name, entry in suite.scenarios.items():
        kind = kinds[name]
        for other in filter(None, [entry.data, *kind(entry.options, suite.seed).others()]):
            holds = suite.data[other].options.holds if other in suite.data else kind.data_of
            if holds != kind.data_of:
                said = (
                    f"scenario '{entry.scenario}' needs {kind.data_of}, and data set '{other}' holds {holds}"
                )
                yield ("scenarios", name, "data"), said
    for index, claim in enumerate(suite.claims):
        if claim.against is not None and not kinds[claim.scenario].paired:
            yield (
                ("claims", index, "against"),
                f"models of '{claim.scenario}' have users of their own and make no pairs: claim"
                f" {' or '.join(sorted(set(RULES) - PAIRED))} of a metric that compares arms, as effect does",
            )


def missing_environment(loaded: LoadedSuite) -> list[str]:
    """One sentence for each ``${env:NAME}``, of the suite or of a default, whose variable is not set.

    Those of data that may be missing are left out: a run says where they can be had, and is incomplete.
    """
    missing: dict[str, str] = {}
    for path, text in _texts(loaded.resolved):
        if path[0] == "data" and loaded.suite.data[str(path[1])].options.may_be_missing:
            continue
        for match in REFERENCE.finditer(text):
            if match[1] not in os.environ:
                missing.setdefault(match[1], loaded.where(path))
    return [f"{place}: environment variable {name} is not set" for name, place in missing.items()]


def check_prompts(loaded: LoadedSuite) -> None:
    """Check the prompt files of chat models and what judges are asked by; this imports the template engine.

    Raises
    ------
    FileError
        One line for each prompt, rubric or dialect that is missing, wrong or unfit for its use.
    """
    faults: list[str] = []
    if loaded.suite.judges:
        from genrec_eval.suite.judging import judge_faults

        found = judge_faults(loaded.suite, loaded.folder)
        faults += [line(loaded.root, path, message) for path, message in found]
    for name, spec in loaded.suite.models.items():
        recommender = getattr(spec, "recommender", None)
        if recommender is None:
            continue
        from genrec_eval.models.llm.prompt import load_prompt

        try:
            load_prompt(recommender.prompt, loaded.folder)
        except UsageError as error:
            faults.append(f"{loaded.where(('models', name))}: model '{name}': {error}")
    if faults:
        raise FileError(faults)


def check_metrics(loaded: LoadedSuite) -> None:
    """Check that scenarios, claims and gate name metrics that are there; this imports numpy.

    Raises
    ------
    FileError
        One line for each unknown metric, and each rule of the gate that makes no sense for its metric.
    """
    from genrec_eval.suite.measured import gate_faults, unmeasured

    faults: list[str] = []
    measured: dict[str, dict[str, Metric]] = {}
    for name, entry in loaded.suite.scenarios.items():
        try:
            scenario = loaded.scenario(name)
        except UsageError:
            check_prompts(loaded)  # says which rubric or dialect, and where it is named
            raise
        for other in scenario.others():
            if said := _wrong_source(name, other, entry.data, loaded.suite.data):
                faults.append(line(loaded.root, ("scenarios", name), said))
        try:
            measured[name] = {one.id: one for one in scenario.measured()}
        except UsageError as error:
            faults.append(line(loaded.root, ("scenarios", name, "options", "metrics"), str(error)))
    for index, claim in enumerate(loaded.suite.claims):
        said = unmeasured(claim.scenario, claim.metric, measured)
        if said is not None:
            faults.append(line(loaded.root, ("claims", index, "metric"), said))
    faults += [line(loaded.root, path, said) for path, said in gate_faults(loaded, measured)]
    if faults:
        raise FileError(faults)


def _wrong_source(name: str, other: str, data: str | None, there: Mapping[str, Any]) -> str | None:
    """What is amiss with a further data set that a scenario names."""
    from genrec_eval.core.errors import did_you_mean

    if other == data:
        return f"scenario '{name}' names its own data set '{data}' as the other one"
    if other in there:
        return None
    return (
        f"scenario '{name}' names the data set '{other}', which is not under data{did_you_mean(other, there)}"
        f" (known: {', '.join(there) or 'none'})"
    )


def _truths(node: Node, value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths where true or false was written and a number came out, which pydantic allows."""
    if isinstance(node.value, bool) and isinstance(value, int | float) and not isinstance(value, bool):
        yield path
    elif isinstance(node.value, dict) and isinstance(value, dict):
        for key, child in node.value.items():
            yield from _truths(child, value.get(key), (*path, key))
    elif isinstance(node.value, list) and isinstance(value, list):
        for index, (child, one) in enumerate(zip(node.value, value, strict=False)):
            yield from _truths(child, one, (*path, index))


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _texts(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, (*path, index))
    elif isinstance(value, str):
        yield path, value


def _document(value: Any, place: str = "suite", depth: int = 0) -> Node:
    """The nodes of a suite given as Python objects; a place is then an expression."""
    if depth > DEEPEST:
        raise UsageError(f"{place}: nested deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        return Node(
            {str(key): _document(child, f"{place}[{str(key)!r}]", depth + 1) for key, child in value.items()},
            place,
        )
    if isinstance(value, list | tuple):
        return Node([_document(child, f"{place}[{i}]", depth + 1) for i, child in enumerate(value)], place)
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{place}: {value} is not a finite number")
    return Node(str(value) if isinstance(value, Path) else value, place)


def _json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True)
    if isinstance(value, dict):
        return {str(key): _json(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_json(child) for child in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_json, value))
    if isinstance(value, Enum):
        return _json(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if callable(value):
        return f"{getattr(value, '__module__', '?')}:{getattr(value, '__qualname__', type(value).__name__)}"
    return str(value)
