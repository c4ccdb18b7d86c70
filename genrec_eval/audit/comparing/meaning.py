"""Whether a metric means the same in two runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genrec_eval.audit.sources.run import RunSource
from genrec_eval.metrics.base import Metric


def refused(candidate: RunSource, reference: RunSource, scenario: str, metric: Metric) -> str | None:
    """Why a metric means another thing in the two runs; None where it does not."""
    twin = {one.id: one for one in reference.measured(scenario)}.get(metric.id)
    if twin is None:
        return None
    if twin.definition_id != metric.definition_id:
        return (
            f"{metric.id} is defined otherwise in the reference ({twin.definition_id}) than in the candidate"
            f" ({metric.definition_id})"
        )
    own, other = (source.facts.definitions.get(metric.id) for source in (candidate, reference))
    if own != other and own is not None and other is not None:
        return (
            f"{metric.id} was computed by other versions in the reference ({other}) than in the candidate"
            f" ({own}); score both again with 'genrec-eval score'"
        )
    rubric = metric.parameters.get("rubric")
    if rubric is not None and rubrics_of(candidate).get(rubric) != rubrics_of(reference).get(rubric):
        return f"{metric.id} rests on the rubric '{rubric}', which is not the same in both runs"
    changed = changed_judges(candidate, reference)
    for judge in str(metric.parameters.get("judge") or "").split("+"):
        if judge in changed:
            return f"{metric.id} rests on the judge '{judge}', which is not the same in both runs"
    return _opponents(candidate, reference, scenario, metric)


def _opponents(candidate: RunSource, reference: RunSource, scenario: str, metric: Metric) -> str | None:
    """Figures that depend on other models' answers need the same other models."""
    against = metric.parameters.get("against")
    if isinstance(against, str) and against:
        own, other = (identity_of(source, against, scenario) for source in (candidate, reference))
        if own != other:
            return f"{metric.id} is won against '{against}', which is not the same model in both runs"
    if metric.definition.name == "judge_rank":
        fields = [sorted(m for m, s in one.pairings() if s == scenario) for one in (candidate, reference)]
        if fields[0] != fields[1]:
            return f"{metric.id} is a rank among the models of a run, and the runs have other ones"
    return None


def changed_judges(candidate: RunSource, reference: RunSource) -> list[str]:
    """Judges of both runs that are not the same."""
    old, new = reference.facts.judges, candidate.facts.judges
    return [judge for judge in new if judge in old and old[judge] != new[judge]]


def identity_of(source: RunSource, model: str, scenario: str) -> dict[str, Any]:
    """What makes a model of a run what it is: its identity, and how often and through what it was asked."""
    about = ((source.directory.run.get("models") or {}).get(model) or {}).get(scenario) or {}
    identity = about.get("identity")
    found = dict(identity) if isinstance(identity, Mapping) else {"identity": identity}
    return found | {key: about[key] for key in ("recommender", "repeats") if about.get(key) is not None}


def rubrics_of(source: RunSource) -> Mapping[str, Any]:
    return source.directory.run.get("rubrics") or {}
