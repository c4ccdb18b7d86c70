"""What ``estimates.json`` says, read with care: rows of older versions may lack keys."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict
from genrec_eval.reporting.judged import full_title, is_judged
from genrec_eval.reporting.titles import distinct, readable

SCHEMA = 1
"""Newest version of ``estimates.json`` that this code reads."""

Row = TypeVar("Row", Estimate, Verdict, Coverage)


@dataclass(frozen=True, slots=True)
class Results:
    """The rows of one run, in their order, with look-ups.

    Attributes
    ----------
    definitions
        Metric id → what there is to know about it.
    """

    run: str
    estimates: tuple[Estimate, ...]
    verdicts: tuple[Verdict, ...]
    coverage: tuple[Coverage, ...]
    definitions: Mapping[str, Mapping[str, Any]]
    _index: dict[tuple[str, str, str, str, str | None], Estimate] = field(default_factory=dict)
    _models: dict[str | None, tuple[str, ...]] = field(default_factory=dict)
    _metrics: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _titles: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Any) -> Results:
        """Read the parsed ``estimates.json``.

        Raises
        ------
        UsageError
            When it is of a newer version, or no such document at all.
        """
        if not isinstance(data, Mapping):
            raise UsageError("estimates.json does not hold an object; redo it with 'genrec-eval score'")
        schema = data.get("schema", SCHEMA)
        if isinstance(schema, int) and schema > SCHEMA:
            raise UsageError(
                f"estimates.json has schema {schema}, and this version of genrec-eval reads up to {SCHEMA};"
                " update genrec-eval"
            )
        estimates = _rows(Estimate, data, "estimates")
        results = cls(
            run=str(data.get("run") or "unnamed run"),
            estimates=estimates,
            verdicts=_rows(Verdict, data, "verdicts"),
            coverage=_rows(Coverage, data, "coverage"),
            definitions={str(key): mapping(value) for key, value in mapping(data.get("definitions")).items()},
        )
        for row in estimates:
            results._index.setdefault((row.scenario, row.metric, row.slice, row.model, row.baseline), row)
        return results

    @classmethod
    def load(cls, directory: Path) -> Results:
        """Read ``estimates.json`` of a run directory."""
        return cls.read(read_json(directory / "estimates.json"))

    def get(
        self, scenario: str, metric: str, model: str, slice: str = "all", baseline: str | None = None
    ) -> Estimate | None:
        """The estimate under these keys, or None."""
        return self._index.get((scenario, metric, slice, model, baseline))

    def scenarios(self) -> list[str]:
        """Names of the scenarios, in order of appearance."""
        rows: list[Estimate | Coverage | Verdict] = [*self.estimates, *self.coverage, *self.verdicts]
        return list(dict.fromkeys(row.scenario for row in rows))

    def models(self, scenario: str | None = None) -> list[str]:
        """Names of the models, in order of appearance; those that were not run come last."""
        if scenario not in self._models:
            played = [row for row in self.coverage if row.state != "not-run"]
            rows: list[Estimate | Coverage] = [*played, *self.coverage, *self.estimates]
            found = (row.model for row in rows if scenario in (None, row.scenario))
            self._models[scenario] = tuple(dict.fromkeys(found))
        return list(self._models[scenario])

    def meant(self, scenario: str) -> list[str]:
        """Names of the models that a scenario is for: all but those that the suite leaves out of it."""
        others = {r.model for r in self.coverage if r.scenario == scenario and left_out_by_design(r)}
        return [model for model in self.models(scenario) if model not in others]

    def left_out(self, row: Coverage) -> bool:
        """Whether a pairing was never meant, and the model ran, or is missed, where it was."""
        ran = any(
            other.model == row.model and (other.state != "not-run" or other.due) for other in self.coverage
        )
        return ran and left_out_by_design(row)

    def absent(self, scenario: str, model: str) -> str:
        """What stands where a figure is not: a dash for a model that has others, for it is not about it."""
        ran = any(row.scenario == scenario and row.model == model for row in self.estimates)
        return "—" if ran else "not run"

    def metrics(self, scenario: str) -> list[str]:
        """Ids of the metrics of a scenario, in the order of the report."""
        if scenario not in self._metrics:
            found = (row.metric for row in self.estimates if row.scenario == scenario)
            self._metrics[scenario] = tuple(dict.fromkeys(found))
        return list(self._metrics[scenario])

    def definition(self, metric: str) -> Mapping[str, Any]:
        """What is known of a metric; empty when nothing is."""
        return self.definitions.get(metric, {})

    def unit(self, metric: str) -> str:
        """Unit of a metric: ``"share"``, another unit, or ``""``."""
        return str(self.definition(metric).get("unit") or "")

    def title(self, metric: str) -> str:
        """Title of a metric with its cutoff and, in words, what is not as by default; each has its own."""
        if not self._titles:
            self._titles.update(distinct({one: self._title(one) for one in self.definitions}, self._whole))
        return self._titles.get(metric, metric)

    def _title(self, metric: str, whole: bool = False) -> str:
        definition = self.definition(metric)
        title = definition.get("title")
        if title and is_judged(definition):
            return full_title(metric, definition)
        if not title:
            return metric
        return readable(metric, str(title), mapping(definition.get("parameters")), whole=whole)

    def _whole(self, metric: str) -> str:
        return self._title(metric, whole=True)

    def direction(self, metric: str) -> str:
        """``"higher"``, ``"lower"`` or ``"none"``."""
        found = self.definition(metric).get("direction")
        if found is None:
            found = next((row.direction for row in self.estimates if row.metric == metric), None)
        return str(found or "none")


def left_out_by_design(row: Coverage) -> bool:
    """Whether a pairing was never meant: the suite says so, or the model does not answer such requests."""
    said = ("declared for other scenarios", "does not list it", "the scenario asks for")
    return row.state == "not-run" and any(part in (row.reason or "") for part in said)


def read_json(path: Path, again: str = "redo it with 'genrec-eval score'") -> Any:
    """Parse a file of the run directory.

    Raises
    ------
    UsageError
        When it is missing or not strict JSON.
    """
    import orjson

    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path} is missing: is this a run directory whose run has finished?") from None
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is not valid JSON ({error}); {again}") from None


def mapping(value: Any) -> dict[str, Any]:
    """``value`` when it is a mapping, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def _rows(kind: type[Row], data: Mapping[str, Any], key: str) -> tuple[Row, ...]:
    found = data.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise UsageError(
            f"'{key}' of estimates.json is not a list of objects; redo it with 'genrec-eval score'"
        )
    hints = get_type_hints(kind)
    return tuple(_row(kind, hints, row, f"{key}[{position}]") for position, row in enumerate(found))


