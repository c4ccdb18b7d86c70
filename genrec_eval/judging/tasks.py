"""From exhibits to tasks: what is put to a judge, in which order, and what is not and why."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from genrec_eval.core.randomness import generator
from genrec_eval.judging.policy import JudgePolicy
from genrec_eval.judging.question import Question
from genrec_eval.judging.types import Exhibit, JudgeTask

NO_TEXT = "no-text"
"""The model gave no text for the case."""
OTHER_NO_TEXT = "other-no-text"
"""The model it is compared with gave none."""
NO_REFERENCE = "no-reference"
"""The rubric needs a reference answer, and the case has none."""
NO_CONTEXT = "no-context"
"""Claims are checked against the facts of the case, and it has none."""
NO_IMAGE = "no-image"
"""The judge is to be shown an image, and the case has none."""
NO_CLAIMS = "no-claims"
"""The text, or the reference whose statements are looked for, says nothing that could be checked."""
NOTHING_TO_RANK = "nothing-to-rank"
"""No other model gave a text for the case."""
ABSENT = frozenset({NO_TEXT, OTHER_NO_TEXT, NO_REFERENCE, NO_CONTEXT, NO_IMAGE, NO_CLAIMS, NOTHING_TO_RANK})
"""Reasons that lie with the answers: a judge is not to blame for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One task of one judge, and whose answers it shows; only the task itself reaches the judge.

    Attributes
    ----------
    task
        None where there is nothing to ask; ``reason`` then says why, or ``identical`` is True.
    writers
        The models whose answers are shown, in the order shown; of a pair in the order (model, other).
    order
        Of a pair: ``given`` (model first) or ``swapped``.
    identical
        Both texts of a pair are the same: a tie that no judge need be asked about.
    """

    case: str
    unit: str
    repeat: int
    step: int
    writers: tuple[str, ...]
    lengths: tuple[int | None, ...]
    task: JudgeTask | None = None
    order: str | None = None
    reason: str | None = None
    identical: bool = False


def plan_tasks(
    question: Question,
    policy: JudgePolicy,
    exhibits: Mapping[str, Sequence[Exhibit]],
    seed: int,
    scenario: str,
    needs: Collection[str] = (),
) -> Iterator[Planned]:
    """What one judge is to be asked, in a fixed order: by model, then as the exhibits come.

    Parameters
    ----------
    exhibits
        Model → what may be shown of its answers; models in the order of the suite.
    seed
        Of the run; with it and the case's id the random order of a pair is drawn.
    needs
        What the judge's dialect cannot do without: ``reference``, ``context``, ``images``.
    """
    kind = question.judging.task
    wanted = {*needs}
    wanted |= {"reference"} if question.rubric.reference else set()
    wanted |= {"context"} if kind == "claims" and not question.recalls else set()
    if kind == "pairwise":
        return _pairs(question, policy, exhibits, seed, scenario, wanted)
    if kind == "listwise":
        return _lists(question, exhibits, seed, scenario, wanted)
    return _singles(question, exhibits, scenario, wanted)


def sample_units(exhibits: Iterable[Exhibit], limit: int, seed: int, scenario: str) -> set[str]:
    """``limit`` cases, those of units drawn at random, as whole units as can be.

    All models and judges of a scenario are judged on the same cases.
    """
    unit_of = {one.case: one.unit for one in exhibits}
    units = sorted(set(unit_of.values()))
    drawn = generator(seed, "judging", scenario).permutation(len(units)).tolist()
    place = dict(zip(units, drawn, strict=True))
    return set(sorted(unit_of, key=lambda case: (place[unit_of[case]], case))[:limit])


def keep(exhibits: Iterable[Exhibit], cases: Collection[str]) -> list[Exhibit]:
    """The exhibits of ``cases``."""
    return [one for one in exhibits if one.case in cases]


def _singles(
    question: Question, exhibits: Mapping[str, Sequence[Exhibit]], scenario: str, wanted: set[str]
) -> Iterator[Planned]:
    for model, shown in exhibits.items():
        for one in shown:
            reason, claims = _unaskable(one, wanted), tuple[str, ...]()
            if reason is None and question.judging.task == "claims":
                claims = _claims(one.reference if question.recalls else one.answer)
                reason = None if claims else NO_CLAIMS
            task = None if reason else _task(question, one, (_said(one),), (scenario, model), wanted, claims)
            yield _planned(one, (model,), (one,), task, reason=reason)


def _pairs(
    question: Question,
    policy: JudgePolicy,
    exhibits: Mapping[str, Sequence[Exhibit]],
    seed: int,
    scenario: str,
    wanted: set[str],
) -> Iterator[Planned]:
    base = question.judging.against
    assert base is not None
    others = {(one.case, one.repeat, one.step): one for one in exhibits.get(base, ())}
    for model, shown in exhibits.items():
        if model == base:
            continue
        for one in shown:
            other = others.get((one.case, one.repeat, one.step))
            reason = _unaskable(one, wanted)
            if reason is None and (other is None or other.answer is None):
                reason = OTHER_NO_TEXT
            same = reason is None and other is not None and one.answer == other.answer
            names = (scenario, model, base)
            for order in _orders(policy, seed, question, one, names):
                task = None
                if reason is None and other is not None and not same:
                    pair = (one, other) if order == "given" else (other, one)
                    task = _task(question, one, tuple(map(_said, pair)), (*names, order), wanted)
                both = (one, other)
                yield _planned(one, (model, base), both, task, order=order, reason=reason, identical=same)


def _orders(
    policy: JudgePolicy, seed: int, question: Question, one: Exhibit, names: tuple[str, ...]
) -> tuple[str, ...]:
    if policy.orders == "both":
        return ("given", "swapped")
    if policy.orders == "given":
        return ("given",)
    unit: tuple[str | int, ...] = (*names, question.rubric.name, one.case, one.repeat, one.step)
    return (("given", "swapped")[int(generator(seed, "judge-order", *unit).integers(2))],)


def _lists(
    question: Question,
    exhibits: Mapping[str, Sequence[Exhibit]],
    seed: int,
    scenario: str,
    wanted: set[str],
) -> Iterator[Planned]:
    cases: dict[tuple[str, int, int], dict[str, Exhibit]] = {}
    for model, shown in exhibits.items():
        for one in shown:
            cases.setdefault((one.case, one.repeat, one.step), {})[model] = one
    for (case, repeat, step), by_model in cases.items():
        askable = [model for model, one in by_model.items() if _unaskable(one, wanted) is None]
        for model, one in by_model.items():
            reason = _unaskable(one, wanted)
            if reason is None and len(askable) < 2:
                reason = NOTHING_TO_RANK
            if reason is not None:
                yield _planned(one, (model,), (one,), None, reason=reason)
        if len(askable) < 2:
            continue
        draw = generator(seed, "judge-list", scenario, question.rubric.name, case, repeat, step)
        order = [askable[i] for i in draw.permutation(len(askable)).tolist()]
        chosen = [by_model[model] for model in order]
        task = _task(question, chosen[0], tuple(map(_said, chosen)), (scenario, *order), wanted)
        yield _planned(chosen[0], tuple(order), tuple(chosen), task)


def _unaskable(one: Exhibit, wanted: set[str]) -> str | None:
    if one.answer is None:
        return NO_TEXT
    if "reference" in wanted and one.reference is None:
        return NO_REFERENCE
    if "context" in wanted and one.context is None:
        return NO_CONTEXT
    return NO_IMAGE if "images" in wanted and not one.images else None


def _said(one: Exhibit) -> str:
    assert one.answer is not None
    return one.answer


def _claims(text: str | None) -> tuple[str, ...]:
    from genrec_eval.metrics.text.tokens import sentences

    return tuple(sentences(text or ""))


def _task(
    question: Question,
    one: Exhibit,
    answers: tuple[str, ...],
    names: tuple[str, ...],
    wanted: set[str],
    claims: tuple[str, ...] = (),
) -> JudgeTask:
    # a digest: the id may enter a prompt, and the names of models may not
    unit = (*names, question.judging.task, question.rubric.name, one.case, str(one.repeat), str(one.step))
    rubric, kind = question.rubric, question.judging.task
    if question.recalls:  # the answer is what the reference is checked against
        one = replace(one, reference=None, context=answers[0])
        answers, wanted = (" ".join(claims),), {"context"}
    return JudgeTask(
        id=hashlib.sha256("\x1f".join(unit).encode("utf-8", "replace")).hexdigest()[:16],
        kind=kind,
        rubric=rubric,
        prompt=one.prompt,
        answers=answers,
        reference=one.reference if "reference" in wanted else None,
        context=one.context if rubric.context or "context" in wanted else None,
        claims=claims,
        images=one.images,
    )


def _planned(
    one: Exhibit,
    writers: tuple[str, ...],
    shown: Sequence[Exhibit | None],
    task: JudgeTask | None,
    *,
    order: str | None = None,
    reason: str | None = None,
    identical: bool = False,
) -> Planned:
    return Planned(
        case=one.case,
        unit=one.unit,
        repeat=one.repeat,
        step=one.step,
        writers=writers,
        lengths=tuple(None if e is None or e.answer is None else len(e.answer) for e in shown),
        task=task,
        order=order,
        reason=reason,
        identical=identical,
    )
