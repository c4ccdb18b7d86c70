"""Presets: other libraries' numbers on the same lists, and what they refuse.

The numbers were computed once by the libraries themselves (versions in the preset), all at k = 3, on the
four users below. On random, short, empty and repeated lists every preset agreed with its library to 1e-15 (to
1e-7 with torchmetrics, which counts in single precision).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ranked import User, arrays

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.presets import PRESETS
from genrec_eval.metrics.registry import METRICS, metric

USERS: list[tuple[list[int], dict[int, float], list[int]]] = [
    ([3, 10, 12, 1, 5], {3: 4, 1: 1, 2: 2}, [10]),
    ([10, 3, 5], {1: 3, 4: 1, 5: 2, 6: 1, 7: 1, 8: 2}, [3, 9]),
    ([4, 10, 7, 13, 1, 3, 5, 2, 11, 14], {2: 1, 5: 2, 6: 4, 8: 1}, [4, 13]),
    ([], {2: 1}, []),
]

NUMBERS = {
    "trec": {  # pytrec_eval-terrier 0.5.11
        "precision@3": 0.222222,
        "r_precision": 0.166667,
        "bpref": 0.138889,
        "map@3": 0.12963,
        "ndcg@3": 0.294756,
        "recall@3": 0.166667,
        "hit_rate@3": 0.666667,
    },
    "lenskit": {  # LensKit 2025.8.1
        "hit_rate@3": 0.5,
        "map@3": 0.111111,
        "mrr@3": 0.333333,
        "ndcg@3": 0.154977,
        "precision@3": 0.166667,
        "recall@3": 0.166667,
    },
    "recommenders": {  # recommenders 1.2.1
        "map@3": 0.12963,
        "precision@3": 0.222222,
        "recall@3": 0.166667,
        "ndcg@3": 0.17598,
    },
    "rectools": {  # RecTools 0.19.0
        "f1@3": 0.138889,
        "hit_rate@3": 0.5,
        "map@3": 0.097222,
        "mrr@3": 0.333333,
        "ndcg@3": 0.17598,
        "precision@3": 0.166667,
        "r_precision@3": 0.166667,
        "recall@3": 0.125,
    },
}


def lists_of(users: list[tuple[list[int], dict[int, float], list[int]]]) -> RankedLists:
    plain = arrays([User(listed, list(truth), rejected=rejected) for listed, truth, rejected in users], 15)
    return replace(
        plain, grades=np.array([grade for _, truth, _ in users for grade in truth.values()], float)
    )


def mean(spelling: str, lists: RankedLists, preset: str | None = None) -> float:
    scores = metric(spelling, preset=preset)(lists)
    return float(scores.values[scores.scored].mean())


@pytest.mark.parametrize("preset", NUMBERS)
def test_the_library_s_number(preset: str) -> None:
    lists = lists_of(USERS)
    for spelling, want in NUMBERS[preset].items():
        assert mean(spelling, lists, preset) == pytest.approx(want, abs=1e-6), spelling


def test_torchmetrics_over_the_whole_catalogue() -> None:
    """torchmetrics 1.9.0 on scores of all 15 items, empty_target_action="neg"; NDCG on tied scores."""
    whole = [(listed + [i for i in range(15) if i not in listed], t, r) for listed, t, r in USERS[:3]]
    lists = lists_of(whole)
    want = {
        "hit_rate@3": 0.666667,
        "map@3": 0.444444,
        "mrr@3": 0.444444,
        "precision@3": 0.222222,
        "r_precision": 0.222222,
        "recall@3": 0.166667,
    }
    for spelling, value in want.items():
        assert mean(spelling, lists, "torchmetrics") == pytest.approx(value, abs=1e-6), spelling
    scores = np.tile([0.9, 0.9, 0.5, 0.5, 0.5, *(0.4 - 0.01 * np.arange(10))], (3, 1))
    assert mean("ndcg@3", replace(lists, scores=scores), "torchmetrics") == pytest.approx(0.251137, abs=1e-6)


def test_recbole_takes_min_and_binary_gain() -> None:
    """RecBole itself is compared by its own fixture in test_metric_values; its names mean our defaults."""
    assert {name: metric(f"{name}@5", preset="recbole").id for name in ("map", "recall", "ndcg")} == {
        "map": "map@5",
        "recall": "recall@5",
        "ndcg": "ndcg(gain=binary)@5",
    }


def test_one_name_five_values() -> None:
    """Hits at ranks 2 and 4 of 5, eight relevant items."""
    lists = arrays([User([10, 0, 11, 1, 12], list(range(8)))])
    found = {preset: mean("map@5", lists, preset) for preset in PRESETS}
    assert found == pytest.approx(
        {
            "trec": 0.125,
            "lenskit": 0.2,
            "recbole": 0.2,
            "recommenders": 0.125,
            "rectools": 0.125,
            "torchmetrics": 0.5,
        }
    )
    assert mean("recall@5", lists, "lenskit") == pytest.approx(0.4)
    assert mean("precision@10", lists, "lenskit") == pytest.approx(0.4)


def test_a_preset_may_stand_in_the_spelling() -> None:
    named = metric("map(preset=trec, view=filtered)@7")
    assert named.id == "map(denominator=relevant,no_list=exclude,view=filtered)@7"
    assert metric("r_precision(preset=rectools)@7").id == "recall(denominator=min)@7"
    assert metric("map(preset=trec)@7", preset="recbole").id == metric("map@7", preset="trec").id


@pytest.mark.parametrize("name", PRESETS)
def test_every_entry_of_a_preset_is_a_metric(name: str) -> None:
    found = PRESETS[name]
    assert set(found.metrics) | set(found.refused) <= set(METRICS.names())
    assert not set(found.metrics) & set(found.refused)
    assert found.notes
    for plain in found.metrics:
        family = METRICS.get(found.metrics[plain].partition("(")[0]).definition
        cutoff = "@5" if family.needs_cutoff else ""
        assert metric(f"{plain}{cutoff}", preset=name).definition_id


@pytest.mark.parametrize(
    ("spelling", "preset", "sentence"),
    [
        ("auc", "recbole", "preset 'recbole' cannot give 'auc': RecBole's AUC pools"),
        ("r_precision", "recommenders", "averages only over users who have a hit"),
        ("coverage@5", "trec", "preset 'trec' does not define 'coverage' (it defines: recall,"),
        ("map@5", "trek", "unknown preset 'trek'; did you mean 'trec'?"),
        ("map(denominator=k)@5", "trec", "which denominator=k contradicts; leave out one of the two"),
        ("map(prest=trec)@5", None, "metric 'map' has no parameter 'prest'"),
        ("map(preset=trec,preset=trec)@5", None, "gives preset twice"),
        ("map(preset=)@5", None, "unknown preset ''"),
        ("map@", "trec", "is not of the form"),
    ],
)
def test_what_a_preset_refuses(spelling: str, preset: str | None, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric(spelling, preset=preset)
    assert sentence in str(caught.value)
