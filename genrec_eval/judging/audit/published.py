"""Figures that were published about recorded judges, computed again from their logs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from genrec_eval.core.errors import UsageError
from genrec_eval.data.judgements.llmbar import groups
from genrec_eval.data.judgements.log import JudgementLog
from genrec_eval.judging.audit.human import HumanAgreement, OnUnparsed, human_agreement
from genrec_eval.judging.audit.labels import join, labels_of
from genrec_eval.judging.audit.stability import Stability, stability
from genrec_eval.judging.audit.verdicts import verdicts_of
from genrec_eval.stats.kappa import cohen_kappa
from genrec_eval.stats.sums import Measure

Coding = Literal["published", "labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A published figure beside ours.

    Attributes
    ----------
    ours, published
        None where undefined.
    """

    group: str
    name: str
    ours: float | None
    published: float | None

    @property
    def difference(self) -> float | None:
        """Ours minus the published; 0 where both are undefined, None where one is."""
        if self.ours is None and self.published is None:
            return 0.0
        return None if self.ours is None or self.published is None else self.ours - self.published


def human_kappas(log: JudgementLog, *, seed: int | None = None, level: float = 0.95) -> dict[str, Measure]:
    """Cohen's kappa of each two people, ``"annotator1 / annotator2"`` → measure, each item counted once.

    PandaLM publishes .85, .88 and .86 for annotators 1 and 2, 1 and 3, and 2 and 3.
    """
    lists = dict(zip(_items(log), log.table["human"].to_pylist(), strict=True))
    units = dict(zip(_items(log), log.table["unit"].to_pylist(), strict=True))
    votes, names = list(lists.values()), log.annotators
    found = {}
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            sides = [[(vote or [])[at] if at < len(vote or []) else None for vote in votes] for at in (a, b)]
            found[f"{names[a]} / {names[b]}"] = cohen_kappa(
                *sides, units=list(units.values()), seed=seed, level=level
            )
    return found


def against_people(
    log: JudgementLog,
    judge: str,
    *,
    on_unparsed: OnUnparsed = "exclude",
    seed: int | None = None,
    level: float = 0.95,
) -> HumanAgreement:
    """A recorded judge against the people of the log; ``majority`` has accuracy and macro P, R and F1.

    PandaLM's published gpt-3.5 accuracy of 71.07 counts what could not be parsed as a tie
    (``on_unparsed="tie"``); as wrong it is 69.77, left out 71.56.
    """
    verdicts = verdicts_of(log.judgements(), judge=judge)
    joined = join(labels_of(_label_table(log), log.name), verdicts)
    return human_agreement(verdicts, joined, on_unparsed=on_unparsed, seed=seed, level=level)


def repeat_stability(log: JudgementLog, *, seed: int | None = None, level: float = 0.95) -> Stability:
    """How far the recorded repeats of a log with one judge agree."""
    return stability(verdicts_of(log.judgements()), seed=seed, level=level)


