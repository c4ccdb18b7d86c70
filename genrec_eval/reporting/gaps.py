"""What was named and not run, run in part, failed, or could not be computed."""

from __future__ import annotations

from collections.abc import Mapping

from genrec_eval.core.numbers import count
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.text import line, listing

Gap = tuple[str, str]
"""What, and why."""


def left_out(results: Results) -> list[Gap]:
    """Pairings that were never meant, of models that ran where they were: (who and where, why)."""
    named: dict[str, None] = {}
    others: dict[str, list[str]] = {}
    for row in results.coverage:
        if results.left_out(row) and "the scenario asks for" in (row.reason or ""):
            others.setdefault(row.model, []).append(row.scenario)
        elif results.left_out(row):
            named[row.model] = None
    ran = {
        model: [
            row.scenario
            for row in results.coverage
            if row.model == model and (row.state != "not-run" or row.due)
        ]
        for model in named
    }
    found = []
    if ran:
        found.append((f"Asked in these scenarios alone: {_grouped(ran)}", "the suite says so"))
    if others:
        found.append((f"Not asked: {_grouped(others)}", "the scenario asks for what they do not answer"))
    return found


def _grouped(scenarios: Mapping[str, list[str]]) -> str:
    """``"a and b in x; c in y"``."""
    same: dict[tuple[str, ...], list[str]] = {}
    for model, names in scenarios.items():
        same.setdefault(tuple(names), []).append(model)
    return "; ".join(f"{listing(models)} in {listing(list(names))}" for names, models in same.items())


def not_run(results: Results) -> list[Gap]:
    """Models that were not run where they should have been, run in part, or with failed cases."""
    found: list[Gap] = []
    alike: dict[tuple[str, str], list[str]] = {}
    for row in results.coverage:
        if row.state == "not-run" and not results.left_out(row):
            why = (row.reason or "no reason was recorded").replace(f"model '{row.model}'", "the model")
            alike.setdefault((row.scenario, why), []).append(row.model)
    for (scenario, why), models in alike.items():
        was = "was" if len(models) == 1 else "were"
        found.append((f"{listing(models)} in {scenario} {was} not run", why))
    for row in results.coverage:
        if row.state == "not-run":
            continue
        if row.state == "partial" or row.answered < row.attempted or row.reason:
            bad = ", ".join(f"{count(n)} {name}" for name, n in row.statuses.items() if name != "ok")
            why = line(row.reason or bad or "no reason was recorded", 2000)
            said = f"{count(row.answered)} of {count(row.attempted)} answered"
            if row.answered == row.attempted and row.state == "run":
                said += ", not all of it usable"
            found.append((f"{row.model} in {row.scenario}: {said}", why))
    return found


def not_tested(results: Results) -> list[Gap]:
    """Everything that has no figure over all units: not run, failed, left out, or not to be computed."""
    return [*not_run(results), *_without_value(results, whole=True), *left_out(results)]


def not_tested_groups(results: Results) -> list[Gap]:
    """Figures of groups that could not be computed, mostly for want of units."""
    return _without_value(results, whole=False)


def _without_value(results: Results, whole: bool) -> list[Gap]:
    # Figures that could not be computed, told together when reason, metrics and models are the same.
    cells: dict[tuple[str, str, str], list[str]] = {}
    several = len(results.scenarios()) > 1
    for row in results.estimates:
        if row.baseline is None and (row.value is None or row.low is None) and (row.slice == "all") is whole:
            group = "" if whole else f"for {row.slice}"
            where = " ".join(filter(None, (group, f"in {row.scenario}" if several else "")))
            cells.setdefault((row.reason or "no interval", row.model, where), []).append(row.metric)
    by_models: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (reason, model, where), metrics in cells.items():
        by_models.setdefault((reason, where, tuple(metrics)), []).append(model)
    by_places: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (reason, where, lacking), models in by_models.items():
        by_places.setdefault((reason, lacking, tuple(models)), []).append(where)
    found = []
    for (reason, lacking, who), places in by_places.items():
        names = few([results.title(m) for m in lacking])
        where = f" {few(places)}" if any(places) else ""
        found.append((f"No {names}{where} of {few(list(who))}", reason))
    return found
