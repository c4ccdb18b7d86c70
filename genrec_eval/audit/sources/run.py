"""A run as a source of scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.audit.audit import error_budget_of
from genrec_eval.audit.estimate import UnitSlices
from genrec_eval.audit.results import ESTIMATES_FILE, Results, read_estimates
from genrec_eval.audit.run_tables import scenario_of
from genrec_eval.audit.score import ANSWERED, NOT_ATTEMPTED, SCORES_FILE, StoredScores
from genrec_eval.audit.sources.base import Facts, Mask, UInt64, Units
from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import relative_to
from genrec_eval.engine.rundir import RunDirectory, one_line
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.protocol.results import Coverage
from genrec_eval.protocol.row_prints import row_prints
from genrec_eval.scenarios.base import Scenario


class RunSource:
    """The scores of a run directory; see :class:`~genrec_eval.audit.sources.base.Measured`.

    Parameters
    ----------
    directory
        A scored run.

    Raises
    ------
    UsageError
        When the run was not scored.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self.label = str(directory.path)
        files = [directory.path / name for name in (SCORES_FILE, ESTIMATES_FILE)]
        if directory.run.get("state") != "played" or not all(path.is_file() for path in files):
            raise UsageError(
                f"{directory.path} has no scores; finish it with 'genrec-eval run', or score it with: "
                f"genrec-eval score {directory.path}"
            )
        _check(directory)
        self._stored = StoredScores(directory.path / SCORES_FILE)
        self._slices: dict[str, UnitSlices] = {}
        self._units: dict[str, Units] = {}
        self._scenarios: dict[str, Scenario] = {}

    @classmethod
    def open(cls, path: Path) -> RunSource:
        """Open the run in the directory ``path``."""
        return cls(RunDirectory.open(path))

    def __enter__(self) -> RunSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stored.__exit__(kind, error, trace)

    @cached_property
    def facts(self) -> Facts:
        """What the run's ``run.json`` says."""
        run = self.directory.run
        suite: Mapping[str, Any] = run.get("suite") or {}
        declared = suite.get("scenarios") or {}
        played = dict.fromkeys(scenario for _, scenario in self.pairings())
        return Facts(
            run=str(run.get("run") or ""),
            suite=str(run.get("name") or suite.get("name") or ""),
            created=str(run.get("created") or ""),
            data={name: str(data.get("digest") or "") for name, data in (run.get("data") or {}).items()},
            scenarios={name: declared.get(name) for name in played},
            judges={name: _digest(judge_of(run, name)) for name in run.get("judges") or {}},
            models={
                model: {scenario: _text(about.get("identity")) for scenario, about in by_scenario.items()}
                for model, by_scenario in (run.get("models") or {}).items()
            },
            definitions={name: str(row.get("signature")) for name, row in self.results.definitions.items()},
            versions=run.get("versions") or {},
            seed=int(run.get("seed") or 0),
        )

    @cached_property
    def results(self) -> Results:
        """What ``estimates.json`` holds."""
        return read_estimates(self.directory.path / ESTIMATES_FILE)

    @property
    def coverage(self) -> Sequence[Coverage]:
        """What was played, and what was not and why."""
        return self.directory.coverage

    @property
    def error_budget(self) -> float:
        """Share of the cases that a model may leave unanswered."""
        return error_budget_of(self.directory)

    def pairings(self) -> list[tuple[str, str]]:
        """(model, scenario) of everything that was played."""
        return self.directory.played()

    def scenario(self, name: str) -> Scenario:
        """A scenario, built from the suite as the run keeps it."""
        if name not in self._scenarios:
            with relative_to(Path(self.directory.run.get("folder", "."))):
                self._scenarios[name] = scenario_of(self.directory, name)
        return self._scenarios[name]

    def measured(self, scenario: str) -> list[Metric]:
        """The metrics of a scenario, in the order of the report."""
        with relative_to(Path(self.directory.run.get("folder", "."))):
            return list(self.scenario(scenario).measured())

    def units(self, scenario: str) -> Units:
        """The units of a scenario."""
        if scenario not in self._units:
            slices, directory = self._of(scenario), self.directory
            asked = self.scenario(scenario).asked(directory.cases(scenario), directory.context(scenario))
            self._units[scenario] = Units(
                keys=unit_keys(slices.ids),
                content=unit_content(asked, slices.ids),
                slices=slices.slices,
                names=slices.ids,
            )
        return self._units[scenario]

    def _of(self, scenario: str) -> UnitSlices:
        if scenario not in self._slices:
            self._slices[scenario] = UnitSlices.of(self.directory.cases(scenario))
        return self._slices[scenario]

    def metrics(self, model: str, scenario: str) -> list[str]:
        """Ids of the stored metrics."""
        return self._stored.metrics(model, scenario)

    def scores(self, model: str, scenario: str, metric: str) -> UnitScores | None:
        """Scores in the order of :meth:`units`.

        Raises
        ------
        UsageError
            When the table of scores cannot be read, or does not belong to the cases.
        """
        where = f"{self.directory.path / SCORES_FILE}: {metric} of '{model}' in '{scenario}'"
        again = f"score the run again with: genrec-eval score {self.directory.path}"
        try:
            read = self._stored.get(model, scenario, metric)
        except (OSError, ValueError, KeyError, IndexError, pa.ArrowException) as error:
            raise UsageError(f"{where} cannot be read ({one_line(error)}); {again}") from error
        if read is None:
            return None
        units, scores = read
        self._refuse_strangers(units, scenario, where, again)
        weights = () if scores.weights is None else (scores.weights,)
        sums = () if scores.sums is None else (scores.sums,)
        if not all(np.isfinite(one[scores.scored]).all() for one in (scores.values, *weights, *sums)):
            raise UsageError(f"{where} holds a number that is not finite; {again}")
        return self._of(scenario).place(units, scores)

    def _refuse_strangers(self, units: pa.Array, scenario: str, where: str, again: str) -> None:
        import pyarrow.compute as pc

        ids = self._of(scenario).ids
        if units.equals(ids):
            return
        known = pc.is_in(units, value_set=ids)
        if not pc.all(known).as_py():
            stranger = units.filter(pc.invert(known))[0].as_py()
            raise UsageError(f"{where} has a score of '{stranger}', which is no unit of the cases; {again}")
        if len(pc.unique(units)) < len(units):
            raise UsageError(f"{where} has two scores of one unit; {again}")

    def answered(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that got an answer of any quality."""
        scores = self.scores(model, scenario, ANSWERED)
        if scores is None:
            return np.zeros(len(self._of(scenario).ids), bool)
        return scores.scored & (scores.values > 0)

    def attempted(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that the run came to."""
        scores, n = self.scores(model, scenario, ANSWERED), len(self._of(scenario).ids)
        missed = None if scores is None else scores.reasons.get(NOT_ATTEMPTED)
        return np.ones(n, bool) if missed is None else ~missed


def unit_keys(ids: pa.Array) -> UInt64:
    """uint64[n], the first 8 bytes of the SHA-256 of each id."""
    sha256 = hashlib.sha256
    keys = b"".join([sha256(unit.encode()).digest()[:8] for unit in ids.cast(pa.string()).to_pylist()])
    return np.frombuffer(keys, ">u8").astype(np.uint64)


def unit_content(asked: pa.Table, ids: pa.Array) -> UInt64:
    """uint64[n], a print of the cases of each unit, in whatever order they come.

    Parameters
    ----------
    asked
        See :meth:`genrec_eval.scenarios.base.Scenario.asked`.
    """
    import pyarrow.compute as pc

    prints = row_prints(asked.select([name for name in asked.column_names if name != "unit"]))
    units = asked.column("unit").combine_chunks()
    if units.equals(ids):
        return prints
    rows = pc.index_in(units, value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.lexsort((prints, rows))
    rows, prints = rows[order], prints[order]
    # what is said twice of a unit counts once
    repeated = (rows[1:] == rows[:-1]) & (prints[1:] == prints[:-1])
    content = np.zeros(len(ids), np.uint64)
    kept = np.append(True, ~repeated)[: len(rows)]
    np.add.at(content, rows[kept], prints[kept])
    return content


def _check(directory: RunDirectory) -> None:
    """Refuse a ``run.json`` that does not say what was played."""
    suite = directory.run.get("suite")
    declared = suite.get("scenarios") if isinstance(suite, Mapping) else None
    try:
        played = directory.played()
        directory.coverage  # noqa: B018  (read for its faults)
    except (KeyError, TypeError, AttributeError):
        played = None
    if not isinstance(declared, Mapping) or played is None or not isinstance(directory.run.get("seed"), int):
        raise UsageError(
            f"{directory.path / 'run.json'} does not say what was played: it was changed by hand or cut off;"
            " run the suite again"
        )


def judge_of(run: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a judge's verdicts depend on: model, dialect, policy, and the rubrics it is asked by."""
    about = {key: value for key, value in run["judges"][name].items() if key not in ("played", "description")}
    rubrics = run.get("rubrics") or {}
    for entry in run["suite"]["scenarios"].values():
        for judging in (entry or {}).get("judging") or ():
            panel, rubric = judging.get("judge"), judging.get("rubric")
            if name == panel or (isinstance(panel, list) and name in panel):
                about.setdefault("rubrics", {})[rubric] = rubrics.get(rubric)
    return about


def _digest(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
