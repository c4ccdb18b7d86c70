"""The case table of review summaries: items with enough reviews in the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.arrays import Int64
from genrec_eval.protocol.brief import Brief
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.groups import MOST_VALUES
from genrec_eval.scenarios.writing.briefs import Reviews, item_facts
from genrec_eval.scenarios.writing.cases import MOST_ASPECTS, items_context

if TYPE_CHECKING:
    from genrec_eval.scenarios.summary import SummaryOptions

_WHERE = "scenario 'review-summary'"
POPULARITY = ("tail", "middle", "head")
"""Thirds of the catalogue by interactions in the training, the least popular first."""
PROVIDERS = "provider_group"
"""Column of the item table that is always a group, where there is one."""


def summary_cases(dataset: Dataset, options: SummaryOptions, seed: int) -> Prepared:
    """One case per item whose training reviews suffice.

    Raises
    ------
    UsageError
        When the data have no titles, no reviews, no item with enough of them, or no aspects to judge by; or
        a group is not in the item table.
    """
    split = options.split.apply(dataset, None, seed)
    dataset, training = split.dataset, split.training
    _check(dataset, options)
    reviews = Reviews.of(training.reviews)
    aspects = options.aspects or reviews.vocabulary
    if not aspects:
        raise UsageError(
            f"{_WHERE}: the reviews of data set '{dataset.name}' are not marked with the aspects that they"
            " praise and criticise; list what items are judged by in the option aspects, as in [acting,"
            " story, music]"
        )
    facts = item_facts(dataset.item_table)
    place = {one.id: row for row, one in enumerate(facts)}
    enough = sorted(
        place[item]
        for item, rows in reviews.by_item.items()
        if item in place and _written(reviews, rows) >= options.min_reviews
    )
    if not enough:
        most = max((_written(reviews, rows) for rows in reviews.by_item.values()), default=0)
        raise UsageError(
            f"{_WHERE}: no item of data set '{dataset.name}' has {options.min_reviews} training reviews (the"
            f" most that one has is {most}); lower min_reviews"
        )
    items = _drawn(enough, options.max_items, seed)
    shown = aspects if len(aspects) <= MOST_ASPECTS else ()
    briefs = []
    for row in items.tolist():
        rows = _shown(reviews, reviews.by_item[facts[row].id], options.max_reviews, facts[row].id, seed)
        briefs.append(
            Brief(
                task="summarise",
                item=facts[row],
                reviews=tuple(reviews.facts(one) for one in rows),
                aspects=shown,
            )
        )
    ratings = [[r.rating for r in brief.reviews if r.rating is not None] for brief in briefs]
    ids = pa.array([facts[row].id for row in items.tolist()], pa.string())
    columns: dict[str, Any] = {
        "case": ids,
        "unit": ids,
        "arm": pa.DictionaryArray.from_arrays(np.zeros(len(items), np.int32), pa.array(["neutral"])),
        **_groups(dataset, training.interactions.item, items, options.groups),
        "item": ids,
        "brief": pa.array([brief.to_json() for brief in briefs], pa.string()),
        "rating": pa.array([sum(one) / len(one) if one else None for one in ratings], pa.float64()),
    }
    counts = [len(brief.reviews) for brief in briefs]
    known = [_written(reviews, reviews.by_item[facts[row].id]) for row in items.tolist()]
    return Prepared(
        cases=pa.table(columns),
        context={
            "items": items_context(facts),
            "vocabulary": pa.table({"feature": pa.array(aspects, pa.string())}),
        },
        training=training,
        future=split.held_out,
        facts={
            **split.facts,
            "cases": len(items),
            "items_with_enough_reviews": len(enough),
            "reviews_shown": sum(counts),
            "reviews_of_these_items": sum(known),
            "items_with_sampled_reviews": sum(a < b for a, b in zip(counts, known, strict=True)),
            "aspects": list(aspects) if len(aspects) <= MOST_ASPECTS else len(aspects),
        },
    )


def _check(dataset: Dataset, options: SummaryOptions) -> None:
    known = dataset.item_table.column_names
    if dataset.reviews is None or not len(dataset.reviews):
        raise UsageError(
            f"{_WHERE}: data set '{dataset.name}' has no reviews to sum up; the data set 'synthetic' has them"
            " with reviews: 0.5"
        )
    if "title" not in known:
        raise UsageError(
            f"{_WHERE}: the items of data set '{dataset.name}' have no column 'title', without which no text"
            " can speak of them"
        )
    for name in options.groups:
        if name not in known[1:]:
            raise UsageError(
                f"{_WHERE}: the items of data set '{dataset.name}' have no column '{name}'"
                f"{did_you_mean(name, known[1:])} (columns: {', '.join(known[1:]) or 'none'}); take it out of"
                " the scenario's groups"
            )


def _written(reviews: Reviews, rows: Any) -> int:
    """Reviews with a text."""
    return sum(bool(str(reviews.get(row, "text") or "").strip()) for row in rows)


def _drawn(rows: list[int], most: int | None, seed: int) -> Int64:
    every = np.array(rows, np.int64)
    if most is None or most >= len(every):
        return every
    return np.sort(generator(seed, "summarised items").choice(every, most, replace=False))


def _shown(reviews: Reviews, rows: Any, most: int | None, item: str, seed: int) -> list[int]:
    """The reviews of one item that its brief shows, in their order."""
    written = [row for row in rows if str(reviews.get(row, "text") or "").strip()]
    if most is None or most >= len(written):
        return written
    drawn = generator(seed, "summarised reviews", item).choice(len(written), most, replace=False)
    return [written[at] for at in sorted(drawn.tolist())]


def _groups(dataset: Dataset, trained: Any, items: Int64, names: tuple[str, ...]) -> dict[str, pa.Array]:
    """Columns ``group.<name>`` of the cases."""
    table = dataset.item_table
    wanted = [*([PROVIDERS] if PROVIDERS in table.column_names else []), *names]
    found = {}
    for name in dict.fromkeys(wanted):
        where = f"{_WHERE}: the column '{name}' of the items of data set '{dataset.name}'"
        try:
            values = table.column(name).combine_chunks().cast(pa.string())
        except pa.ArrowException:
            raise UsageError(
                f"{where} holds {table.schema.field(name).type} values, which cannot name groups; choose a"
                " column of text or numbers"
            ) from None
        if (distinct := len(pc.unique(values.drop_null()))) > MOST_VALUES:
            raise UsageError(
                f"{where} has {distinct} values, and a group may have at most {MOST_VALUES}; choose a coarser"
                " column"
            )
        found[f"group.{name}"] = values.take(pa.array(items))
    counts = np.bincount(trained, minlength=len(dataset.items))
    # ties fall into one third: the share of items with fewer interactions decides
    rank = np.searchsorted(np.sort(counts), counts, side="left") / max(len(counts), 1)
    found["group.popularity"] = pa.array(POPULARITY).take(pa.array((3 * rank[items]).astype(np.int64)))
    return found
