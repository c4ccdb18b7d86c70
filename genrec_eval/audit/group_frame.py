"""Stored scores by group in the hands of fairlearn, for those who want to go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrec_eval.audit.run_tables import RunTables
from genrec_eval.audit.score import SCORES_FILE, StoredScores
from genrec_eval.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    from fairlearn.metrics import MetricFrame


def group_frame(
    run: RunTables,
    scenario: str,
    metric: str,
    by: Sequence[str],
    *,
    model: str | None = None,
    control: Sequence[str] = (),
) -> MetricFrame:
    """See :meth:`genrec_eval.api.Run.group_frame`."""
    try:
        from fairlearn.metrics import MetricFrame, count
    except ImportError:
        raise UsageError(
            "a frame of groups needs fairlearn, which is not installed: pip install 'genrec-eval[fairness]'"
        ) from None
    import numpy as np

    table = _table(run, scenario, metric, model, [*by, *control])
    measured = {
        metric: lambda truth, value, weight: float(np.average(value, weights=weight)),
        "users": lambda truth, value, weight: int(count(truth, value)),
    }
    return MetricFrame(
        metrics=measured,
        y_true=table["value"],
        y_pred=table["value"],
        sensitive_features=table[list(by)],
        control_features=table[list(control)] if control else None,
        sample_params={name: {"weight": table["weight"]} for name in measured},
    )


def _table(run: RunTables, scenario: str, metric: str, model: str | None, groups: list[str]) -> pd.DataFrame:
    """Value, weight and groups of each scored user whose groups are all known."""
    import pandas as pd

    models = [name for name, where in run.played() if where == scenario]
    if not models:
        known = [where for _, where in run.played()]
        raise UsageError(f"the run has no scenario '{scenario}'{did_you_mean(scenario, known)}")
    if model is None and len(models) > 1:
        raise UsageError(f"'{scenario}' was played by {', '.join(models)}: say which model is meant")
    if model is not None and model not in models:
        raise UsageError(f"'{scenario}' was not played by '{model}'{did_you_mean(model, models)}")
    cases = run.cases(scenario)
    offered = [name.removeprefix("group.") for name in cases.column_names if name.startswith("group.")]
    for name in groups:
        if name not in offered:
            raise UsageError(
                f"'{scenario}' has no group '{name}'{did_you_mean(name, offered)}"
                f" (its groups: {', '.join(offered) or 'none'})"
            )
    whose = model or models[0]
    with StoredScores(run.path / SCORES_FILE) as stored:
        read = stored.get(whose, scenario, metric)
        if read is None:
            known = stored.metrics(whose, scenario)
            raise UsageError(f"'{scenario}' measures no '{metric}'{did_you_mean(metric, known)}")
    units, scores = read
    if scores.total is not None or scores.sums is not None:
        raise UsageError(f"'{metric}' has one value for the whole run, and no mean over users to take apart")
    values = pd.DataFrame(
        {"value": scores.values, "weight": 1.0 if scores.weights is None else scores.weights}
    )
    values.index = pd.Index(units.to_pylist(), name="unit")
    frame = cases.select(["unit", *(f"group.{name}" for name in groups)]).to_pandas()
    frame = frame.drop_duplicates("unit").set_index("unit").rename(columns=lambda name: name[len("group.") :])
    found: pd.DataFrame = values[scores.scored].join(frame).dropna()
    if not len(found):
        raise UsageError(f"no user with a score of '{metric}' has a known value of {', '.join(groups)}")
    return found
