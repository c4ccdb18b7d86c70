"""What an audit report must contain, sixteen things, looked for on the page of the quickstart."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest

from genrec_eval.reporting.html import render_report

_SECTION = re.compile(r'<section[^>]*\bid="([^"]+)"[^>]*>(.*?)(?=<section[^>]*\bid="|</main>)', re.DOTALL)


@pytest.fixture(scope="module")
def sections(quickstart: Path) -> dict[str, str]:
    """Section → its text, without tags; ``all`` is the whole page."""
    body = render_report(quickstart).partition("<main")[2].partition("<script>")[0]
    found = {name: _text(inside) for name, inside in _SECTION.findall(body)}
    return {**found, "all": _text(body)}


def _text(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


Check = Callable[[dict[str, str], Path], bool]


def _has(section: str, *said: str) -> Check:
    return lambda found, run: all(text in found[section] for text in said)


ITEMS: dict[str, Check] = {
    "1 scope, system, versions, dates, commissioning, who ran it": _has(
        "scope",
        "System under audit",
        "Commissioned by",
        "Conducted by",
        "Played 20",
        "Software genrec-eval",
        "item-knn",
    ),
    "2 claims with verdict and reason": _has(
        "answer", "PASS", "CAUGHT", "ItemKNN ranks better than popularity", "so it is better"
    ),
    "3 definitions with formula variant, direction, range, worked example": _has(
        "definitions", "ndcg(discount=log2,gain=linear", "higher is better", "0 to 1", "ndcg@10 is 0.3869"
    ),
    "4 population, sampling frame, group sizes, suppressed cells": lambda found, run: (
        _has(
            "scope",
            "Population that it stands for",
            "Sampling frame top-k: 2,000 users; 66 without a test item; the other 1,934 asked",
        )(found, run)
        and _has("coverage", "group = A 1,152", "not shown")(found, run)
    ),
    "5 estimate, interval, null, adjusted p, margin": _has(
        "all", "NDCG@10", "±", "p ", "Holm", "at most 1 %"
    ),
    "6 parsed, failed, refused, unscored": _has(
        "coverage", "1,934 of 1,934 answered", "1,934 ok", "units unscored in"
    ),
    "7 reliability of detectors": _has("coverage", "Reliability of judges", "NOT CONSIDERED"),
    "8 trade-offs": _has("tradeoffs", "random is better than stutterer on Duplicate@10", "put to a claim"),
    "9 worst cases by id and random passes": lambda found, run: "instances" in found,
    "10 limits and risks not tested": lambda found, run: (
        _has("limits", "must not be concluded", "simulated", "Because:")(found, run)
        and _has("coverage", "NOT TESTED", "Privacy", "Harmful content")(found, run)
    ),
    "11 deviations from the plan": _has("deviations", "Looked for:", "--set"),
    "12 frameworks, never compliant": lambda found, run: (
        _has(
            "frameworks", "EVIDENCE PRESENT", "PARTIAL", "NONE", "Art. 34(1)(b)", "MEASURE 2.11", "Art. 15(4)"
        )(found, run)
        and "compliant" not in found["frameworks"]
        and "no legal advice" in found["frameworks"]
    ),
    "13 digests of configuration, data, outputs, code, environment": _has(
        "provenance", "Suite, resolved", "Data: world", "root of the chain", "commit", "platform", "Seed 7"
    ),
    "14 replay command": _has(
        "provenance", "genrec-eval run quickstart --out replay", "genrec-eval verify RUN"
    ),
    "15 sign-off": _has(
        "review",
        "Author",
        "Reviewer",
        "Date",
        "Independence",
        "accepted with comments",
        "Comments",
        "Signature",
    ),
    "16 twin with the same digest": lambda found, run: (
        sha256((run / "estimates.json").read_bytes()).hexdigest() in found["review"]
        and sha256((run / "estimates.json").read_bytes()).hexdigest() in found["provenance"]
    ),
}


@pytest.mark.parametrize("item", ITEMS)
def test_item_is_on_the_page(item: str, sections: dict[str, str], quickstart: Path) -> None:
    assert ITEMS[item](sections, quickstart)
