"""Figures that judges gave, told apart by what was asked of whom; titles that fit a table's head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genrec_eval.reporting.results import Results

_NAMES = ("judge", "rubric", "against", "task")
_ASKED = {
    "rubric_score": "each text scored",
    "win_rate": "pairs",
    "controlled_win_rate": "pairs",
    "covariate_effect": "pairs",
    "judge_rank": "all texts ranked",
    "claim_support": "claim by claim",
    "claim_recall": "claim by claim",
}
TASKS = {
    "pointwise": "each text scored",
    "pairwise": "pairs",
    "listwise": "all texts ranked",
    "claims": "claim by claim",
}
"""Kind of task → how it is put to a judge."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one judge or panel, and its figures.

    Attributes
    ----------
    metrics
        Metric id → title without what the question says already.
    """

    judge: str
    rubric: str
    against: str
    how: str
    metrics: Mapping[str, str]

    @property
    def title(self) -> str:
        """``"helpfulness, pairs against template, judged by rules"``."""
        against = f" against {self.against}" if self.against else ""
        how = f", {self.how}" if self.how else ""
        return f"{self.rubric}{how}{against}, judged by {self.judge.replace('+', ' and ')}"


def is_judged(definition: Mapping[str, Any]) -> bool:
    """Whether a metric is what a judge said, or is about what it said."""
    parameters = definition.get("parameters")
    return isinstance(parameters, Mapping) and bool(parameters.get("judge") and parameters.get("rubric"))


def asked_of(results: Results, scenario: str) -> list[Asked]:
    """The questions of a scenario, in the order of its metrics."""
    found: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for metric in results.metrics(scenario):
        definition = results.definition(metric)
        if is_judged(definition):
            names = {name: str(definition["parameters"].get(name) or "") for name in _NAMES}
            how = TASKS.get(names["task"]) or _ASKED.get(str(definition.get("name")), "")
            key = (names["judge"], names["rubric"], names["against"], how)
            found.setdefault(key, {})[metric] = short_title(metric, definition)
    return [Asked(*key, metrics) for key, metrics in found.items()]


def column_titles(asked: Sequence[Asked]) -> dict[str, str]:
    """Metric → title for a table of all questions; whose judgement it is is said where there are several."""
    several = len({one.judge for one in asked}) > 1
    found = {}
    for one in asked:
        whose = f" by {one.judge.replace('+', ' and ')}" if several else ""
        for metric, title in one.metrics.items():
            against = f" against {one.against}" if one.against and title.startswith("Win rate") else ""
            found[metric] = f"{one.rubric}{whose}: {title[0].lower()}{title[1:]}{against}"
    return found


def short_title(metric: str, definition: Mapping[str, Any]) -> str:
    """The title of a judged metric where the question stands above it."""
    parameters = definition["parameters"]
    held = str(parameters.get("for") or "").replace("+", " and ")
    name = str(definition.get("name"))
    if name == "controlled_win_rate" and held:
        return f"Win rate controlled for {held}"
    if name == "covariate_effect" and parameters.get("of"):
        return f"Effect of {parameters['of']}"
    if name == "panel_agreement" and parameters.get("one"):
        return f"Agreement of {parameters['one']} with the others"
    title = str(definition.get("title") or name)
    rest = [f"{key}={value}" for key, value in _written(metric).items() if key not in _NAMES]
    return f"{title}({','.join(rest)})" if rest else title


def full_title(metric: str, definition: Mapping[str, Any]) -> str:
    """The title of a judged metric where it stands alone.

    >>> definition = {"name": "win_rate", "title": "Win rate",
    ...               "parameters": {"judge": "rules", "rubric": "fluency", "against": "base"}}
    >>> full_title("win_rate(against=base,judge=rules,rubric=fluency)", definition)
    'Win rate against base: fluency by rules'
    """
    parameters = definition["parameters"]
    against = f" against {parameters['against']}" if parameters.get("against") else ""
    whose = str(parameters["judge"]).replace("+", " and ")
    return f"{short_title(metric, definition)}{against}: {parameters['rubric']} by {whose}"


def _written(metric: str) -> dict[str, str]:
    inside = metric.partition("(")[2].rpartition(")")[0]
    return dict(part.partition("=")[::2] for part in inside.split(",") if "=" in part)
