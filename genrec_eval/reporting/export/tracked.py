"""What experiment trackers are told of a run: settings, figures and files of each model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrec_eval.core.secrets import scrub
from genrec_eval.reporting.results import Results, mapping, read_json

_SAFE = re.compile(r"[^A-Za-z0-9_\-. /]")
_FILES = ("report.html", "estimates.json", "evidence.json", "gate.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One model of a run.

    Attributes
    ----------
    settings
        Suite, seed, digests of the data, identity in each scenario.
    figures
        ``<scenario>/<metric>`` → value, with ``.low``, ``.high`` and ``.n`` beside it; of slices
        ``<scenario>/<metric> <group>=<value>``. What has no value is left to :attr:`missing`.
    missing
        Name → reason why there is no value.
    verdicts
        Claim → verdict.
    """

    model: str
    settings: Mapping[str, str]
    figures: Mapping[str, float]
    missing: Mapping[str, str]
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """A run for a tracker: its models and its files."""

    run: str
    suite: str
    models: tuple[Tracked, ...]
    files: tuple[Path, ...]


def tracked(directory: Path) -> TrackedRun:
    """Collect what trackers are told; reads ``run.json`` and ``estimates.json`` alone."""
    results = Results.load(directory)
    run = mapping(read_json(directory / "run.json"))
    return TrackedRun(
        run=results.run,
        suite=str(run.get("name") or "run"),
        models=tuple(_model(results, run, model) for model in results.models()),
        files=tuple(directory / name for name in _FILES if (directory / name).is_file()),
    )


def _model(results: Results, run: Mapping[str, Any], model: str) -> Tracked:
    figures: dict[str, float] = {}
    missing: dict[str, str] = {}
    for row in results.estimates:
        if row.model != model or row.baseline is not None:
            continue
        name = f"{row.scenario}/{row.metric}" + ("" if row.slice == "all" else f" {row.slice}")
        if row.value is None:
            missing[name] = row.reason or "no value"
            continue
        figures[name] = row.value
        for end, number in ((".low", row.low), (".high", row.high), (".n", float(row.n))):
            if number is not None:
                figures[name + end] = number
    for told in results.coverage:
        if told.model == model and told.state == "not-run":
            missing[told.scenario] = told.reason or "not run"
    played = mapping(mapping(run.get("models")).get(model))
    return Tracked(
        model=model,
        settings={
            "suite": str(run.get("name") or ""),
            "run": results.run,
            "seed": str(run.get("seed")),
            **{f"data.{name}": str(mapping(d).get("digest")) for name, d in mapping(run.get("data")).items()},
            **{
                f"identity.{scenario}": scrub(str(mapping(about).get("identity")))
                for scenario, about in played.items()
            },
        },
        figures=figures,
        missing=missing,
        verdicts={
            f"{row.scenario}/{row.claim}": str(row.verdict) for row in results.verdicts if row.model == model
        },
    )


def safe_names(names: Mapping[str, Any] | list[str]) -> dict[str, str]:
    """Name → a name of letters, digits and ``_-. /`` that is unlike every other.

    Trackers refuse ``@`` and brackets, and two metrics must not fall together by being renamed.

    >>> safe_names(["top-k/ndcg@10", "top-k/ndcg(gain=exp)@10"])
    {'top-k/ndcg@10': 'top-k/ndcg_at_10', 'top-k/ndcg(gain=exp)@10': 'top-k/ndcg_gain_exp_at_10'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = _SAFE.sub("_", name.replace(")@", "_at_").replace("@", "_at_"))[:200].strip()
        if plain in taken or not plain:
            plain = f"{plain}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        taken.add(plain)
        found[name] = plain
    return found
