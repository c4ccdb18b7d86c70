"""Sheets for people: who is shown what, in which order; nothing in a sheet tells who wrote a text."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.core.randomness import generator
from genrec_eval.judging.question import Question, rubric_to_json
from genrec_eval.judging.rubric import digest_rubric
from genrec_eval.judging.tasks import Planned

TASKS = ("pointwise", "pairwise", "claims")
"""Kinds of task that people are asked."""
ANSWER = {"pointwise": "score", "pairwise": "winner", "claims": "verdict"}
"""Kind of task → column, and key of the form's file, that holds the answer."""
VERDICTS = ("supported", "contradicted", "not in source")
"""Answers about a claim."""
SIDES = ("A", "B", "tie")
"""Answers about a pair."""
GUARDED = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take a text for a formula."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that one person is asked.

    Attributes
    ----------
    id
        Opaque: the sheet, the number of the person, and the place in that person's order.
    order
        Of a pair: ``given`` (the model's text is A) or ``swapped``; None elsewhere.
    digest
        Of everything shown, see :func:`content_digest`.
    """

    id: str
    planned: Planned
    order: str | None
    digest: str

    @property
    def answers(self) -> tuple[str, ...]:
        """The texts in the order shown."""
        assert self.planned.task is not None
        found = self.planned.task.answers
        return found[::-1] if self.order == "swapped" else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """One export: the items of each person.

    Attributes
    ----------
    id
        Eight hex digits, a digest of what is asked of whom.
    items
        Person → items in the order shown.
    identical
        Pairs whose texts are the same: ties that nobody is asked about.
    cases, shared
        How many cases there are, and how many of them everybody is asked about.
    unaskable
        Why answers are left out → how many.
    """

    id: str
    scenario: str
    question: Question
    items: Mapping[str, Sequence[Item]]
    identical: Sequence[Item] = ()
    cases: int = 0
    shared: int = 0
    unaskable: Mapping[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """What the sheets show of an item: question, facts, reference, the answers, the claim."""
        tasks = [item.planned.task for items in self.items.values() for item in items]
        facts = any(task is not None and task.context is not None for task in tasks)
        reference = any(task is not None and task.reference is not None for task in tasks)
        kind = self.question.judging.task
        return [
            "question",
            *(["facts"] if facts else []),
            *(["reference"] if reference else []),
            *(["answer_a", "answer_b"] if kind == "pairwise" else ["answer"]),
            *(["claim"] if kind == "claims" else []),
        ]


def make_sheets(
    plans: Iterable[Planned],
    question: Question,
    *,
    scenario: str,
    seed: int,
    annotators: Sequence[str],
    overlap: float,
) -> Sheets:
    """Deal cases to people and shuffle them.

    A case goes to its people with the answers of all models, so that their severity cancels in
    differences between models; which cases everybody gets is drawn at random, so that agreement on them
    speaks for all.

    Parameters
    ----------
    plans
        What there is to ask, pairs in the order given.
    overlap
        Share of the cases that everybody gets; the others are dealt out evenly.

    Raises
    ------
    UsageError
        When a name is no plain word or comes twice, the share is none, or there is nothing to ask.
    """
    _check(annotators, overlap)
    planned = list(plans)
    asked = [one for one in planned if one.task is not None]
    if not asked:
        reasons = Counter(one.reason or "identical texts" for one in planned)
        told = ", ".join(f"{n:,} {reason.replace('-', ' ')}" for reason, n in sorted(reasons.items()))
        raise UsageError(f"scenario '{scenario}' has nothing to annotate: {told or 'no answers'}")
    digests = [content_digest(one) for one in asked]
    judging, rubric = question.judging, question.rubric
    name = digest(
        [
            [scenario, judging.task, judging.against, digest_rubric(rubric), seed, overlap, *annotators],
            [
                [one.case, one.repeat, one.step, *one.writers, made]
                for one, made in zip(asked, digests, strict=True)
            ],
        ]
    )[:8]
    cases = list(dict.fromkeys(one.case for one in asked))
    draw = generator(seed, "annotation-cases", scenario, judging.task, rubric.name).permutation(len(cases))
    shared = len(cases) if len(annotators) == 1 else math.ceil(overlap * len(cases) - 1e-9)
    place = {cases[case]: at for at, case in enumerate(draw.tolist())}
    items = {}
    for number, annotator in enumerate(annotators):
        mine = [
            row
            for row, one in enumerate(asked)
            if (at := place[one.case]) < shared or (at - shared) % len(annotators) == number
        ]
        names = (scenario, judging.task, rubric.name, annotator)
        order = generator(seed, "annotation-items", *names).permutation(len(mine)).tolist()
        flips = generator(seed, "annotation-order", *names).integers(2, size=len(mine)).tolist()
        width = len(str(len(mine)))
        items[annotator] = [
            Item(
                id=f"{name}-{number + 1}-{at:0{width}d}",
                planned=asked[mine[chosen]],
                order=None if judging.task != "pairwise" else ("given", "swapped")[flip],
                digest=digests[mine[chosen]],
            )
            for at, (chosen, flip) in enumerate(zip(order, flips, strict=True), 1)
        ]
    same = [one for one in planned if one.identical]
    return Sheets(
        id=name,
        scenario=scenario,
        question=question,
        items=items,
        identical=[
            Item(id=f"{name}-same-{at}", planned=one, order=None, digest=content_digest(one))
            for at, one in enumerate(same, 1)
        ],
        cases=len(cases),
        shared=shared,
        unaskable=Counter(one.reason for one in planned if one.reason is not None),
    )


def _check(annotators: Sequence[str], overlap: float) -> None:
    if not annotators:
        raise UsageError("name at least one annotator, as in --annotators ana,ben")
    for at, name in enumerate(annotators):
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"annotator {name!r}: a name is up to 40 letters, digits, - _ . and begins with a letter or a"
                " digit"
            )
        if name.lower() in (one.lower() for one in annotators[:at]):  # files of both would be one
            raise UsageError(f"annotator '{name}' is named twice")
    if not 0 <= overlap <= 1:
        raise UsageError(f"overlap {overlap:g}: the share of cases that everybody gets is between 0 and 1")


def content_digest(planned: Planned) -> str:
    """SHA-256 of what a person is shown, whatever the order of the answers.

    Spaces and line breaks count alike, for spreadsheets change them.
    """
    task = planned.task
    if task is None:  # identical texts: it is enough that both still are
        return digest(["identical", planned.case, planned.repeat, planned.step, *planned.writers])
    return shown_digest(task.prompt, task.context, task.reference, task.answers, task.claims)


def shown_digest(
    question: str | None,
    facts: str | None,
    reference: str | None,
    answers: Sequence[str],
    claims: Sequence[str] = (),
) -> str:
    """As :func:`content_digest`, from the texts themselves; answers in the order given."""
    state = hashlib.sha256()
    for part in (question, facts, reference, *answers, None, *claims):
        data = plain(part or "").encode("utf-8", "replace")
        state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


def plain(text: str) -> str:
    """Text without what a spreadsheet adds or changes.

    >>> plain("'=SUM(A1)\\r\\n x")
    '=SUM(A1) x'
    """
    return " ".join((text[1:] if text.startswith("'") and text[1:].startswith(GUARDED) else text).split())


def sheet_of(item: str) -> str:
    """The sheet that an item's id names.

    >>> sheet_of("3fa2c1d0-2-017")
    '3fa2c1d0'
    """
    return item.partition("-")[0]


def described(sheets: Sheets) -> dict[str, object]:
    """What the key keeps of an export; see :mod:`genrec_eval.judging.annotation.key`."""

    def one(item: Item) -> dict[str, object]:
        planned = item.planned
        return {
            "case": planned.case,
            "unit": planned.unit,
            "repeat": planned.repeat,
            "step": planned.step,
            "writers": list(planned.writers),
            "lengths": list(planned.lengths),
            "order": item.order,
            "claims": [] if planned.task is None else list(planned.task.claims),
            "digest": item.digest,
        }

    judging = sheets.question.judging
    return {
        "scenario": sheets.scenario,
        "task": judging.task,
        "against": judging.against,
        "rubric": rubric_to_json(sheets.question.rubric),
        "cases": sheets.cases,
        "shared": sheets.shared,
        "columns": sheets.columns,
        "annotators": {name: {item.id: one(item) for item in items} for name, items in sheets.items.items()},
        "identical": {item.id: one(item) for item in sheets.identical},
    }