def _row(kind: type[Row], hints: dict[str, Any], row: Mapping[str, Any], where: str) -> Row:
    # `kind` has defaults for what later versions added; what is missing beyond them gets a neutral value.
    values: dict[str, Any] = {}
    for spec in fields(kind):
        if row.get(spec.name) is not None:
            values[spec.name] = _cast(hints[spec.name], row[spec.name], f"{where}.{spec.name}")
        elif spec.name not in _DEFAULTED[kind]:
            values[spec.name] = None if _optional(hints[spec.name]) else _neutral(spec.name, hints[spec.name])
    return kind(**values)


def _cast(hint: Any, value: Any, where: str) -> Any:
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if float in kinds:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"{where} of estimates.json is not a number: {value!r}")
        return float(value) if math.isfinite(value) else None
    if int in kinds:
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"{where} of estimates.json is not a whole number: {value!r}")
        return value
    if bool in kinds:
        return bool(value)
    if Ruling in kinds:
        try:
            return Ruling(value)
        except ValueError:
            raise UsageError(f"{where} of estimates.json is no verdict: {value!r}") from None
    if get_origin(hint) is dict:
        return {str(k): v for k, v in mapping(value).items() if isinstance(v, int)}
    return str(value)


def _optional(hint: Any) -> bool:
    return type(None) in get_args(hint)


def _neutral(name: str, hint: Any) -> Any:
    if hint is float:
        return 0.0
    if hint is int:
        return 0
    if hint is bool:
        return True
    if hint is Ruling:
        return Ruling.NOT_RUN
    return {"direction": "none", "rule": "at_least", "state": "not-run"}.get(name, "")


def _has_default(kind: type) -> frozenset[str]:
    from dataclasses import MISSING

    return frozenset(
        spec.name
        for spec in fields(kind)
        if spec.default is not MISSING or spec.default_factory is not MISSING
    )


_DEFAULTED = {kind: _has_default(kind) for kind in (Estimate, Verdict, Coverage)}
