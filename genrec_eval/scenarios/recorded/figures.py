"""Figures that came with recorded judgements, each beside the metric of ours that it is held against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.data.judgements.log import JudgementLog
from genrec_eval.data.tables.streams import clip
from genrec_eval.metrics.registry import metric

SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("slice", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("tolerance", pa.float64()),
        ("claim", pa.string()),
    ]
)

_LLMBAR = {
    "correct_False": "judge_accuracy(order=given,unparsed=wrong)",
    "correct_True": "judge_accuracy(order=swapped,unparsed=wrong)",
    "correct_average": "judge_accuracy(unparsed=wrong)",
    "correct_both": "judge_accuracy(order=both,unparsed=wrong)",
    "equal": "positional_agreement(unparsed=equal)",
    "kappa_False": "judge_kappa(coding=llmbar,order=given)",
    "kappa_True": "judge_kappa(coding=llmbar,order=swapped)",
    "kappa_average": "judge_kappa(coding=llmbar,order=mean)",
    "kappa_agreement": "order_kappa(coding=llmbar)",
}
"""Statistic of LLMBar → metric: False is the given order, True the swapped one."""

_ALPACA = {
    "win_rate": (("win_rate", 1e-8),),
    "standard_error": (("win_rate_error", 1e-8),),
    "discrete_win_rate": (("win_rate(discrete=true)", 1e-8),),
    "length_controlled_winrate": (
        ("published_length_control", 0.005),
        ("length_control", 0.03),
        ("length_control(reruns=expected,ridge=3)", 0.03),
    ),
}
"""Column of AlpacaEval's leaderboard, in percent → metrics and tolerances."""


def figures(log: JudgementLog, by: Sequence[str], groups: Sequence[str]) -> pa.Table:
    """The published figures of a log whose arms are told apart by ``by``; no row where none fit."""
    rows: list[dict[str, Any]] = []
    if tuple(by) == ("judge", "arm") and "category" in groups:
        rows += _statistics(log.published.get("statistics") or {})
    if tuple(by) == ("system",):
        rows += _leaderboard(log.published.get("leaderboard") or {})
    ids = {spelled: metric(spelled).id for spelled in {row["metric"] for row in rows}}
    return pa.Table.from_pylist([{**row, "metric": ids[row["metric"]]} for row in rows], SCHEMA)


def _statistics(published: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """LLMBar's statistics, ``subset|evaluator|strategy`` → name → ``"33 / 92 = 35.87%"`` or a number."""
    for group, found in published.items():
        subset, _, rest = group.partition("|")
        judge, bar, strategy = rest.partition("|")
        if not bar or not isinstance(found, Mapping):
            raise UsageError(f"published statistics: {clip(group)} is not subset|evaluator|strategy")
        for name, spelled in _LLMBAR.items():
            if name in found:
                yield {
                    "arm": f"{judge}.{strategy}",
                    "slice": f"category={subset}",
                    "metric": spelled,
                    "value": _number(found[name], f"statistic {name} of {group}"),
                    "tolerance": 1e-9,
                    "claim": f"LLMBar's {name} is reproduced",
                }


def _leaderboard(published: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for system, row in published.items():
        for name, metrics in _ALPACA.items():
            if row.get(name) in (None, ""):
                continue
            for spelled, tolerance in metrics:
                yield {
                    "arm": system,
                    "slice": "all",
                    "metric": spelled,
                    "value": _number(row[name], f"{name} of {system}") / 100,
                    "tolerance": tolerance,
                    "claim": f"AlpacaEval's {name} is reproduced",
                }


def _number(value: Any, what: str) -> float:
    """``0.25``, ``"25.0%"`` or ``"23 / 92 = 25.0%"``, the last two as a share."""
    number, factor = value, 1.0
    if isinstance(value, str):
        text = value.rpartition("=")[2].strip()
        factor = 0.01 if text.endswith("%") else 1.0
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise UsageError(f"published {what} is no number: {clip(value)}")
    return float(number) * factor
