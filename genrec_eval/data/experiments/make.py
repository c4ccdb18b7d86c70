"""A generated A/B test whose effects are known.

User i has a click rate λ_i, gamma-distributed with mean ``clicks`` and variance ``heterogeneity · clicks²``.
The user enters on a day drawn from the first ``enrolment`` days, visits then and, with chance ``visits``, on
each later day, and on a visit clicks Poisson(λ_i · (1 + lift + novelty · 2^(−age / half_life)))
times, ``age`` days after entering; in the control arm Poisson(λ_i). Errors are Poisson too, at one rate for
all users of an arm. Clicks before the experiment come from the same λ_i: CUPED lives on that correlation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genrec_eval.core.fingerprint import digest
from genrec_eval.core.randomness import generator
from genrec_eval.data.experiments.exposures import Exposures
from genrec_eval.protocol.arrays import Float64, Int32

if TYPE_CHECKING:
    from genrec_eval.data.experiments.synthetic import SyntheticExposuresSpec

RECIPE = 1
"""Raised whenever the same options would give another experiment."""


def generate(spec: SyntheticExposuresSpec, seed: int) -> Exposures:
    """The log; ``facts["truth"]`` holds the expected differences in clicks and errors of a user."""
    draw = generator(seed, "experiment")
    names = tuple(spec.arms)
    shares = np.array(list(spec.arms.values())) / sum(spec.arms.values())
    arm = draw.choice(len(names), spec.users, p=shares).astype(np.int32)
    entered = draw.integers(0, spec.enrolment, spec.users)
    rate = spec.clicks * _uneven(draw, spec.heterogeneity, spec.users)
    before = draw.poisson(rate * spec.visits * spec.before_days).astype(np.float64)

    in_log = (arm == 0) | (draw.random(spec.users) >= spec.lost)
    crossed = draw.random(spec.users) < spec.crossed  # told apart and left out, as the loader would
    kept = in_log & ~crossed
    arm, entered, rate, before = arm[kept], entered[kept], rate[kept], before[kept]

    users: list[Int32] = []
    days: list[Int32] = []
    clicks: list[Float64] = []
    errors: list[Float64] = []
    for day in range(spec.days):
        visiting = np.flatnonzero(
            (entered == day) | ((entered < day) & (draw.random(len(arm)) < spec.visits))
        )
        treated = arm[visiting] > 0
        gain = spec.lift + spec.novelty * 0.5 ** ((day - entered[visiting]) / spec.half_life)
        users.append(visiting.astype(np.int32))
        days.append(np.full(len(visiting), day, np.int32))
        clicks.append(draw.poisson(rate[visiting] * (1 + gain * treated)).astype(np.float64))
        errors.append(draw.poisson(spec.errors * (1 + spec.harm * treated)).astype(np.float64))
    width = len(str(spec.users))
    ids = pa.array([f"u{number:0{width}}" for number in np.flatnonzero(kept).tolist()], pa.string())
    warnings = []
    if crossed[in_log].any():
        warnings.append(f"{int(crossed[in_log].sum()):,} users are in several arms and are left out")
    facts: dict[str, Any] = {
        "users": len(arm),
        "exposures": sum(map(len, users)),
        "arms": dict(zip(names, np.bincount(arm, minlength=len(names)).tolist(), strict=True)),
        "days": spec.days,
        "truth": truth(spec),
        "warnings": warnings,
    }
    if warnings:
        facts["users_in_several_arms"] = {"rule": "exclude", "users": int(crossed[in_log].sum())}
    options = spec.model_dump(exclude={"seed"})
    return Exposures(
        name="synthetic exposures",
        users=ids,
        arms=names,
        arm=arm,
        user=np.concatenate(users),
        day=np.concatenate(days),
        outcomes={"clicks": np.concatenate(clicks), "errors": np.concatenate(errors)},
        before={"clicks": before} if spec.before_days else {},
        start=1,
        shares=dict(spec.arms),
        digest=digest({"dataset": "synthetic-exposures", "recipe": RECIPE, "options": options, "seed": seed}),
        licence="generated",
        source="generated",
        facts=facts,
    )


def truth(spec: SyntheticExposuresSpec) -> dict[str, float]:
    """Expected treatment − control in the clicks and errors of a user over the whole experiment."""
    clicks = errors = 0.0
    for entered in range(spec.enrolment):
        age = np.arange(spec.days - entered)
        seen = np.where(age == 0, 1.0, spec.visits)
        gain = spec.lift + spec.novelty * 0.5 ** (age / spec.half_life)
        clicks += float((seen * gain).sum()) * spec.clicks / spec.enrolment
        errors += float(seen.sum()) * spec.harm * spec.errors / spec.enrolment
    return {"clicks": clicks, "errors": errors}


def _uneven(draw: np.random.Generator, variance: float, n: int) -> Float64:
    """Gamma with mean 1."""
    if variance == 0:
        return np.ones(n)
    return draw.gamma(1 / variance, variance, n)
