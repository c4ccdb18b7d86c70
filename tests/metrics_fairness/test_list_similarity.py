"""Similarities of two lists: against definitions item by item, known values, properties, recorded runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists, Variant
from genrec_eval.metrics.sensitivity.similarity import SIMILARITIES, similarity

K = 20
CAPS = {"serp_notebook": 23 / 84, "prag_k_plus_1": 19 / 42}
"""Of lists of 20; all others reach 1."""


def sim(of: str, a: list[int], b: list[int], k: int = K, rule: str = "standard") -> float:
    width = max(len(a), len(b), 1)
    first, second = (np.array(x + [-1] * (width - len(x)), np.int32) for x in (a, b))
    return float(similarity(first, second, of, k=k, rule=rule))  # type: ignore[arg-type]


def slow(of: str, a: list[int], b: list[int], k: int) -> float:
    """The definitions, item by item."""
    a, b = list(dict.fromkeys(a))[:k], list(dict.fromkeys(b))[:k]
    if not a and not b:
        return float("nan")
    if not a or not b:
        return 0.0
    n = max(len(a), len(b))
    place = {item: b.index(item) if item in b else 10**6 for item in a}
    common = [item for item in a if item in b]
    if of == "jaccard":
        return len(common) / len(set(a) | set(b))
    if of == "serp":
        return sum(n - a.index(item) for item in common) / (n * (n + 1) / 2)
    if of == "serp_notebook":
        return sum(n - a.index(item) + 1 for item in common) * 0.5 / (n * (n + 1))
    pairs = [(x, y) for i, x in enumerate(a) for y in a[i + 1 :]]
    if of == "prag_common":
        both = [(x, y) for x, y in pairs if x in common and y in common]
        return sum(place[x] < place[y] for x, y in both) / len(both) if both else 0.0
    held = sum(x in common and place[x] < place[y] for x, y in pairs)
    if of == "prag_k_plus_1":
        return held / (n * (n + 1))
    return float(a == b) if n == 1 else held / (n * (n - 1) / 2)


lists = st.lists(st.integers(0, 7).map(lambda i: i if i < 6 else -i), max_size=6)


@given(lists, lists, st.integers(1, 6))
def test_every_variant_is_its_definition(a: list[int], b: list[int], k: int) -> None:
    for of in SIMILARITIES:
        assert sim(of, a, b, k) == pytest.approx(slow(of, a, b, k), abs=1e-12, nan_ok=True)


def printed(of: str, x: list[int], y: list[int]) -> float:
    """What the public code does with repeats and unequal lengths, restated from its description."""
    if not x or not y:
        return 0.0
    n = len(x)
    if of == "serp":
        return sum(n - i for i, item in enumerate(x) if item in y[:n]) / (n * (n + 1) / 2)
    if of == "serp_notebook":
        total = sum(y.count(item) * (n - i + 1) for i, item in enumerate(x))
        return total * 0.5 / ((len(y) + 1) * len(y))
    last = {item: at for at, item in enumerate(y)}
    held = sum(x[i] in last and last[x[i]] < last.get(x[j], 10**6) for i in range(n) for j in range(i + 1, n))
    if of == "prag_k_plus_1":
        return held / (n * (n + 1))
    return float(x == y) if n == 1 else held / (n * (n - 1) / 2)


@given(lists, lists)
def test_published_rules_read_repeats_and_lengths_as_the_code_in_print_does(
    a: list[int], b: list[int]
) -> None:
    if not a and not b:
        return
    for of in ("serp", "serp_notebook", "prag", "prag_k_plus_1"):
        assert sim(of, a, b, rule="published") == pytest.approx(printed(of, a, b), abs=1e-12)


@given(lists, lists)
def test_nothing_exceeds_its_cap_and_sets_are_symmetric(a: list[int], b: list[int]) -> None:
    if not a and not b:
        return
    for of in SIMILARITIES:
        assert 0 <= sim(of, a, b) <= 1
    assert sim("jaccard", a, b) == sim("jaccard", b, a)
    assert sim("prag_common", a, b) == pytest.approx(sim("prag_common", b, a))


@given(st.permutations(range(8)), st.permutations(range(8)))
def test_serp_is_blind_to_order_of_the_other_list(a: list[int], b: list[int]) -> None:
    assert sim("serp", a, b) == pytest.approx(1)
    assert sim("prag", a, b) == pytest.approx(sim("prag", b, a))  # all common: pairs in the same order


@given(st.permutations(range(100, 105)))
def test_items_that_are_not_common_may_be_any(others: list[int]) -> None:
    a, b = [1, 100, 2, 101, 3], [2, 200, 1, 3, 201]
    renamed = [others[item - 100] if item >= 100 else item for item in a]
    for of in SIMILARITIES:
        assert sim(of, a, b) == sim(of, renamed, b)


def test_identical_and_reversed_lists_of_twenty() -> None:
    up = list(range(20))
    for of in SIMILARITIES:
        for rule in ("standard", "published"):
            assert sim(of, up, up, rule=rule) == pytest.approx(CAPS.get(of, 1.0), abs=1e-12)
    assert sim("serp_notebook", up, up) == pytest.approx(0.27380952, abs=1e-8)
    assert sim("serp", up, up[::-1]) == 1
    assert sim("prag", up, up[::-1]) == 0
    assert sim("jaccard", up, list(range(20, 40))) == 0


def test_repeats_lift_no_value_but_where_the_code_in_print_lets_them() -> None:
    again = [1] * 10
    assert sim("serp_notebook", again, again) <= CAPS["serp_notebook"] * 2  # one item: K = 1, at most 1/2
    assert sim("serp_notebook", again, again, rule="published") > 1
    assert sim("jaccard", [1, 1, 2], [1, 2]) == 1
    assert sim("prag", [1, 1, 2], [1, 2, 2]) == 1


def test_a_short_or_empty_list_is_no_likeness() -> None:
    whole = list(range(20))
    assert sim("serp", whole[:10], whole) == pytest.approx(155 / 210)  # ranks lost at the end
    assert sim("jaccard", whole[:10], whole) == 0.5
    assert sim("serp", whole[:10], whole[:10]) == 1
    assert sim("jaccard", [], whole) == 0
    assert np.isnan(sim("jaccard", [], []))
    assert sim("jaccard", [-5, 1], [-5, 2]) == pytest.approx(1 / 3)  # an unknown title is an item


def arms(runs: list[tuple[list[str], dict[str, list[str]]]], attribute: str) -> ArmLists:
    """One repeat of n units, from (neutral list, value → list) with titles."""
    titles: dict[str, int] = {}
    values = list(runs[0][1])
    width = max(len(one) for neutral, told in runs for one in (neutral, *told.values()))
    items = np.full((1, len(runs), 1 + len(values), width), -1, np.int32)
    for unit, (neutral, told) in enumerate(runs):
        for column, one in enumerate([neutral, *(told[value] for value in values)]):
            items[0, unit, column, : len(one)] = [titles.setdefault(t, len(titles)) for t in one]
    answered = items[..., 0] != -1
    return ArmLists(
        items=items,
        answered=answered,
        asked=np.ones(answered.shape[1:], bool),
        variants=(
            Variant(arm="neutral"),
            *(Variant(arm="sensitive", attribute=attribute, value=value) for value in values),
        ),
        own={},
    )


def test_langfair_golden_values(real_data: Path) -> None:
    folder = real_data / "fairness" / "langfair"
    if not folder.is_dir():
        pytest.skip("no recorded values of LangFair here")
    told = json.loads((folder / "recommendation_dict_file.csv").read_text())
    golden = json.loads((folder / "recommendation_results_against_neutral.json").read_text())
    runs = [
        (neutral, {"male": told["male_dict"][name], "female": told["female_dict"][name]})
        for name, neutral in told["neutral_dict"].items()
    ]
    given_lists = arms(runs, "gender")
    for name, of in (("Jaccard", "jaccard"), ("SERP", "serp_notebook"), ("PRAG", "prag_k_plus_1")):
        inside = f"attribute=gender,of={of}"
        means = [
            metric(f"neutral_similarity({inside},value={v})@20")(given_lists).values.mean()
            for v in ("male", "female")
        ]
        assert (max(means), min(means)) == pytest.approx(
            (golden[name]["max"], golden[name]["min"]), abs=1e-12
        )
        for ours in ("snsr", "snsv"):
            bound = metric(f"{ours}({inside})@20")
            sums = bound(given_lists).sums
            assert bound.definition.combine is not None
            assert sums is not None
            value = float(bound.definition.combine(sums.sum(axis=0), bound.parameters))
            assert value == pytest.approx(golden[name][ours.upper()], abs=1e-12)
    pairwise = json.loads((folder / "recommendation_results_pairwise.json").read_text())
    codes: dict[str, int] = {}
    both = [
        np.array([[codes.setdefault(t, len(codes)) for t in one] for one in told[f"{v}_rec_lists"]], np.int32)
        for v in ("male", "female")
    ]
    for name, of in (("Jaccard", "jaccard"), ("SERP", "serp_notebook"), ("PRAG", "prag_k_plus_1")):
        assert similarity(*both, of, k=20).mean() == pytest.approx(pairwise[name], abs=1e-12)


SERP_OF = {"llama3.2_3b_movie_": "serp_notebook", "gemma3_12b_movie_": "serp_notebook"}
"""Two files still hold figures made before their authors changed the formula to the paper's."""


