"""Splits into what a model may learn from and what it is asked to foresee."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.data.dataset import Dataset, Interactions, Training
from genrec_eval.data.splits.base import Mask, Parts, Split
from genrec_eval.data.splits.facts import excluded, leakage
from genrec_eval.data.splits.filters import Kept, core_catalogue, prefilter
from genrec_eval.data.splits.given import given_cases
from genrec_eval.data.splits.random import random_share
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.time import global_cut, sessions
from genrec_eval.data.splits.truth import Targets, targets
from genrec_eval.data.splits.users import leave_one_out, strong_generalisation, user_ratio
from genrec_eval.protocol.arrays import distinct_of

__all__ = ["Split", "global_temporal", "split"]


def split(dataset: Dataset, spec: SplitSpec, *, min_rating: float | None = None, seed: int = 0) -> Split:
    """Filter the interactions, cut them by the method of ``spec``, and make the cases.

    Parameters
    ----------
    dataset
        Its interactions are ordered by time where they have one.
    min_rating
        Only test interactions rated at least this count as relevant; the training keeps all.
    seed
        Of whatever is drawn; also handed on to the models by way of the training.

    Raises
    ------
    UsageError
        When the data lack what the method needs, a side is empty, or no user is left to evaluate.

    Notes
    -----
    A user is excluded for the first of these reasons that holds: ``filtered`` (the filters left nothing),
    those of the method (``too-few`` interactions, ``training-user``, ...), ``no-truth`` (no test
    interaction is relevant and, unless repeats are kept, new to the user), ``cold`` (no training
    interaction), ``short-history``; users whom the method had nothing to test of are ``no-test``.
    """
    if not len(dataset.interactions) and spec.method != "given":
        raise UsageError(f"dataset '{dataset.name}' has no interactions to split")
    when = dataset.interactions.timestamp
    if when is not None and (when[1:] < when[:-1]).any():
        raise UsageError(f"the interactions of dataset '{dataset.name}' are not ordered by time")
    kept, whole = prefilter(dataset, spec), dataset
    if spec.k_core is not None:
        dataset, kept = core_catalogue(dataset, kept, spec)
    parts = _cut(dataset, kept.interactions, spec, min_rating, seed)
    parts, dropped = _trained_items_only(parts, spec)
    if not len(parts.train) and spec.method != "given":
        raise UsageError(
            f"the split {spec.method} of dataset '{dataset.name}' leaves nothing to train on;"
            " raise min_history"
        )
    found = targets(dataset.name, parts, spec, min_rating, len(dataset.items))

    n = len(dataset.users)
    trained = np.bincount(parts.train.user, minlength=n) > 0
    tested = np.bincount(parts.case, minlength=len(parts.users)) > 0
    cold = ~trained[parts.users]
    reasons = {
        "no-test": ~tested,
        "no-truth": found.truth.lengths == 0,
        "cold": cold if spec.cold_users == "exclude" else np.zeros(len(cold), bool),
    }
    if spec.least_history:
        reasons["short-history"] = parts.history.lengths < spec.least_history
    gone = {} if kept.mask is None else {"filtered": _gone(whole, kept)}
    chosen, of_user, of_case = excluded(parts.users, {**gone, **parts.left_out}, reasons, n)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        raise UsageError(_nobody(dataset.name, spec, min_rating, of_case | of_user))

    truth = found.truth.take(rows)
    cut = None if parts.cut is None else parts.cut[rows]
    facts = {
        "method": spec.method,
        **parts.facts,
        **_sizes(whole, kept, parts, dropped),
        "min_rating": min_rating,
        "cold_users": spec.cold_users,
        "min_history": spec.least_history,
        "users_evaluated": len(distinct_of(parts.users[rows])),
        "users_evaluated_cold": len(distinct_of(parts.users[rows][cold[rows]])),
        "excluded_users": of_user,
        **_several(parts, rows, of_case),
        **_targets(found, truth, spec),
        **_cold_items(parts, len(dataset.items)),
        **leakage(parts, truth, cut, rows, len(dataset.items)),
    }
    return Split(
        dataset=dataset,
        training=_training(dataset, parts, seed),
        users=parts.users[rows],
        truth=truth,
        history=parts.history.take(rows),
        held_out=parts.test,
        grades=None if found.grades is None else found.grades[np.repeat(chosen, found.truth.lengths)],
        rejected=None if found.rejected is None else found.rejected.take(rows),
        candidates=None if parts.candidates is None else parts.candidates.take(rows),
        cut=cut,
        facts=facts,
    )


def global_temporal(
    dataset: Dataset,
    *,
    fraction: float | None = None,
    time: int | None = None,
    min_rating: float | None = None,
    cold_users: Literal["include", "exclude"] = "include",
    seed: int = 0,
) -> Split:
    """Cut at one moment for all users; see :func:`split`."""
    if (fraction is None) == (time is None):
        raise UsageError("a global temporal split takes either fraction or time")
    spec = SplitSpec.model_validate({"fraction": fraction, "time": time, "cold_users": cold_users})
    return split(dataset, spec, min_rating=min_rating, seed=seed)


def _cut(dataset: Dataset, log: Interactions, spec: SplitSpec, min_rating: float | None, seed: int) -> Parts:
    name, users = dataset.name, len(dataset.users)
    match spec.method:
        case "global-temporal":
            return global_cut(name, log, spec, users)
        case "leave-one-out":
            return leave_one_out(name, log, spec, users)
        case "user-ratio":
            return user_ratio(name, log, spec, users, seed)
        case "random":
            return random_share(name, log, spec, users, seed)
        case "strong-generalisation":
            return strong_generalisation(name, log, spec, users, seed)
        case "session":
            return sessions(name, log, spec, users)
        case "given":
            return given_cases(dataset, min_rating)


def _trained_items_only(parts: Parts, spec: SplitSpec) -> tuple[Parts, dict[str, int]]:
    """Without the test interactions whose item is not in the training, if so asked."""
    dropped = dict(parts.dropped)
    if spec.items == "all":
        return parts, dropped
    most = max((int(log.item.max()) for log in (parts.train, parts.test) if len(log)), default=0)
    known = (np.bincount(parts.train.item, minlength=most + 1) > 0)[parts.test.item]
    dropped["untrained-item"] = dropped.get("untrained-item", 0) + int(np.count_nonzero(~known))
    return replace(parts, test=parts.test.where(known), case=parts.case[known]), dropped


def _training(dataset: Dataset, parts: Parts, seed: int) -> Training:
    return Training(
        dataset=dataset.name,
        users=dataset.users,
        items=dataset.items,
        interactions=parts.train,
        item_table=dataset.item_table,
        user_table=dataset.user_table,
        seed=seed,
        digest=digest({"dataset": dataset.digest, "training": _mark(parts.train)}),
        reviews=_reviews(dataset, parts),
    )


def _reviews(dataset: Dataset, parts: Parts) -> Any:
    """Reviews that go with training interactions; not of a pair that was held out as well."""
    if dataset.reviews is None:
        return None
    import pyarrow as pa

    user = dataset.users.encode(dataset.reviews["user"]).astype(np.int64)
    item = dataset.items.encode(dataset.reviews["item"])
    width = len(dataset.items)
    trained, tested = (log.user * np.int64(width) + log.item for log in (parts.train, parts.test))
    pair = np.where((user >= 0) & (item >= 0), user * width + item, -1)
    return dataset.reviews.filter(pa.array(np.isin(pair, trained) & ~np.isin(pair, tested)))


def _gone(dataset: Dataset, kept: Kept) -> Mask:
    """Users of whom the filters left nothing."""
    n = len(dataset.users)
    had, have = (np.bincount(log.user, minlength=n) > 0 for log in (dataset.interactions, kept.interactions))
    return had & ~have


def _mark(train: Interactions) -> str:
    """Of the training alone: two splits that train on the same share their trained models."""
    mark = hashlib.sha256()
    for column in (train.user, train.item, train.timestamp):
        if column is not None:
            mark.update(np.ascontiguousarray(column).data)
    return mark.hexdigest()


def _sizes(dataset: Dataset, kept: Kept, parts: Parts, dropped: dict[str, int]) -> dict[str, Any]:
    given = parts.facts.get("cases_given") is not None
    whole = len(parts.train) + len(parts.test) if given else len(dataset.interactions)
    everything = {**kept.dropped, **dropped}
    return {
        **kept.facts,
        "interactions": whole,
        "train": len(parts.train),
        "test": len(parts.test),
        **({"history_only": parts.history_only} if parts.history_only else {}),
        **({"dropped": everything} if everything else {}),
        "train_share": len(parts.train) / max(1, whole),
    }


def _several(parts: Parts, rows: Any, of_case: dict[str, int]) -> dict[str, Any]:
    if len(distinct_of(parts.users)) == len(parts.users):
        return {}
    return {"cases_evaluated": len(rows), "excluded_cases": of_case}


def _targets(found: Targets, truth: Any, spec: SplitSpec) -> dict[str, Any]:
    return {
        "truth_pairs": len(truth.values),
        "items": spec.items,
        "repeats": spec.repeats,
        f"repeats_{'dropped' if spec.repeats == 'drop' else 'kept'}": found.repeats,
        "duplicate_targets_dropped": found.duplicates,
        **({} if found.rejected is None else {"test_below_min_rating": found.below}),
    }


def _cold_items(parts: Parts, items: int) -> dict[str, Any]:
    known = np.bincount(parts.train.item, minlength=items) > 0
    tested = np.bincount(parts.test.item, minlength=items) > 0
    return {
        "cold_items": int((tested & ~known).sum()),
        "cold_item_share": float((tested & ~known).sum() / max(1, tested.sum())),
        "cold_item_interaction_share": float((~known[parts.test.item]).mean()) if len(parts.test) else 0.0,
    }


def _nobody(name: str, spec: SplitSpec, min_rating: float | None, why: dict[str, int]) -> str:
    if spec.method == "global-temporal":
        if why.get("cold"):
            return (
                f"the test side of the split of dataset '{name}' holds only users without training"
                " interactions; choose a later cut or set cold_users to include"
            )
        if not why.get("short-history"):
            rated = "" if min_rating is None else f" rated at least {min_rating:g}"
            advice = (
                "choose an earlier cut" if min_rating is None else "lower min_rating or choose an earlier cut"
            )
            return f"no user of dataset '{name}' has a new item{rated} after the cut; {advice}"
    reasons = ", ".join(f"{count} {reason}" for reason, count in why.items() if count)
    return (
        f"the split {spec.method} of dataset '{name}' leaves no user to evaluate ({reasons}); ask for less"
        " history, a lower min_rating or repeats: keep"
    )
