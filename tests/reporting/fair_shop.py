"""A small shop whose users want providers in unequal measure, and whose providers have hostile names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import genrec_eval

EVIL = "<script>alert(1)</script> {{ 7*7 }} \u202emajor"
USERS = 120


def shop(folder: Path, providers: int = 2, kinds: int = 2) -> Path:
    """Play two models; women choose items of the first provider, of hostile name, most of the time.

    Parameters
    ----------
    providers
        How many there are; the first has the hostile name.
    kinds
        Values of the users' attribute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    names = [EVIL, *(f"provider {i}" for i in range(2, providers + 1))]
    items = [{"item": f"i{i:02}", "provider": names[i % providers], "genres": "Drama"} for i in range(60)]
    users, log = [], []
    for u in range(USERS):
        kind = ["F", "M", *(f"k{i}" for i in range(kinds))][u % kinds]
        users.append({"user": f"u{u:03}", "gender": kind})
        mine = [i for i in range(60) if (i % providers == 0) == (kind == "F")] or list(range(60))
        liked = rng.permutation(mine).tolist()[:8]
        liked += [i for i in rng.permutation(60).tolist() if i not in liked][:3]
        rng.shuffle(liked)
        log += [{"user": f"u{u:03}", "item": f"i{i:02}", "timestamp": t} for t, i in enumerate(liked)]
    for name, rows in {"items": items, "users": users, "log": log}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "suite.yaml").write_text(json.dumps(_suite(providers, kinds)), "utf-8")
    return genrec_eval.run(folder / "suite.yaml", out=folder / "run", quiet=True, report=False).path


def _suite(providers: int, kinds: int) -> dict[str, Any]:
    metrics = ["ndcg@5", "exposure_gap(target=catalogue)@5", "exposure_divergence(target=catalogue)@5"]
    metrics += ["attention_per_merit@5", "exposure_gap(target=relevance,weights=uniform)@5"]
    metrics += ["exposure_gap(target=train,weights=geometric)@5", "group_gap(by=gender,of=ndcg)@5"]
    if providers > 1:
        outcome = "by=gender,outcome=providers,items=provider 2"
        parity = ("demographic_parity", "equal_opportunity", "equalised_odds")
        metrics += [f"{name}({outcome},least=10)@5" for name in parity]
    declared: dict[str, Any] = {}
    if providers == 2:
        metrics.append("exposure_ratio(target=declared)@5")
        declared["provider_targets"] = {EVIL: 0.25, "provider 2": 0.75}
    files = {name: f"{name}.jsonl" for name in ("items", "users")}
    return {
        "name": "shop",
        "seed": 3,
        "data": {
            "own": {
                "dataset": "files",
                "options": {"interactions": "log.jsonl", **files, "groups": ["gender"]},
            }
        },
        "models": {
            "popular": {"adapter": "reference", "model": "popularity"},
            "knn": {"adapter": "reference", "model": "item-knn"},
        },
        "scenarios": {
            "served": {
                "scenario": "top-k",
                "data": "own",
                "options": {
                    "k": 5,
                    "split": {"method": "leave-one-out"},
                    "groups": ["gender"],
                    "metrics": metrics,
                    **declared,
                },
            }
        },
        "claims": [
            {
                "claim": "Providers are shown as the catalogue has them",
                "scenario": "served",
                "model": "knn",
                "metric": "exposure_gap(target=catalogue)@5",
                "at_most": 0.001,
            }
        ],
    }
