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
from genrec_eval.audit.run_tables import scenario_of
from genrec_eval.audit.score import ANSWERED, NOT_ATTEMPTED, SCORES_FILE, StoredScores
from genrec_eval.audit.sources.base import Facts, Mask, UInt64, Units
from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import relative_to
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.protocol.results import Coverage
from genrec_eval.protocol.row_digests import row_digests


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
        if directory.run.get("state") != "played" or not (directory.path / SCORES_FILE).is_file():
            raise UsageError(
                f"{directory.path} has no scores; finish it with 'genrec-eval run', or score it with: "
                f"genrec-eval score {directory.path}"
            )
        self._stored = StoredScores(directory.path / SCORES_FILE)
        self._slices: dict[str, UnitSlices] = {}

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
        scenarios = suite.get("scenarios") or {}
        return Facts(
            run=str(run.get("run") or ""),
            suite=str(run.get("name") or suite.get("name") or ""),
            created=str(run.get("created") or ""),
            data={name: str(data.get("digest") or "") for name, data in (run.get("data") or {}).items()},
            scenarios={name: scenarios.get(name) for name in self._scenarios()},
            judges={name: _digest(_judge(about)) for name, about in (run.get("judges") or {}).items()},
            models={
                model: {scenario: _text(about.get("identity")) for scenario, about in played.items()}
                for model, played in (run.get("models") or {}).items()
            },
            definitions={
                metric.id: metric.signature for name in self._scenarios() for metric in self.measured(name)
            },
            versions=run.get("versions") or {},
            seed=int(run.get("seed") or 0),
        )

    @property
    def coverage(self) -> Sequence[Coverage]:
        """What was played, and what was not and why."""
        return self.directory.coverage

    @property
    def error_budget(self) -> float:
        """Share of the cases that a model may leave unanswered."""
        return error_budget_of(self.directory)

    def _scenarios(self) -> list[str]:
        return list(dict.fromkeys(scenario for _, scenario in self.pairings()))

    def pairings(self) -> list[tuple[str, str]]:
        """(model, scenario) of everything that was played."""
        return self.directory.played()

    def measured(self, scenario: str) -> list[Metric]:
        """The metrics of a scenario, in the order of the report."""
        with relative_to(Path(self.directory.run.get("folder", "."))):
            return list(scenario_of(self.directory, scenario).measured())

    def units(self, scenario: str) -> Units:
        """The units of a scenario."""
        slices = self._of(scenario)
        cases = self.directory.cases(scenario)
        return Units(
            keys=unit_keys(slices.ids),
            content=_content(cases, slices.ids),
            slices=slices.slices,
            names=slices.ids,
        )

    def _of(self, scenario: str) -> UnitSlices:
        if scenario not in self._slices:
            self._slices[scenario] = UnitSlices.of(self.directory.cases(scenario))
        return self._slices[scenario]

    def metrics(self, model: str, scenario: str) -> list[str]:
        """Ids of the stored metrics."""
        return self._stored.metrics(model, scenario)

    def scores(self, model: str, scenario: str, metric: str) -> UnitScores | None:
        """Scores in the order of :meth:`units`."""
        read = self._stored.get(model, scenario, metric)
        return None if read is None else self._of(scenario).place(*read)

    def answered(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that got an answer of any quality."""
        read = self._stored.get(model, scenario, ANSWERED)
        if read is None:
            return np.zeros(len(self._of(scenario).ids), bool)
        scores = self._of(scenario).place(*read)
        return scores.scored & (scores.values > 0)

    def attempted(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that the run came to."""
        read = self._stored.get(model, scenario, ANSWERED)
        ids = self._of(scenario).ids
        if read is None:
            return np.zeros(len(ids), bool)
        missed = self._of(scenario).place(*read).reasons.get(NOT_ATTEMPTED)
        return np.ones(len(ids), bool) if missed is None else ~missed


def unit_keys(ids: pa.Array) -> UInt64:
    """uint64[n], the first 8 bytes of the SHA-256 of each id."""
    keys = b"".join(hashlib.sha256(str(unit).encode()).digest()[:8] for unit in ids.to_pylist())
    return np.frombuffer(keys, ">u8").astype(np.uint64)


def _content(cases: pa.Table, ids: pa.Array) -> UInt64:
    """uint64[n], a digest of the cases of each unit, in whatever order they come."""
    import pyarrow.compute as pc

    asked = [name for name in cases.column_names if name != "unit" and not name.startswith("group.")]
    digests = row_digests(cases.select(asked))[:, :8].copy().view(">u8").ravel().astype(np.uint64)
    rows = pc.index_in(cases.column("unit").combine_chunks(), value_set=ids)
    content = np.zeros(len(ids), np.uint64)
    np.add.at(content, rows.to_numpy(zero_copy_only=False).astype(np.int64), digests)
    return content


def _judge(about: Mapping[str, Any]) -> Any:
    return {key: value for key, value in about.items() if key != "played"}


def _digest(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
