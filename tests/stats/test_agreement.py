"""Agreement statistics against other implementations, textbook examples and their own symmetries."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.stats.agreement import agreement, classification, tie_agreement
from genrec_eval.stats.kappa import cohen_kappa, fleiss_kappa
from genrec_eval.stats.krippendorff import krippendorff_alpha
from genrec_eval.stats.sums import mean_of, of_sums, share_of

# three raters of 30 items, one label in four missing in the second table; the expected values below are those
# of scikit-learn 1.9.1, statsmodels 0.15.0 and krippendorff 0.9.0 on these rows
RATED = [
    (4, 5, 5), (4, 4, 3), (4, 4, 5), (4, 5, 5), (4, 3, 3), (3, 5, 4), (4, 5, 5), (1, 1, 2),
    (2, 1, 1), (3, 2, 1), (3, 2, 2), (4, 4, 5), (5, 4, 4), (1, 1, 1), (3, 4, 4), (4, 4, 5),
    (1, 1, 2), (5, 5, 3), (1, 2, 2), (2, 2, 2), (5, 4, 5), (1, 3, 3), (3, 1, 1), (3, 1, 2),
    (3, 4, 5), (2, 3, 2), (5, 4, 4), (4, 3, 3), (4, 3, 3), (3, 2, 4),
]  # fmt: skip
GAPS = [
    (None, 5, 5), (4, 4, None), (None, 4, None), (4, 5, 5), (4, 3, 3), (3, 5, 4), (4, 5, 5), (1, 1, 2),
    (2, 1, None), (3, 2, 1), (3, 2, 2), (4, 4, 5), (5, 4, None), (None, None, 1), (3, None, 4), (4, 4, 5),
]  # fmt: skip
# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units
BOOK = [
    (1, 1, None, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4), (4, 4, 4, 4),
    (1, 1, 2, 1), (2, 2, 2, 2), (None, 5, 5, 5), (None, None, 1, 1), (None, None, 3, None),
]  # fmt: skip
# Fleiss 1971 by way of the usual worked example: 10 subjects, 14 raters, 5 categories; kappa 0.210
FLEISS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip
PEER = {
    "ck": 0.1063829787234043,
    "lin": 0.4411326378539493,
    "quad": 0.6896551724137931,
    "fleiss": 0.1453922789539228,
    "alpha": {"nominal": 0.10687022900763354, "ordinal": 0.7017199017199017, "interval": 0.7538461538461538},
    "acc": 0.3,
    "prf": [0.26888888888888884, 0.3166666666666667, 0.287745879851143],
}
LABEL = st.sampled_from("abc")
PAIRS = st.lists(st.tuples(LABEL, LABEL), min_size=2, max_size=30)


def columns(rows: list[tuple]) -> list[list]:
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("weights", ["nominal", "linear", "quadratic"])
def test_cohen_kappa_is_scikit_learns(weights: str) -> None:
    first, second, _ = columns(RATED)
    found = cohen_kappa(first, second, weights=weights, order=[1, 2, 3, 4, 5], seed=None).value
    expected = {"nominal": PEER["ck"], "linear": PEER["lin"], "quadratic": PEER["quad"]}
    assert found == pytest.approx(expected[weights], abs=1e-12)


def test_weights_are_of_the_values_whatever_else_occurs() -> None:
    one, other = [1, 2, 5, 5, 2, 1, 5, 2], [1, 5, 5, 2, 2, 2, 5, 1]
    for weights in ("linear", "quadratic"):
        by_value = cohen_kappa(one, other, weights=weights, seed=None).value
        assert by_value == cohen_kappa(one, other, weights=weights, order=[1, 2, 3, 4, 5], seed=None).value
        power = 1 if weights == "linear" else 2
        seen = np.mean([abs(a - b) ** power for a, b in zip(one, other, strict=True)])
        chance = np.mean([abs(a - b) ** power for a in one for b in other])
        assert by_value == pytest.approx(1 - seen / chance, abs=1e-12)
        names = cohen_kappa([str(a) for a in one], [str(b) for b in other], weights=weights, seed=None).value
        assert names != pytest.approx(by_value, abs=1e-3)


def test_fractions_are_as_near_as_their_values() -> None:
    rng = np.random.default_rng(3)
    people = rng.integers(1, 6, 3_000).astype(float)
    judge = np.clip(people + rng.normal(0, 0.01, 3_000), 1, 5)  # expected scores: no two are the same
    found = cohen_kappa(judge, people, weights="quadratic", seed=1)
    assert found.value > 0.999
    assert found.low is not None


def test_fleiss_kappa_of_the_worked_example() -> None:
    rows = [[c for c, count in enumerate(row) for _ in range(count)] for row in FLEISS]
    assert fleiss_kappa(rows, seed=None).value == pytest.approx(0.2099307, abs=1e-7)
    assert fleiss_kappa(RATED, seed=None).value == pytest.approx(PEER["fleiss"], abs=1e-12)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_alpha_of_the_textbook_and_of_gaps(scale: str) -> None:
    book = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849}
    assert krippendorff_alpha(BOOK, scale=scale, seed=None).value == pytest.approx(book[scale], abs=5e-4)
    found = krippendorff_alpha(GAPS, scale=scale, seed=None).value
    assert found == pytest.approx(PEER["alpha"][scale], abs=1e-12)


def test_alpha_needs_no_full_rows_and_counts_pairable_items() -> None:
    assert krippendorff_alpha(BOOK, seed=None).n == 11
    assert krippendorff_alpha([[1], [2, None]], seed=1).reason == "no item has two labels"


def test_interval_alpha_of_as_many_values_as_labels() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 1, 20_000)
    rows = np.stack([truth + rng.normal(0, 0.5, 20_000) for _ in range(2)], axis=1)
    found = krippendorff_alpha(rows, scale="interval", seed=1)
    assert found.value == pytest.approx(1 / 1.25, abs=0.01)
    assert found.low is not None


def test_ordinal_alpha_does_not_depend_on_the_distance_of_values() -> None:
    stretched = [[None if v is None else v**3 for v in row] for row in BOOK]
    found = [krippendorff_alpha(rows, scale="ordinal", seed=None).value for rows in (BOOK, stretched)]
    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_macro_scores_are_scikit_learns() -> None:
    first, second, _ = columns(RATED)
    found = classification(first, second, seed=None)
    got = [one.value for one in (found.accuracy, found.precision, found.recall, found.f1)]
    assert got == pytest.approx([PEER["acc"], *PEER["prf"]], abs=1e-12)


def test_a_label_outside_the_classes_is_wrong_but_no_class() -> None:
    found = classification(["a", "b", "a"], ["a", "b", "?"], classes=["a", "b"], seed=None)
    assert found.accuracy.value == pytest.approx(2 / 3)
    assert found.recall.value == pytest.approx(0.75)
    assert [one.label for one in found.classes] == ["a", "b"]


def test_a_class_never_said_has_no_precision_and_counts_as_zero() -> None:
    found = classification(["a", "b"], ["a", "a"], seed=None)
    assert found.classes[1].precision is None
    assert found.precision.value == pytest.approx(0.25)


def test_with_and_without_ties_say_their_n() -> None:
    found = tie_agreement(["first", "tie", "second", "tie"], ["first", "tie", "first", "first"], seed=None)
    assert (found.with_ties.value, found.with_ties.n) == (0.5, 4)
    assert (found.without_ties.value, found.without_ties.n) == (0.5, 2)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: cohen_kappa(["a"] * 9, ["a"] * 9, seed=1), "all labels are of one category"),
        (lambda: cohen_kappa(["a", None], [None, "a"], seed=1), "no item is labelled by both"),
        (lambda: cohen_kappa([], [], seed=1), "no item is labelled by both"),
        (lambda: fleiss_kappa([["a"], ["b"]], seed=1), "there is only one rater"),
        (lambda: fleiss_kappa([["a", "b"], ["b"]], seed=1), "items have 1 to 2 labels"),
        (lambda: fleiss_kappa([["a", "a"]] * 9, seed=1), "all labels are of one category"),
        (lambda: fleiss_kappa([], seed=1), "there are no labels"),
        (
            lambda: krippendorff_alpha([[2, 2], [2, 2]], scale="interval", seed=1),
            "all labels that can be paired",
        ),
        (lambda: krippendorff_alpha([], seed=1), "no item has two labels"),
        (lambda: agreement([None], ["a"], seed=1), "no item is labelled by both"),
        (lambda: tie_agreement(["tie"], ["tie"], seed=1).without_ties, "no item is labelled by both"),
    ],
)
def test_what_is_undefined_has_a_reason_and_no_nan(call, reason: str) -> None:
    found = call()
    assert found.value is None
    assert found.reason.startswith(reason)
    json.dumps(asdict(found), allow_nan=False)


def test_labels_of_several_kinds_and_unknown_categories_are_refused() -> None:
    with pytest.raises(ValueError, match="all texts or all numbers"):
        cohen_kappa(["a", 1], ["a", "b"], seed=None)
    with pytest.raises(ValueError, match="is none of the categories"):
        cohen_kappa([1, 2], [1, 6], weights="linear", order=[1, 2], seed=None)
    with pytest.raises(ValueError, match="2 labels of one rater beside 1"):
        cohen_kappa([1, 2], [1], seed=None)


@given(PAIRS, st.permutations("abc"), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_kappa_and_alpha_know_neither_names_nor_orders(pairs, names, random) -> None:
    renamed = dict(zip("abc", names, strict=True))
    shuffled = random.sample(pairs, len(pairs))
    first, second = columns(pairs)
    for call in (
        lambda rows: cohen_kappa(*columns(rows), seed=None).value,
        lambda rows: fleiss_kappa(rows, seed=None).value,
        lambda rows: krippendorff_alpha(rows, seed=None).value,
    ):
        value = call(pairs)
        for other in ([(renamed[a], renamed[b]) for a, b in pairs], [(b, a) for a, b in pairs], shuffled):
            assert call(other) == (None if value is None else pytest.approx(value, abs=1e-9))
    joint = cohen_kappa(first, second, seed=None).value
    if joint is not None:
        observed = np.mean([a == b for a, b in pairs])
        chance = sum(first.count(c) * second.count(c) for c in "abc") / len(pairs) ** 2
        assert joint == pytest.approx((observed - chance) / (1 - chance), abs=1e-9)


@given(PAIRS)
@settings(max_examples=30)
def test_intervals_hold_their_value_and_are_repeatable(pairs) -> None:
    found = cohen_kappa(*columns(pairs), seed=3)
    assert found == cohen_kappa(*columns(pairs), seed=3)
    if found.low is not None:
        assert -1 <= found.low <= found.value + 1e-9
        assert found.value - 1e-9 <= found.high <= 1
    else:
        assert found.reason


def test_full_agreement_has_an_interval_that_is_no_point() -> None:
    found = cohen_kappa(["a", "b"] * 50, ["a", "b"] * 50, seed=1)
    # 0.975 confidence: disagreements have at most probability 1 - 0.025**(1/100); half is expected by chance
    assert (found.value, found.high, found.method) == (1.0, 1.0, "constant")
    assert found.low == pytest.approx(1 - (1 - 0.025 ** (1 / 100)) / 0.5)
    for scale in ("nominal", "ordinal", "interval"):
        alpha = krippendorff_alpha([[1, 1], [2, 2]] * 50, scale=scale, seed=1)
        assert 0.8 < alpha.low < alpha.value == 1.0


def test_repeated_rows_of_a_unit_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(5)
    first = rng.integers(0, 2, 60)
    second = np.where(rng.random(60) < 0.7, first, 1 - first)
    once = cohen_kappa(first, second, seed=1)
    ids = np.arange(60)
    thrice = cohen_kappa(np.tile(first, 3), np.tile(second, 3), units=np.tile(ids, 3), seed=1)
    assert thrice.value == pytest.approx(once.value)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=1e-9)
    assert (thrice.n, thrice.units) == (180, 60)


def test_too_many_resamples_without_a_value_end_the_interval() -> None:
    rare = cohen_kappa(["a"] * 28 + ["b", "a"], ["a"] * 28 + ["b", "b"], seed=1)
    assert rare.low is None
    # those without either of the last two items: (28 / 30)**30 = 12.6 %
    share, _, rest = rare.reason.partition("%")
    assert float(share) == pytest.approx(12.6, abs=1.2)
    assert rest == " of the resamples of these units define no value"


def test_units_that_all_disagree_in_one_way_leave_no_telling() -> None:
    """What is known of full agreement, how far a disagreement would move it, holds for nothing else."""
    found = krippendorff_alpha([["a", "b"]] * 40, seed=1)
    assert found.value < 0
    assert (found.low, found.reason) == (None, "no unit of these changes the value")


def test_kappa_covers_its_truth() -> None:
    rng = np.random.default_rng(11)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.choice(3, n, p=[0.45, 0.45, 0.1])
        return tuple(
            np.where(rng.random(n) < 0.6, truth, rng.choice(3, n, p=[0.45, 0.45, 0.1])) for _ in "ab"
        )

    truth = cohen_kappa(*draw(300_000), seed=None).value
    found = [cohen_kappa(*draw(40), seed=1) for _ in range(120)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert covered >= 0.9


def test_a_ratio_of_sums_and_a_share_agree_with_their_closed_forms() -> None:
    hits = np.repeat([True, False], [30, 10])
    assert share_of(hits, seed=1).method == "wilson"
    columns_ = np.stack([hits.astype(float), np.ones(40)], axis=1)
    ratio = of_sums(columns_, lambda sums: sums[:, 0] / sums[:, 1], seed=1)
    assert ratio.value == 0.75
    assert ratio.high - ratio.low == pytest.approx(2 * 2.02 * np.sqrt(0.75 * 0.25 / 40), abs=0.03)
    uneven = mean_of([1.0, 1.0, 0.0], units=["a", "a", "b"], seed=1)
    assert (uneven.value, uneven.n, uneven.units) == (pytest.approx(2 / 3), 3, 2)
