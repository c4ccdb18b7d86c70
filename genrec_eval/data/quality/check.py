"""What is in a dataset, and what looks wrong with it before a run does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.data.dataset import Dataset, GivenCases
from genrec_eval.data.quality.finding import Finding
from genrec_eval.data.quality.findings import Suspicions
from genrec_eval.data.splits.pairs import keys
from genrec_eval.data.splits.popular import item_counts
from genrec_eval.protocol.arrays import Int64

SCHEMA = "genrec-eval/data-check/1"

MOST_VALUES = 21
"""Distinct ratings that are counted one by one; with more, quantiles are shown."""
_QUANTILES = (0, 5, 25, 50, 75, 95, 100)
_TOLD = {
    "rows_read", "interactions", "duplicates_dropped", "duplicates_with_another_rating", "duplicate_examples",
    "users", "items", "items_without_interactions", "items_added_from_interactions",
    "users_added_from_interactions", "ambiguous_titles", "given_cases", "files", "warnings",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """Facts by section, what the loader had to say, and what was looked for.

    Attributes
    ----------
    sections
        Section → fact → number or text; None where the data do not tell.
    ratings
        Value or quantile → count or value; None for feedback without ratings.
    told
        Warnings of the loader.
    findings
        In a fixed order; ``warning`` is what a run would stumble over.
    """

    sections: dict[str, dict[str, Any]]
    ratings: dict[str, Any] | None
    told: list[str]
    findings: list[Finding]

    @property
    def sound(self) -> bool:
        """Whether a run would not stumble."""
        return all(finding.severity != "warning" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "schema": SCHEMA,
            **self.sections,
            "ratings": self.ratings,
            "told": self.told,
            "findings": [finding.to_json() for finding in self.findings],
            "sound": self.sound,
        }


def check(dataset: Dataset, kind: str = "", now: float | None = None) -> Checked:
    """Count, and look for what is usually wrong.

    Parameters
    ----------
    kind
        Name of its loader, which for some tells the scale of ratings.
    now
        Unix seconds after which a timestamp is one of the future; the clock's when None.
    """
    log, facts = dataset.interactions, dataset.facts
    per_user = np.bincount(log.user, minlength=len(dataset.users))
    per_item = item_counts(log, len(dataset.items))
    met = keys(log.user, log.item, len(dataset.items))
    met.sort()  # numpy's unique hashes, which takes five times as long
    pairs = int(np.count_nonzero(met[1:] != met[:-1])) + bool(len(met))
    cells = len(dataset.users) * len(dataset.items)
    sections: dict[str, dict[str, Any]] = {
        "counts": {
            "users": len(dataset.users),
            "items": len(dataset.items),
            "interactions": len(log),
            "pairs of user and item": pairs,
            "sparsity": 1 - pairs / cells if cells else None,
        },
        "rows": {
            "read": facts.get("rows_read"),
            "kept": len(log),
            "duplicates dropped": facts.get("duplicates_dropped"),
            "of them with another rating": facts.get("duplicates_with_another_rating"),
            **{name.replace("_", " "): value for name, value in facts.items() if name not in _TOLD},
        },
        "dates": _dates(dataset),
        "users": {
            **_spread(per_user),
            "with one interaction": int((per_user == 1).sum()),
            "without interactions": int((per_user == 0).sum()),
            "largest share of all": float(per_user.max() / len(log)) if len(log) else None,
        },
        "items": {
            **_spread(per_item),
            "with one interaction": int((per_item == 1).sum()),
            "without interactions": int((per_item == 0).sum()),
            **_tail(per_item),
        },
        "texts": _texts(dataset),
        **({} if dataset.given is None else {"given cases": _cases(dataset.given)}),
    }
    looked = Suspicions(dataset, kind, per_user, time.time() if now is None else now)
    ratings = None if log.rating is None or not len(log) else _distribution(log.rating)
    return Checked(sections, ratings, list(facts.get("warnings", [])), looked.all())


def _dates(dataset: Dataset) -> dict[str, Any]:
    when = dataset.interactions.timestamp
    if when is None or not len(when):
        return {"first": None, "last": None, "days": None}
    first, last = int(when.min()), int(when.max())
    return {"first": moment(first), "last": moment(last), "days": (last - first) / 86_400}


def moment(seconds: int) -> str:
    """ISO 8601; far beyond the year 9999 too, where a mistaken unit leads.

    >>> moment(881250949)
    '1997-12-04T15:55:49Z'
    """
    return f"{np.datetime64(seconds, 's')}Z"


def _spread(counts: npt.NDArray[np.integer]) -> dict[str, float | None]:
    """Interactions of those that have any."""
    some = counts[counts > 0]
    if not len(some):
        return {"fewest": None, "median": None, "mean": None, "most": None}
    return {
        "fewest": int(some.min()),
        "median": float(np.median(some)),
        "mean": float(some.mean()),
        "most": int(some.max()),
    }


def _tail(per_item: Int64) -> dict[str, float | None]:
    """How far popularity is concentrated; the long tail as Elliot cuts it, below 80 % of interactions."""
    total = int(per_item.sum())
    if not total:
        return {"share of interactions on the top 20 %": None, "share of items in the long tail": None}
    ranked = np.sort(per_item)[::-1]
    top = int(np.ceil(0.2 * len(ranked)))
    head = int(np.searchsorted(np.cumsum(ranked), 0.8 * total)) + 1
    return {
        "share of interactions on the top 20 %": float(ranked[:top].sum() / total),
        "share of items in the long tail": 1 - head / len(ranked),
    }


def _cases(given: GivenCases) -> dict[str, Any]:
    lists = {"relevant items": given.truth, "items of history": given.history, "candidates": given.candidates}
    return {
        "cases": len(given),
        "users": len(np.unique(given.user)),
        **{
            f"{name} per case, mean": None if found is None or not len(found) else float(found.lengths.mean())
            for name, found in lists.items()
        },
        "with times": given.timestamp is not None,
    }


def _texts(dataset: Dataset) -> dict[str, Any]:
    table = dataset.item_table
    found: dict[str, Any] = {}
    for name in ("title", "description", "genres", "semantic_id", "embedding"):
        if name not in table.column_names:
            found[f"items without {name.replace('_', ' ')}"] = len(dataset.items)
            continue
        found[f"items without {name.replace('_', ' ')}"] = len(dataset.items) - filled(table.column(name))
    found["titles of several items"] = dataset.facts.get("ambiguous_titles")
    found["items missing from the descriptions"] = dataset.facts.get("items_added_from_interactions")
    found["groups of users"] = ", ".join(dataset.groups) or None
    return found


def filled(column: Any) -> int:
    """Rows that hold something: no null, no empty text, no empty list."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        return int(pc.sum(pc.greater(lengths, 0)).as_py() or 0)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        lengths = pc.fill_null(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0)
        return int(pc.sum(pc.greater(lengths, 0)).as_py() or 0)
    return len(column) - int(column.null_count)


def _distribution(ratings: npt.NDArray[np.float32]) -> dict[str, Any]:
    values, counts = np.unique(ratings, return_counts=True)
    found: dict[str, Any] = {
        "mean": float(ratings.mean(dtype=np.float64)),
        "standard deviation": float(ratings.std(dtype=np.float64)),
        "distinct values": len(values),
    }
    if len(values) <= MOST_VALUES:
        found["counts"] = {f"{value:g}": int(n) for value, n in zip(values, counts, strict=True)}
    else:
        found["quantiles"] = {
            f"{q} %": float(value)
            for q, value in zip(_QUANTILES, np.percentile(ratings, _QUANTILES), strict=True)
        }
    return found
