"""The case table of scenarios that have texts written about items and users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.arrays import Int64
from genrec_eval.protocol.brief import Brief, ItemFacts
from genrec_eval.scenarios.arms.own import own_values
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.cases import case_ids
from genrec_eval.scenarios.ranking.groups import groups_of
from genrec_eval.scenarios.ranking.rows import sampled_users
from genrec_eval.scenarios.writing.asking import disclosing, steps_of, told_of
from genrec_eval.scenarios.writing.briefs import Ratings, Reviews, item_facts, seen

if TYPE_CHECKING:
    from genrec_eval.scenarios.arms.attributes import Attribute
    from genrec_eval.scenarios.explanation import ExplanationOptions

MOST_ASPECTS = 50
"""Aspects that a brief lists; where reviews name more, it lists none, for no writer would read them."""


def explanation_cases(dataset: Dataset, options: ExplanationOptions, seed: int) -> Prepared:
    """Pairs of a user and an item that the user had in the test part.

    Raises
    ------
    UsageError
        When the catalogue has no titles, or a group or disclosed attribute is not in the data.
    """
    from genrec_eval.data.quality.leakage import audit

    split = options.split.apply(dataset, options.min_rating, seed)
    dataset = split.dataset
    if "title" not in dataset.item_table.column_names:
        raise UsageError(
            f"scenario 'explanation': the items of data set '{dataset.name}' have no column 'title',"
            " without which no text can speak of them"
        )
    disclosed = _disclosed(dataset, options.disclose)
    _refuse_unwritable(options.attributes)
    train = split.training.interactions
    findings = audit(split, np.bincount(train.item, minlength=len(dataset.items)))
    counts: dict[str, Any] = {**split.facts, "leakage": [finding.to_json() for finding in findings]}

    entries = np.arange(len(split.users))
    rows = sampled_users(split.users, options.max_users, seed)
    if rows is not None:
        counts["users_sampled_from"] = len(np.unique(split.users))
        entries = rows
    case, place = _drawn(split.truth.offsets, entries, options.cases_per_user, dataset, split.users, seed)
    users = split.users[case]
    facts = item_facts(dataset.item_table)
    ratings = Ratings(split.training, np.unique(users))
    reviews, written = Reviews.of(split.training.reviews), Reviews.of(dataset.reviews)
    known = split.training.users.strings
    aspects = reviews.vocabulary if len(reviews.vocabulary) <= MOST_ASPECTS else ()
    briefs, references, features = [], [], []
    for entry, at in zip(case.tolist(), place.tolist(), strict=True):
        code, item = int(split.users[entry]), int(split.truth.values[at])
        user = known[code]
        history = split.history[entry].tolist()[-options.history :] if options.history else []
        others = [row for row in reviews.by_item.get(facts[item].id, ()) if reviews.get(row, "user") != user]
        briefs.append(
            Brief(
                task="explain",
                user=user,
                item=facts[item],
                history=seen((code, user), history, facts, ratings, reviews),
                reviews=tuple(reviews.facts(row) for row in others[: options.reviews]),
                profile={name: values[code] for name, values in disclosed.items() if values[code]},
                aspects=aspects,
            )
        )
        row = written.rows.get((user, facts[item].id))
        said = None if row is None else written.get(row, "explanation") or written.get(row, "text")
        references.append(said or None)
        features.append(None if row is None else (written.get(row, "feature") or None))
    ids = dataset.users.ids.take(pa.array(users))
    lengths = split.history.lengths[case]
    grades = None if split.grades is None else split.grades[place]
    columns: dict[str, Any] = {
        "case": case_ids(ids, users),
        "unit": ids,
        "arm": pa.DictionaryArray.from_arrays(np.zeros(len(case), np.int32), pa.array(["neutral"])),
        **groups_of("explanation", dataset, users, lengths, options.groups),
        "item": dataset.items.ids.take(pa.array(split.truth.values[place])),
        "brief": pa.array([brief.to_json() for brief in briefs], pa.string()),
        "reference": pa.array(references, pa.string()),
        "feature": pa.array(features, pa.string()),
        "rating": pa.nulls(len(case), pa.float64()) if grades is None else pa.array(grades, pa.float64()),
    }
    told: dict[str, str] = {}
    for name, attribute in options.attributes.items():
        codes, told[name] = own_values("explanation", dataset, users, name, attribute)
        values = pa.array(attribute.values, pa.string())
        columns[f"own.{name}"] = values.take(pa.array(codes, mask=codes < 0))
    counts |= {
        "cases": len(case),
        "history_shown": options.history,
        "disclosed": list(options.disclose),
        "references": sum(reference is not None for reference in references),
        "variants": list(options.variants),
    }
    if options.attributes:
        values_told = {name: list(attribute.values) for name, attribute in options.attributes.items()}
        counts |= {"disclosed_values": values_told, "own_values": told}
        counts["texts_per_case"] = 1 + len(steps_of(options.variants, told_of(options.attributes)))
    return Prepared(
        cases=pa.table(columns),
        context={"items": items_context(facts), "vocabulary": vocabulary_of(written, facts)},
        training=split.training,
        future=split.held_out,
        facts=counts,
    )


def items_context(facts: list[ItemFacts]) -> pa.Table:
    """The context table ``items``: id, title as shown, and the facts as strict JSON."""
    texts = [json.dumps(asdict(one), ensure_ascii=False, sort_keys=True, allow_nan=False) for one in facts]
    titles = [one.title if one.year is None else f"{one.title} ({one.year})" for one in facts]
    return pa.table({"item": [one.id for one in facts], "title": titles, "facts": texts})


def vocabulary_of(reviews: Reviews, facts: list[ItemFacts]) -> pa.Table:
    """The context table ``vocabulary``: features that texts are searched for.

    What reviews judge by; where there are no reviews, the genres of the catalogue.
    """
    words = reviews.vocabulary or tuple(sorted({genre for one in facts for genre in one.genres}))
    return pa.table({"feature": pa.array(words, pa.string())})


def _disclosed(dataset: Dataset, names: tuple[str, ...]) -> dict[str, list[str]]:
    known = dataset.user_table.column_names[1:]
    found = {}
    for name in names:
        if name not in known:
            raise UsageError(
                f"scenario 'explanation': the users of data set '{dataset.name}' have no column '{name}'"
                f"{did_you_mean(name, known)} (columns: {', '.join(known) or 'none'});"
                " take it out of 'disclose'"
            )
        values = dataset.user_table.column(name).to_pylist()
        found[name] = ["" if value is None else str(value) for value in values]
    return found


def _refuse_unwritable(attributes: Mapping[str, Attribute]) -> None:
    """Whether a brief can carry what is to be disclosed, so that who reads it back gets the same."""
    for name, value in told_of(attributes):
        brief = disclosing(Brief(task="explain", user="u", item=ItemFacts(id="i", title="t")), name, value)
        if Brief.read(brief.text()) != brief:
            raise UsageError(
                f"scenario 'explanation': attribute '{name}': no brief can carry the value {value!r}; write"
                " it in other words"
            )


def _drawn(
    offsets: Int64, entries: Int64, most: int, dataset: Dataset, users: Any, seed: int
) -> tuple[Int64, Int64]:
    """Case of the split and place in its truth, at most ``most`` per user, drawn by user from the seed."""
    left: dict[int, int] = {}
    case: list[int] = []
    places: list[int] = []
    for entry in entries.tolist():
        start, end = int(offsets[entry]), int(offsets[entry + 1])
        user = int(users[entry])
        count = min(most - left.get(user, 0), end - start)
        if count <= 0:
            continue
        left[user] = left.get(user, 0) + count
        random = generator(seed, "explained items", dataset.users.ids[user].as_py(), entry)
        drawn = np.sort(random.choice(end - start, count, replace=False)) + start
        case += [entry] * count
        places += drawn.tolist()
    return np.array(case, np.int64), np.array(places, np.int64)
