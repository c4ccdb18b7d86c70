"""A realistic run directory, made by hand with seeded numbers: four models, eleven metrics, three groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict
from genrec_eval.protocol.tables import RECORDS, SCORES

HOSTILE = "<script>alert('x')</script> \u202egnp.exe {{ 7*7 }} [red]"
MODELS = ("random", "popularity", "item-knn", "stutterer")
# name, title, unit, direction, centre per model, spread per unit
METRICS: tuple[tuple[str, str, str, str, tuple[float, ...], float], ...] = (
    ("ndcg@10", "NDCG", "", "higher", (0.012, 0.081, 0.124, 0.058), 0.16),
    ("recall@10", "Recall", "share", "higher", (0.016, 0.104, 0.163, 0.07), 0.2),
    ("precision@10", "Precision", "share", "higher", (0.009, 0.052, 0.071, 0.031), 0.08),
    ("mrr@10", "MRR", "", "higher", (0.025, 0.172, 0.214, 0.166), 0.3),
    ("hit_rate@10", "Hit rate", "share", "higher", (0.08, 0.42, 0.51, 0.29), 0.49),
    ("coverage@10", "Catalogue coverage", "share", "higher", (1.0, 0.043, 0.61, 0.021), 0.0),
    ("popularity@10", "Mean popularity", "", "none", (24.0, 310.0, 151.0, 322.0), 40.0),
    ("invalid@10", "Invalid items", "share", "lower", (0.0, 0.0, 0.0, 0.0), 0.0),
    ("duplicate@10", "Duplicates", "share", "lower", (0.0, 0.0, 0.0, 0.31), 0.1),
    ("seen@10", "Seen items", "share", "lower", (0.021, 0.0, 0.0, 0.0), 0.05),
    ("short@10", "Short lists", "share", "lower", (0.0, 0.0, 0.0, 0.0), 0.0),
)
GROUPS = {"gender": ("F", "M"), "age": ("18–24", "25–34", "35+"), "taste": ("drama", "comedy", "thriller")}
UNITS = 1950
ATTEMPTED = 2000


def estimates() -> list[Estimate]:
    """Values, per-group values and paired differences against popularity and item-knn."""
    draw = generator(7, "fixture estimates")
    rows: list[Estimate] = []

    def add(model: str, metric: tuple[Any, ...], value: float, half: float, n: int, **more: Any) -> None:
        name, _, unit, direction, _, _ = metric
        low, high = value - half, value + half
        if unit == "share" and more.get("baseline") is None:
            low, high = max(0.0, low), min(1.0, high)
            if value == 0.0:
                high = 3.7 / n
        left = max(0, round(n * ATTEMPTED / UNITS) - n)
        rows.append(
            Estimate(
                model=model,
                scenario="top-k",
                metric=name,
                definition=name,
                value=value,
                low=low,
                high=high,
                interval="bootstrap-bca",
                n=n,
                attempted=n + left,
                answered=n + left,
                scored=n,
                excluded={"no relevant item": left} if left else {},
                direction=direction,
                **more,
            )
        )

    for metric in METRICS:
        centres, spread = metric[4], metric[5]
        for position, model in enumerate(MODELS):
            add(model, metric, centres[position], 1.96 * spread / np.sqrt(UNITS) or 0.004, UNITS)
            for group, values in GROUPS.items():
                for share, value in zip((0.55, 0.28, 0.17), values, strict=False):
                    n = round(UNITS * share)
                    half = 1.96 * spread / np.sqrt(n) or 0.004
                    shifted = centres[position] + (draw.normal() * half * 0.7 if spread else 0.0)
                    shifted = max(0.0, shifted)
                    if metric[2] == "share":
                        shifted = min(1.0, shifted) if centres[position] else 0.0
                    add(model, metric, shifted, half, n, slice=f"{group}={value}")
        for baseline in MODELS:
            for position, model in enumerate(MODELS):
                if MODELS.index(baseline) < position:
                    gap = centres[position] - centres[MODELS.index(baseline)]
                    add(model, metric, gap, 1.2 * spread / np.sqrt(UNITS) or 0.004, UNITS, baseline=baseline)
    return rows


def verdicts() -> list[Verdict]:
    """All four rulings, a planted flaw and built-in checks."""

    def claim(text: str, model: str, metric: str, ruling: Ruling, **more: Any) -> Verdict:
        given = {"gate": True, "reason": "", "margin": 0.0, "rule": "at_least", "direction": "higher", **more}
        return Verdict(claim=text, model=model, scenario="top-k", metric=metric, verdict=ruling, **given)

    return [
        claim(
            "ItemKNN ranks better than popularity",
            "item-knn",
            "ndcg@10",
            Ruling.PASS,
            baseline="popularity",
            rule="better_by",
            value=0.043,
            low=0.0387,
            high=0.0473,
            reason="the interval of the paired difference lies above 0",
            where="suites/quickstart.yaml:40",
        ),
        claim(
            "At least 55 % of users get a hit from ItemKNN",
            "item-knn",
            "hit_rate@10",
            Ruling.FAIL,
            margin=0.55,
            value=0.51,
            low=0.488,
            high=0.532,
            reason="the interval lies below 55 %",
            where="suites/quickstart.yaml:52",
        ),
        claim(
            "Popularity serves women no worse than men",
            "popularity",
            "recall@10",
            Ruling.INSUFFICIENT,
            slice="gender=F",
            margin=0.1,
            value=0.101,
            low=0.09,
            high=0.112,
            needed=5200,
            reason="the interval contains the margin",
            where="suites/quickstart.yaml:58",
        ),
        claim(
            "The language model keeps up with ItemKNN",
            "llm",
            "ndcg@10",
            Ruling.NOT_RUN,
            baseline="item-knn",
            rule="not_worse_by",
            margin=0.01,
            reason="model 'llm' was not run: environment variable LLM_KEY is not set",
        ),
        claim(
            "The planted duplicates are caught",
            "stutterer",
            "duplicate@10",
            Ruling.FAIL,
            expected=Ruling.FAIL,
            rule="at_most",
            margin=0.01,
            value=0.31,
            low=0.3056,
            high=0.3144,
            direction="lower",
            reason="the interval lies above 1 %",
        ),
        claim(
            "Lists hold no item twice",
            "stutterer",
            "duplicate@10",
            Ruling.FAIL,
            gate=False,
            rule="at_most",
            margin=0.01,
            value=0.31,
            low=0.3056,
            high=0.3144,
            direction="lower",
            reason="the interval lies above 1 %",
        ),
        *(
            claim(
                "Lists hold no item twice",
                model,
                "duplicate@10",
                Ruling.PASS,
                gate=False,
                rule="at_most",
                margin=0.01,
                value=0.0,
                low=0.0,
                high=0.0019,
                direction="lower",
                reason="the interval lies below 1 %",
            )
            for model in MODELS[:3]
        ),
    ]


def document() -> dict[str, Any]:
    """The parsed ``estimates.json``."""
    return {
        "schema": 1,
        "run": "2024-11-23-quickstart-7f3a",
        "estimates": [row.to_json() for row in estimates()],
        "verdicts": [row.to_json() for row in verdicts()],
        "coverage": [
            *(
                Coverage(
                    model=model,
                    scenario="top-k",
                    state="run",
                    attempted=ATTEMPTED,
                    answered=ATTEMPTED,
                    statuses={"ok": ATTEMPTED},
                ).to_json()
                for model in MODELS
            ),
            Coverage(
                model="llm",
                scenario="top-k",
                state="not-run",
                reason="environment variable LLM_KEY is not set",
            ).to_json(),
        ],
        "definitions": {
            name: {
                "title": title,
                "summary": f"What {title} says about a list.",
                "formula": "mean over users of Σ gain(r) / log2(r + 1) over ranks r ≤ 10, by the ideal",
                "degenerate": "A user without a relevant item is excluded and counted.",
                "source": "Järvelin & Kekäläinen 2002, https://doi.org/10.1145/582415.582418",
                "direction": direction,
                "unit": unit,
                "bounds": [0.0, 1.0] if unit == "share" or "popularity" not in name else [0.0, None],
                "traps": "Values with another cutoff or another gain are not comparable.",
            }
            for name, title, unit, direction, _, _ in METRICS
        },
    }


def run_json() -> dict[str, Any]:
    """The parsed ``run.json``."""
    return {
        "format": 1,
        "run": "2024-11-23-quickstart-7f3a",
        "seed": 7,
        "created": "2024-11-23T06:30:00Z",
        "finished": "2024-11-23T06:30:41Z",
        "suite": {
            "name": "quickstart",
            "description": "Four reference recommenders, one with a planted flaw, on a synthetic world.",
            "scenarios": {"top-k": {"scenario": "top-k", "data": "world", "options": {"k": 10}}},
        },
        "versions": {"genrec-eval": "0.1.0", "numpy": "2.4.6", "pyarrow": "26.0.1"},
        "git": {"commit": "8adeec5d0c5f8a0c2d1c55dc4f6f5c0c0a4c1f11", "dirty": False},
        "environment": {"python": "3.11.9", "platform": "Linux x86_64", "cpus": 2},
        "data": {
            "world": {
                "digest": "9b7c1e" * 10,
                "name": "Synthetic world",
                "licence": "CC0-1.0",
                "source": "generated by genrec-eval, seed 7",
                "facts": {"users": 2000, "items": 600, "interactions": 84213},
            }
        },
        "scenarios": {
            "top-k": {
                "title": "Top-k recommendation",
                "split": "global temporal, first 80 % for training",
                "users": ATTEMPTED,
                "excluded": {"no test interaction": 312},
            }
        },
        "models": {
            "random": {"identity": {"adapter": "reference", "model": "random"}, "description": None},
            "popularity": {"identity": {"adapter": "reference", "model": "popularity"}},
            "item-knn": {
                "identity": {"adapter": "reference", "model": "item-knn", "neighbours": 50},
                "description": HOSTILE,
            },
            "stutterer": {
                "identity": {"adapter": "reference", "model": "duplicates"},
                "description": "Popularity with a planted flaw, it repeats items.",
                "planted": "repeats items",
            },
            "llm": {"identity": {"adapter": "openai", "model": "gpt-x"}},
        },
        "play": [
            {
                "model": model,
                "scenario": "top-k",
                "calls": ATTEMPTED,
                "cached": 0,
                "attempts": ATTEMPTED + 3 * position,
                "seconds": 0.4 + position,
                "cost": None if position else 0.0123,
                "input_tokens": None if position else 120000,
                "output_tokens": None if position else 9000,
                "latency": {"p50": 0.0001, "p95": 0.0004, "p99": 0.0011},
            }
            for position, model in enumerate(MODELS)
        ],
    }


def scores() -> pa.Table:
    """Per-unit scores whose means are near the estimates."""
    columns: dict[str, list[Any]] = {name: [] for name in SCORES.names}
    for name, _, unit, _, centres, spread in METRICS:
        for model, centre in zip(MODELS, centres, strict=True):
            draw = generator(7, "fixture scores", name, model)
            if name == "coverage@10":
                values = np.full(UNITS, 0.0001)
            elif name == "hit_rate@10":
                values = (draw.random(UNITS) < centre).astype(float)
            elif spread == 0 or centre == 0:
                values = np.full(UNITS, centre)
            elif unit == "share" or name in {"ndcg@10", "mrr@10"}:
                hit = draw.random(UNITS) < 0.45
                values = np.where(hit, draw.beta(1.5, 1.5 * (0.45 / centre - 1) + 0.1, UNITS), 0.0)
            else:
                values = draw.normal(centre, spread, UNITS)
            if centre and name not in {"coverage@10", "hit_rate@10"}:
                values = values * (centre / values.mean())  # so that the estimate is the mean of the units
            columns["model"] += [model] * ATTEMPTED
            columns["scenario"] += ["top-k"] * ATTEMPTED
            columns["metric"] += [name] * ATTEMPTED
            columns["unit"] += [f"u{i}" for i in range(ATTEMPTED)]
            columns["value"] += [*values.tolist(), *[None] * (ATTEMPTED - UNITS)]
            columns["reason"] += [*[None] * UNITS, *["no relevant item"] * (ATTEMPTED - UNITS)]
            columns["weight"] += [None] * ATTEMPTED
            columns["sums"] += [None] * ATTEMPTED
    return pa.table({name: pa.array(columns[name]).cast(SCORES.field(name).type) for name in SCORES.names})


def records() -> pa.Table:
    """A few exchanges of each model, with a failure and hostile text."""
    rows: list[dict[str, Any]] = []
    for model in MODELS:
        for case in range(6):
            bad = model == "stutterer" and case == 4
            rows.append(
                {
                    "model": model,
                    "scenario": "top-k",
                    "case": f"u{case}",
                    "unit": f"u{case}",
                    "arm": "neutral",
                    "repeat": 0,
                    "step": 0,
                    "status": "unparsed" if bad else "ok",
                    "error": f"no list in the answer: {HOSTILE}" if bad else None,
                    "items": None if bad else [f"i{(case * 7 + rank) % 600}" for rank in range(10)],
                    "raw": HOSTILE * 40 + "\n" * 12 if bad else None,
                    "attempts": 1,
                    "cached": False,
                }
            )
    return pa.Table.from_pylist(rows, schema=RECORDS)


def write_run(directory: Path) -> Path:
    """Write the whole run directory and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "estimates.json").write_text(json.dumps(document()), "utf-8")
    (directory / "run.json").write_text(json.dumps(run_json()), "utf-8")
    pq.write_table(scores(), directory / "scores.parquet", row_group_size=7000)
    (directory / "records").mkdir(exist_ok=True)
    pq.write_table(records(), directory / "records" / "part-0.parquet")
    return directory
