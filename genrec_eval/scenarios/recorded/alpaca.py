"""What AlpacaEval's length control needs beside preferences: difficulties, weights, and the reruns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.data.judgements.log import JudgementLog
from genrec_eval.metrics.judged.alpaca import AlpacaPairs
from genrec_eval.metrics.judged.pairs import Pairs, rows_of
from genrec_eval.stats.alpaca_glm import AlpacaWeights

BASELINE = "gpt4_1106_preview"
RERUNS = {
    "gpt4_1106_preview_verbose": AlpacaWeights(-1.5835274219761557, 0.8334888457867451, 0.1923534665807022),
    "gpt4_1106_preview_concise": AlpacaWeights(-1.6424856171097677, 0.6835779026468267, -0.3182055425894927),
}
"""Published weights of the baseline's reruns: metrics/weights/weighted_alpaca_eval_gpt4_turbo/
length_controlled_v1 of github.com/tatsu-lab/alpaca_eval."""

_WEIGHTS = {
    "phi": "np.tanh(std_delta_len)",
    "psi": "instruction_difficulty",
    "theta": "not_gamed_baseline.astype(float)",
}


def alpaca_tables(log: JudgementLog) -> dict[str, pa.Table]:
    """Tables ``prompts`` (by unit) and ``weights`` (by arm); none where the log has no difficulties."""
    difficulty: Mapping[str, Any] = log.published.get("difficulty") or {}
    if not difficulty:
        return {}
    units = list(difficulty)
    columns: dict[str, Any] = {
        "unit": pa.array(units, pa.string()),
        "difficulty": pa.array([_only(difficulty[unit]) for unit in units], pa.float64()),
    }
    lengths: Mapping[str, Mapping[str, float]] = log.published.get("lengths") or {}
    if all(name in lengths for name in (BASELINE, *RERUNS)):
        for name in (BASELINE, *RERUNS):
            columns[name] = pa.array([lengths[name].get(unit) for unit in units], pa.float64())
    found = {"prompts": pa.table(columns)}
    weights: Mapping[str, Mapping[str, Any]] = log.published.get("weights") or {}
    if weights:
        found["weights"] = pa.table(
            {
                "arm": pa.array(list(weights), pa.string()),
                **{
                    short: pa.array([_weight(row, name) for row in weights.values()], pa.float64())
                    for short, name in _WEIGHTS.items()
                },
            }
        )
    return found


def _only(row: Mapping[str, Any]) -> float:
    value = next(iter(row.values()), None)
    if not isinstance(value, float):
        raise UsageError("the difficulty of a prompt is no number")
    return value


def _weight(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if not isinstance(value, float):
        raise UsageError(f"published weights: column '{name}' is missing or holds no number")
    return value


def alpaca_pairs(
    pairs: Pairs, units: pa.Array, arm: str, context: Mapping[str, pa.Table]
) -> AlpacaPairs | None:
    """The pairs of one system with everything that is known of them; joined by the prompts' ids."""
    prompts = context.get("prompts")
    if prompts is None or pairs.difficulty is None:
        return None
    weights = None
    if "weights" in context:
        known = context["weights"].to_pylist()
        weights = next(
            (AlpacaWeights(row["phi"], row["psi"], row["theta"]) for row in known if row["arm"] == arm), None
        )
    gaps = None
    if all(name in prompts.column_names for name in (BASELINE, *RERUNS)):
        rows = rows_of(units.to_pylist(), prompts["unit"].to_pylist(), "the lengths of the baseline")
        chars = {name: prompts[name].to_numpy()[rows] for name in (BASELINE, *RERUNS)}
        stacked = np.stack([chars[BASELINE] - chars[name] for name in RERUNS], axis=1)
        gaps = stacked if np.isfinite(stacked).all() else None
    return AlpacaPairs(pairs=pairs, weights=weights, rerun_weights=tuple(RERUNS.values()), rerun_gaps=gaps)
