"""What the audit reads of a run directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.protocol.results import Coverage
from genrec_eval.scenarios.base import SCENARIOS, Scenario
from genrec_eval.suite.schema import find

if TYPE_CHECKING:
    import pyarrow as pa


class RunTables(Protocol):
    """The part of :class:`genrec_eval.engine.rundir.RunDirectory` that scoring needs."""

    path: Path
    run: dict[str, Any]

    def cases(self, scenario: str) -> pa.Table:
        """The cases of a scenario."""
        ...

    def context(self, scenario: str) -> dict[str, pa.Table]:
        """Tables that scoring needs beside the cases."""
        ...

    def records(
        self, model: str, scenario: str, columns: Sequence[str] | None = None
    ) -> Iterable[pa.RecordBatch]:
        """Records of one model in one scenario."""
        ...

    def judgements(self, scenario: str, columns: Sequence[str]) -> pa.Table:
        """Verdicts of all judges on the answers of a scenario."""
        ...

    def played(self) -> list[tuple[str, str]]:
        """(model, scenario) of everything that has records."""
        ...

    @property
    def coverage(self) -> list[Coverage]:
        """What was played, and what was not and why."""
        ...


def scenario_of(run: RunTables, name: str) -> Scenario:
    """Build a scenario of the run from the resolved suite that the run keeps."""
    declared = run.run["suite"]["scenarios"]
    if name not in declared:
        raise UsageError(f"{run.path} has no scenario '{name}'{did_you_mean(name, declared)}")
    described = declared[name]
    kind: type[Scenario] = find(SCENARIOS, described["scenario"], Path(run.run.get("folder", ".")))
    scenario = kind(kind.Options.model_validate(described.get("options") or {}), run.run["seed"])
    if described.get("judging"):
        from genrec_eval.judging.question import stored_questions

        scenario.questions = stored_questions(run.run, name)
    if scenario.writes:
        from genrec_eval.judging.annotation.stored import annotated_questions

        scenario.questions += annotated_questions(run.path, name, scenario.questions)
    return scenario
