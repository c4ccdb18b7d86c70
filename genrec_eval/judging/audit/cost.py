"""What a verdict costs: tokens, money and seconds, per judgement and per usable verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genrec_eval.judging.audit.verdicts import Float64, Verdicts
from genrec_eval.stats.sums import Measure, of_sums, share_of, undefined

_QUANTITIES = ("input_tokens", "output_tokens", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One quantity.

    Attributes
    ----------
    total
        Over all judgements that have it; None where none has.
    per_judgement, per_verdict
        Mean over those, and their total over the verdicts among them.
    """

    total: float | None
    per_judgement: Measure
    per_verdict: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the judge used.

    Attributes
    ----------
    spent
        ``input_tokens``, ``output_tokens``, ``cost`` and ``seconds``.
    cached
        Share of judgements that came from the cache and cost nothing this time.
    """

    judgements: int
    verdicts: int
    spent: dict[str, Spent]
    cached: Measure


def cost(
    verdicts: Verdicts, seconds: Mapping[str, float] | None = None, *, seed: int | None, level: float = 0.95
) -> Cost:
    """Cost of the judgements.

    Parameters
    ----------
    seconds
        Key of an exchange → its duration, from the journal; a judgement table has no times.
    """
    numbers: dict[str, Float64] = {
        name: verdicts.table[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        for name in _QUANTITIES
    }
    times = [(seconds or {}).get(key or "") for key in verdicts.words("key")]
    numbers["seconds"] = np.array([np.nan if one is None else one for one in times], np.float64)
    cached = np.array([bool(one) for one in verdicts.table["cached"].to_pylist()], bool)
    return Cost(
        judgements=len(verdicts),
        verdicts=int(verdicts.judged.sum()),
        spent={name: _spent(verdicts, values, name, seed, level) for name, values in numbers.items()},
        cached=share_of(cached, units=verdicts.unit, seed=seed, level=level),
    )


def _spent(verdicts: Verdicts, values: Float64, name: str, seed: int | None, level: float) -> Spent:
    known = np.isfinite(values)
    if not known.any():
        none = undefined(f"no judgement says its {name.replace('_', ' ')}", level=level)
        return Spent(total=None, per_judgement=none, per_verdict=none)
    used, unit = values[known], verdicts.unit[known]

    def over(count: Float64) -> Measure:
        def at(sums: Float64) -> Float64:
            return sums[:, 0] / sums[:, 1]

        columns = np.stack([used, count], axis=1)
        why = "no judgement has a verdict"
        return of_sums(columns, at, units=unit, seed=seed, level=level, bounds=(0.0, None), why=why)

    return Spent(
        total=float(used.sum()),
        per_judgement=over(np.ones(len(used))),
        per_verdict=over(verdicts.judged[known].astype(np.float64)),
    )
