"""Digits by the interval, percent for shares, and a reason where there is no number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.numbers import MINUS, bound, count, decimals, exact, figure, fixed, money, seconds

numbers = st.floats(-1e6, 1e6, allow_nan=False)
halves = st.floats(1e-5, 1e5)


def _parse(text: str) -> float:
    return float(text.replace(",", "").replace(MINUS, "-"))


@given(numbers, halves)
def test_rounding_costs_at_most_a_seventh_of_the_half_width(value: float, half: float) -> None:
    shown = figure(value, value - half, value + half)
    assert abs(_parse(shown.value) - value) <= 0.145 * half + 0.51e-6
    assert abs(_parse(shown.low) - (value - half)) <= 0.145 * half + 0.51e-6


@given(numbers, halves)
def test_no_more_digits_than_the_interval_justifies(value: float, half: float) -> None:
    places = decimals(half)
    if places:
        # One decimal more than the leading digit of the half-width at most, and that only for a low lead.
        assert 10.0**-places * 1.001 >= half / 36 * 1.0
        assert half / 10.0**-places < 36


@given(numbers, halves, halves)
def test_the_order_of_the_ends_survives_rounding(value: float, below: float, above: float) -> None:
    shown = figure(value, value - below, value + above)
    assert _parse(shown.low) <= _parse(shown.value) <= _parse(shown.high)


@given(
    st.floats(-2, 2), st.floats(0.001, 1), st.floats(0.001, 1), st.sampled_from([0.0, 0.01, 0.05, 0.1, -0.1])
)
def test_what_is_written_lies_on_the_side_of_the_margin_on_which_it_is(
    value: float, below: float, above: float, margin: float
) -> None:
    low, high = value - below, value + above
    shown = figure(value, low, high, apart=(margin,))
    ends = [_parse(shown.low), _parse(shown.high)]
    if shown.spread.startswith("±"):
        half = _parse(shown.spread.removeprefix("± "))
        ends += [_parse(shown.value) - half, _parse(shown.value) + half]
    for end, limit in zip(ends, (low, high, low, high), strict=False):
        if abs(limit - margin) > 1e-5:
            assert round(end - margin, 9) * (limit - margin) > 0


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text"),
    [
        (0.31234, 0.30134, 0.32334, "", "0.312 ± 0.011"),
        (0.31234, 0.30134, 0.32334, "share", "31.2 ± 1.1 %"),
        (0.0, 0.0, 0.0019, "share", "0.00 % (0.00 to 0.19)"),
        (-0.0005, -0.0105, 0.0095, "", f"{MINUS}0.001 ± 0.010"),
        (1234.5, 1200.0, 1269.0, "", "1,234 ± 34"),
        (-0.2, -0.6, -0.1, "", f"{MINUS}0.20 ({MINUS}0.60 to {MINUS}0.10)"),
        (1.0, 1.0, 1.0, "share", "100 % (exact)"),
    ],
)
def test_written_out(value: float, low: float, high: float, unit: str, text: str) -> None:
    assert str(figure(value, low, high, unit=unit)) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_missing_value_is_a_dash_with_its_reason(value: float | None) -> None:
    shown = figure(value, 0.1, 0.2, reason="no unit could be scored")
    assert not shown.known
    assert str(shown) == "— (no unit could be scored)"


def test_a_value_without_an_interval_is_withheld() -> None:
    shown = figure(0.4321, None, None, reason="one unit only")
    assert "0.43" not in str(shown)
    assert "no interval: one unit only" in str(shown)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 6))
def test_zero_has_no_sign(value: float, places: int) -> None:
    text = fixed(value, places)
    assert not (text.startswith(MINUS) and _parse(text) == 0)


def test_small_things() -> None:
    assert bound(0.005, "share") == "0.5 %"
    assert exact(0.1 + 0.2) == "0.3"
    assert count(True) == count("7") == seconds(None) == money(float("nan")) == "—"
    assert money(0.00042) == "$0.00042"
    assert seconds(0.9999) == "1 s"