def test_recorded_runs_of_three_models_give_their_stored_means(real_data: Path) -> None:
    folder = real_data / "fairness" / "openllm-rank"
    if not folder.is_dir():
        pytest.skip("no recorded lists of open models here")
    cells = 0
    for stored in sorted((folder / "metric_results").glob("*.json")):
        means = json.loads(stored.read_text())
        seeds = [
            json.loads((folder / "raw_text_results" / f"{stored.stem}_{seed}.json").read_text())
            for seed in range(5)
        ]
        runs = []
        for seed in seeds:
            # a value that two attributes share ("an American") is stored as the later one has it
            told = {
                v: x["recommended_list"] for a, vs in seed.items() if a != "neutral" for v, x in vs.items()
            }
            runs.append((seed["neutral"]["recommended_list"], told))
        given_lists = arms(runs, "any")
        names = {
            "IOU Divergence": "jaccard",
            "SERP MS Divergence": SERP_OF.get(stored.stem, "serp"),
            "Pragmatic Divergence": "prag",
        }
        for value in runs[0][1]:
            for name, of in names.items():
                bound = metric(
                    f"neutral_similarity(attribute=any,value={value},of={of},rule=published,weighted=neutral)@20"
                )
                found = bound(given_lists)
                assert int(found.scored.sum()) == means[value][name]["num_values"]
                ours = 1 - found.values[found.scored].mean()
                assert abs(ours - means[value][name]["mean"]) < 1e-9, (stored.stem, value, name)
                cells += 1
    assert cells == 780
