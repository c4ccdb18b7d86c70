"""Accuracy of one ordered list in plain Python, and of a tied one by trying every order of its ties."""

from __future__ import annotations

import itertools
import re
from math import log2
from statistics import mean

Grades = dict[int, float]


def orders(listed: list[int], scores: list[float]) -> list[list[int]]:
    """Every order of ``listed`` that its scores allow; equal scores side by side may swap."""
    pairs = itertools.groupby(zip(listed, scores, strict=True), lambda pair: pair[1])
    groups = [list(itertools.permutations(item for item, _ in group)) for _, group in pairs]
    return [[item for part in one for item in part] for one in itertools.product(*groups)]


def options_of(spelling: str) -> tuple[str, dict[str, str]]:
    """Name and parameters of a spelling without cutoff."""
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", spelling)
    assert match is not None
    return match[1], dict(part.split("=") for part in (match[2] or "").split(",") if part)


def value(spelling: str, listed: list[int], truth: Grades, k: int, rejected: set[int] = frozenset()) -> float:
    """A metric of one list; items that stand twice must be marked by another code the second time."""
    name, options = options_of(spelling)
    if name == "r_precision":
        k = len(truth)
    if name == "bpref":
        k = len(listed)
    top = listed[:k]
    hits = [item in truth for item in top]
    found = sum(hits)
    if name == "recall":
        return found / (min(k, len(truth)) if options.get("denominator") == "min" else len(truth))
    slots = len(top) if options.get("denominator") == "list" else k
    if name == "precision":
        return found / slots if slots else 0.0
    if name == "f1":
        p, r = found / slots if slots else 0.0, found / len(truth)
        return 2 * p * r / (p + r) if found else 0.0
    if name == "r_precision":
        return found / len(truth)
    if name == "hit_rate":
        return float(found > 0)
    if name == "mrr":
        return 1 / (hits.index(True) + 1) if found else 0.0
    if name == "map":
        summed = sum(sum(hits[: r + 1]) / (r + 1) for r, hit in enumerate(hits) if hit)
        possible = {
            "min": min(k, len(truth)),
            "relevant": len(truth),
            "k": k,
            "list": min(k, len(truth), len(listed)),
            "hits": found,
        }[options.get("denominator", "min")]
        return summed / possible if possible else 0.0
    if name == "ndcg":
        return _ndcg(options, top, truth, k)
    assert name == "bpref"
    relevant, unwanted = len(truth), len(rejected)
    total = 0.0
    for rank, item in enumerate(top):
        above = sum(other in rejected for other in top[:rank])
        if item in truth:
            total += 1 - min(above, relevant) / max(min(relevant, unwanted), 1)
    return total / relevant


def _ndcg(options: dict[str, str], top: list[int], truth: Grades, k: int) -> float:
    def gain(grade: float) -> float:
        grade = max(grade, 0.0)
        return {"linear": grade, "exp": 2**grade - 1, "binary": 1.0}[options.get("gain", "linear")]

    def dcg(gains: list[float]) -> float:
        java = options.get("discount") == "java"
        return sum(g / (max(log2(r), 1) if java else log2(r + 1)) for r, g in enumerate(gains, 1))

    best = sorted((gain(grade) for grade in truth.values()), reverse=True)
    ideal = {"k": best[:k], "all": best, "slots": best[:1] * k}[options.get("ideal", "k")]
    return (
        dcg([gain(truth[item]) if item in truth else 0.0 for item in top]) / dcg(ideal) if dcg(ideal) else 0.0
    )


def over_ties(
    spelling: str,
    ties: str,
    listed: list[int],
    scores: list[float],
    truth: Grades,
    k: int,
    rejected: set[int],
) -> float:
    """Least, mean or greatest value over all orders; for ``order`` that of the list itself."""
    if ties == "order":
        return value(spelling, listed, truth, k, rejected)
    found = [value(spelling, order, truth, k, rejected) for order in orders(listed, scores)]
    return {"worst": min, "best": max, "expected": mean}[ties](found)
