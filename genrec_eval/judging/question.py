"""A question to a judge or a panel, with everything that its figures depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from genrec_eval.judging.policy import JudgePolicy, Judging
from genrec_eval.judging.types import Rubric

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Definition, Metric

FAMILIES = {
    "pointwise": "rubric_score",
    "pairwise": "win_rate",
    "listwise": "judge_rank",
    "claims": "claim_support",
}
"""Kind of task → the metric that its verdicts come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One entry of ``judging`` of a scenario.

    Attributes
    ----------
    policies
        Judge → how it is asked and read, in the order of the panel.
    scale
        Least and greatest score of a pointwise verdict: the rubric's, or the dialect's where it has its own.
    """

    judging: Judging
    rubric: Rubric
    policies: Mapping[str, JudgePolicy]
    scale: tuple[float, float]

    @property
    def panel(self) -> str:
        """The judges as metrics name them: ``rules`` or ``rules+gpt``."""
        return "+".join(self.judging.panel)

    @property
    def recalls(self) -> bool:
        """Whether claims are taken from the reference and looked for in the answer: statement recall.

        So it is where a rubric that is put claim by claim wants a reference and no facts.
        """
        return self.judging.task == "claims" and self.rubric.reference and not self.rubric.context

    @property
    def id(self) -> str:
        """Short identity of the main figure."""
        return self.metrics()[0].id

    def metrics(self) -> list[Metric]:
        """What is measured: the figure, its controlled form, and how far the judges agree."""
        judging = self.judging
        names = {"judge": self.panel, "rubric": self.rubric.name}
        if judging.against is not None:
            names["against"] = judging.against
        found = [self.bound("claim_recall" if self.recalls else FAMILIES[judging.task], names)]
        if judging.control:
            held = {**names, "for": "+".join(judging.control)}
            found.append(self.bound("controlled_win_rate", held))
            found += [self.bound("covariate_effect", {**held, "of": one}) for one in judging.control]
        if len(judging.panel) > 1:
            among = {**names, "task": judging.task}
            found += [self.bound("panel_agreement", {**among, "one": one}) for one in judging.panel]
        return found

    def bound(self, family: str, names: Mapping[str, str]) -> Metric:
        """A metric of what these judges said, with their policies in its full identity."""
        from genrec_eval.metrics.base import Metric
        from genrec_eval.metrics.registry import METRICS

        made = METRICS.get(family)
        definition: Definition = made.definition
        own = {**{name: default for name, (default, _) in definition.parameters.items()}, **names}
        if family == "rubric_score":
            definition = replace(definition, direction=self.rubric.direction, bounds=self.scale)
        policies = self._policies()
        signature = "; ".join(f"{judge}: {policy.signature}" for judge, policy in self.policies.items())
        definition = replace(
            definition,
            # a default that is the value itself stays out of the short id and is spelled in the full one
            parameters={**definition.parameters, **{name: (value, None) for name, value in policies.items()}},
            traps=f"{definition.traps} Policies: {signature}.".strip(),
        )

        def function(judged: Any, **_: Any) -> Any:
            return made.function(judged, **own)  # policies were applied before: they name the figure alone

        return Metric(definition=definition, function=function, k=None, parameters={**own, **policies})

    def _policies(self) -> dict[str, Any]:
        dumped = [
            policy.model_dump(include=set(JudgePolicy.model_fields)) for policy in self.policies.values()
        ]
        found = {}
        for name in JudgePolicy.model_fields:
            values = list(dict.fromkeys(one[name] for one in dumped))
            found[name] = values[0] if len(values) == 1 else "+".join(str(one[name]) for one in dumped)
        return found


def rubric_to_json(rubric: Rubric) -> dict[str, Any]:
    """A rubric as a run keeps it."""
    return {
        "name": rubric.name,
        "title": rubric.title,
        "criterion": rubric.criterion,
        "levels": {str(score): text for score, text in rubric.levels.items()},
        "scale": list(rubric.scale),
        "reference": rubric.reference,
        "context": rubric.context,
        "direction": rubric.direction,
    }


def rubric_from_json(raw: Mapping[str, Any]) -> Rubric:
    """Inverse of :func:`rubric_to_json`."""
    low, high = raw["scale"]
    levels = {int(score): text for score, text in raw["levels"].items()}
    return Rubric(**{**raw, "levels": levels, "scale": (low, high)})


def stored_questions(run: Mapping[str, Any], scenario: str) -> tuple[Question, ...]:
    """The questions of a scenario, from ``run.json`` alone.

    Parameters
    ----------
    run
        Content of ``run.json``: its ``suite``, and the ``rubrics`` and ``judges`` that were used.
    """
    entries: Sequence[Mapping[str, Any]] = run["suite"]["scenarios"][scenario].get("judging") or ()
    found = []
    for entry in entries:
        judging = Judging.model_validate(entry)
        rubric = rubric_from_json(run["rubrics"][judging.rubric])
        declared = run["suite"]["judges"]
        policies = {
            judge: JudgePolicy.model_validate(
                {name: declared[judge][name] for name in JudgePolicy.model_fields if name in declared[judge]}
            )
            for judge in judging.panel
        }
        scales = [run["judges"][judge]["dialect"].get("scale") for judge in judging.panel]
        scale = next((one for one in scales if one is not None), rubric.scale)
        found.append(
            Question(
                judging=judging, rubric=rubric, policies=policies, scale=(float(scale[0]), float(scale[1]))
            )
        )
    return tuple(found)