def order_statistics(log: JudgementLog, *, coding: Coding = "labels") -> dict[str, float | None]:
    """LLMBar's statistics of one evaluator on one subset, from verdicts in both orders and a gold label.

    Names and definitions are upstream's: ``False`` is the given order and ``True`` the swapped one;
    ``correct_*`` in percent, where a judgement without a verdict is wrong; ``equal`` the percentage of equal
    results, two without a verdict being equal too; ``kappa_*`` Cohen's kappa with the gold label, and of
    the two orders.

    Parameters
    ----------
    coding
        ``"labels"``: kappas of the verdicts as they are, over those that there are. ``"published"``: as
        upstream computes them. Its code keeps a winner that is "0" or "1" and makes 0 of all others, while
        verdicts and gold labels are 1 and 2: winner 2 is compared as 0 with a label of 2 and never agrees,
        nor does a missing one. The published kappas with the label are therefore none of agreement with it;
        that of the two orders is right where no verdict is missing.

    Returns
    -------
    dict
        None where a kappa is undefined.
    """
    given, swapped, gold = _orders(log)
    n = len(gold)
    right = [[v == g for v, g in zip(side, gold, strict=True)] for side in (given, swapped)]
    found: dict[str, float | None] = {
        "correct_False": 100 * sum(right[0]) / n,
        "correct_True": 100 * sum(right[1]) / n,
        "correct_average": 100 * (sum(right[0]) + sum(right[1])) / 2 / n,
        "correct_both": 100 * sum(a and b for a, b in zip(*right, strict=True)) / n,
        "equal": 100 * sum(a == b for a, b in zip(given, swapped, strict=True)) / n,
    }
    sides: list[Any] = [given, swapped]
    label: Any = gold
    if coding == "published":
        sides = [[int(verdict == "first") for verdict in side] for side in sides]
        label = [1 if verdict == "first" else 2 for verdict in gold]
    one, other = (cohen_kappa(side, label, seed=None).value for side in sides)
    found["kappa_False"], found["kappa_True"] = one, other
    found["kappa_average"] = None if one is None or other is None else (one + other) / 2
    found["kappa_agreement"] = cohen_kappa(*sides, seed=None).value
    return found


def compared_statistics(log: JudgementLog) -> Iterator[Compared]:
    """Every statistic that came with an LLMBar log, beside ours in the published coding.

    Raises
    ------
    UsageError
        When the log has no published statistics, or one that is no number.
    """
    published = log.published.get("statistics")
    if not isinstance(published, Mapping) or not published:
        raise UsageError(f"{log.name}: there are no published statistics beside the judgements")
    for group, rows in groups(log):
        theirs = published.get(group)
        if not isinstance(theirs, Mapping):
            continue
        ours = order_statistics(rows, coding="published")
        for name, value in theirs.items():
            if name in ours:
                yield Compared(group=group, name=name, ours=ours[name], published=_number(value, group, name))


def _number(value: Any, group: str, name: str) -> float | None:
    """``0.25``, ``"25.0%"`` or ``"23 / 92 = 25.0%"``."""
    if isinstance(value, str):
        text = value.rpartition("=")[2].strip().removesuffix("%")
        try:
            value = float(text)
        except ValueError:
            raise UsageError(f"published statistic {name} of {group} is no number: {value[:40]!r}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _orders(log: JudgementLog) -> tuple[list[str | None], list[str | None], list[str]]:
    """Verdicts in both orders and the gold label, joined by item."""
    columns = ("item", "order", "verdict", "human")
    sides: dict[str, dict[str, str | None]] = {"given": {}, "swapped": {}}
    gold: dict[str, str] = {}
    for item, order, verdict, human in zip(*(log.table[c].to_pylist() for c in columns), strict=True):
        if order not in sides or not human or human[0] is None:
            raise UsageError(f"{log.name}: item '{item}' has no order or no gold label")
        if item in sides[order]:
            raise UsageError(f"{log.name}: item '{item}' is there twice; take one evaluator and strategy")
        sides[order][item] = verdict
        gold[item] = human[0]
    items = [item for item in gold if item in sides["given"] and item in sides["swapped"]]
    if not items:
        raise UsageError(f"{log.name}: no item was judged in both orders")
    return (
        [sides["given"][item] for item in items],
        [sides["swapped"][item] for item in items],
        [gold[item] for item in items],
    )


def _items(log: JudgementLog) -> list[tuple[Any, ...]]:
    columns = (log.table[name].to_pylist() for name in ("item", "system", "other"))
    return list(zip(*columns, strict=True))


def _label_table(log: JudgementLog) -> Any:
    """What people said, with the column that is used alone."""
    table = log.human_table()
    empty = [name for name in ("label", "score") if table[name].null_count == table.num_rows]
    if len(empty) == 2:
        raise UsageError(f"{log.name} holds no labels of people")
    return table.drop_columns([*empty, *([] if empty else ["score"])])
