"""The whole right half of the flow: stored records to ``scores.parquet`` and ``estimates.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from genrec_eval.audit.definitions import definition_rows
from genrec_eval.audit.estimate import Key, estimate_run
from genrec_eval.audit.held import Held
from genrec_eval.audit.missing import Missing
from genrec_eval.audit.results import ESTIMATES_FILE, Results, write_estimates
from genrec_eval.audit.run_tables import RunTables, scenario_of
from genrec_eval.audit.score import SCORES_FILE, score_run
from genrec_eval.audit.telling import Telling
from genrec_eval.audit.verdicts import Evidence, check_verdicts, claim_verdicts, exit_code
from genrec_eval.core.errors import Exit
from genrec_eval.metrics.base import Metric
from genrec_eval.suite.schema import Claim


def audit_run(run: RunTables) -> Results:
    """Score, estimate, decide, and write both files; the same tables give the same bytes.

    Parameters
    ----------
    run
        The run directory. Its ``run.json`` may hold ``claims_at``, the ``file:line`` of each claim.
    """
    results = results_of(run, score_run(run))
    write_estimates(run.path / ESTIMATES_FILE, results)
    return results


def results_of(run: RunTables, remarks: Mapping[tuple[str, str], str], scores: Path | None = None) -> Results:
    """Estimates and verdicts of a scored run; nothing is written.

    Parameters
    ----------
    remarks
        What :func:`~genrec_eval.audit.score.score_run` remarked.
    scores
        The file of scores; ``scores.parquet`` in the run directory by default.
    """
    suite = run.run["suite"]
    held: dict[Key, Held] = {}
    estimates = estimate_run(run, scores, held)
    scenarios = {name: scenario_of(run, name) for name in dict.fromkeys(s for _, s in run.played())}
    measured = {(name, one.id): one for name, scenario in scenarios.items() for one in scenario.measured()}
    metrics = list(measured.values())
    units = {metric.id: metric.definition.unit for metric in metrics}
    evidence = Evidence.of(estimates, run.coverage, error_budget_of(run), units, _compared(metrics))
    told = Telling.of(run, scores or run.path / SCORES_FILE, scenarios, measured)
    missing = Missing(run, told.scores, measured, evidence.error_budget)
    evidence = replace(evidence, held=held, tells=told, missing=missing)
    claims = [Claim.model_validate(claim) for claim in suite.get("claims") or ()]
    verdicts = claim_verdicts(claims, evidence, run.run.get("claims_at") or ())
    for name, scenario in scenarios.items():
        models = [model for model, of in run.played() if of == name]
        checks = [*scenario.checks()]
        if scenario.kind == "log":
            checks += scenario.published(run.context(name), _arms(suite, models))
        verdicts += check_verdicts(checks, name, models, evidence)
    return Results(
        run=run.run["run"],
        estimates=estimates,
        verdicts=verdicts,
        coverage=[replace(row, remark=remarks.get((row.model, row.scenario))) for row in run.coverage],
        definitions=definition_rows(metrics),
    )


def _compared(metrics: Iterable[Metric]) -> dict[str, tuple[str, str]]:
    """Metric id → group and metric, for those that compare the means of a metric over groups of users."""
    from genrec_eval.metrics.grouped.by_group import base_of

    bases = ((metric, base_of(metric)) for metric in metrics)
    return {metric.id: (str(metric.parameters["by"]), base.id) for metric, base in bases if base is not None}


def _arms(suite: Mapping[str, Any], models: Iterable[str]) -> dict[str, str]:
    """Model → its arm of a log."""
    declared = suite.get("models") or {}
    return {model: (declared.get(model) or {}).get("arm") or model for model in models}


def error_budget_of(run: RunTables) -> float:
    """Share of the cases that a model may leave unanswered."""
    return float((run.run["suite"].get("engine") or {}).get("error_budget", 0.05))


def outcome(run: RunTables, results: Results) -> Exit:
    """The exit code of a run."""
    return exit_code(results.verdicts, results.coverage, error_budget_of(run))
