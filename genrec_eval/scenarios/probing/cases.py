"""The case table of the judge probe: one question a row, and what its right answer is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import beside_suite
from genrec_eval.judging.dialect import Dialect, load_dialect
from genrec_eval.judging.question import rubric_to_json
from genrec_eval.judging.rubric import load_rubric
from genrec_eval.judging.types import JudgeTask, Rubric
from genrec_eval.protocol.brief import Brief, ItemFacts
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.probing import texts as names
from genrec_eval.scenarios.probing.orders import ORDERS
from genrec_eval.scenarios.probing.texts import Writers, holds
from genrec_eval.scenarios.writing.asking import request_of

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.scenarios.judge_probe import JudgeProbeOptions

ECHO = "own-prompt"
"""Text that repeats to the judge what it was told, facts of the case aside."""
ODDITIES = (names.QUOTING, names.EMPTY, names.NONSENSE, names.LANGUAGE, ECHO)
_SPARE = 3
"""How many times the wanted cases are drawn: some turn out unfit."""
_SCHEMA = pa.schema(
    [
        ("case", pa.string()),
        ("unit", pa.string()),
        ("arm", pa.string()),
        ("probe", pa.string()),
        ("item", pa.string()),  # what is judged: a pair in either order, or a text
        ("model", pa.string()),  # name of the text; of a pair, of the better one
        ("other", pa.string()),  # name of the worse text of a pair; null where one is judged
        ("order", pa.string()),  # of a pair: given (the better shown first) or swapped
        ("task", pa.string()),
        ("rubric", pa.string()),
        ("prompt", pa.string()),
        ("answers", pa.list_(pa.string())),  # in the order shown
        ("context", pa.string()),
        ("reference", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Base:
    """What the questions of one unit are made of."""

    unit: str
    prompt: str
    context: str
    reference: str
    texts: dict[str, str]
    orders: tuple[str, ...]


def probe_cases(dataset: Dataset | None, options: JudgeProbeOptions, seed: int) -> Prepared:
    """Make the questions.

    Raises
    ------
    UsageError
        When the dialect has no words for a task or needs what there is not, or no case of the data is fit.
    """
    dialect = load_dialect(options.dialect, beside_suite("."))
    rubrics = [load_rubric(name, beside_suite(".")) for name in options.rubrics]
    _check(dialect, rubrics, options)
    prepared = _briefs(dataset, options, seed)
    briefs = [Brief.from_json(text) for text in prepared.cases.column("brief").to_pylist()]
    items = [_item(text) for text in prepared.context["items"].column("facts").to_pylist()]
    writers, bases, unfit = Writers(seed), list[_Base](), 0
    for brief in briefs:
        if len(bases) == options.bases:
            break
        turn = len(bases) * options.orders_each
        orders = tuple([*ORDERS][(turn + i) % len(ORDERS)] for i in range(options.orders_each))
        had = {brief.item.id, *(seen.item.id for seen in brief.history)}
        strangers = [item for item in items if item.id not in had and item.title]
        made = writers.texts(brief, strangers, orders) if strangers else None
        if made is None or not holds(brief, made):
            unfit += 1
            continue
        facts = brief.text(None)
        prompt = request_of(brief).messages[0].content.partition(facts)[0].strip()
        reference = writers.reference(brief)
        bases.append(_Base(f"probe-{len(bases):03d}", prompt, facts, reference, made, orders))
    if not bases:
        raise UsageError(
            "scenario 'judge-probe': no case of the data yields a sound text and worse ones that looking up"
            " tells apart; items need titles and years, genres, people or prices"
        )
    rows = [row for base in bases for rubric in rubrics for row in _questions(base, rubric, dialect, options)]
    return Prepared(
        cases=pa.Table.from_pylist(rows, schema=_SCHEMA),
        context={
            "dialect": pa.table({"json": [json.dumps(dialect.model_dump(mode="json"))]}),
            "rubrics": pa.table({"json": [json.dumps(rubric_to_json(rubric)) for rubric in rubrics]}),
            "settings": pa.table(
                {
                    "fence": [options.fence],
                    "score_mode": [options.score_mode],
                    "repeats": ["repeats" in options.probes],
                }
            ),
        },
        facts={
            "cases": len(rows),
            "bases": len(bases),
            "unfit_bases": unfit,
            "source": "a synthetic world" if dataset is None else dataset.name,
            "dialect": {"name": dialect.name, "version": dialect.version, "digest": dialect.digest},
            "decoding_of_the_dialect": dialect.decoding,
            "fence": options.fence,
            "score_mode": options.score_mode,
            "rubrics": [rubric.name for rubric in rubrics],
            "tasks": list(options.tasks),
            "probes": list(options.probes),
        },
    )


def _check(dialect: Dialect, rubrics: Sequence[Rubric], options: JudgeProbeOptions) -> None:
    for kind in options.tasks:
        if kind not in dialect.kinds:
            raise UsageError(
                f"scenario 'judge-probe': dialect '{dialect.name}' has no words for {kind} tasks; write"
                f" tasks: [{', '.join(one for one in dialect.kinds if one in ('pairwise', 'pointwise'))}]"
            )
        if "images" in dialect.tasks[kind].needs:
            raise UsageError(
                f"scenario 'judge-probe': dialect '{dialect.name}' shows the judge an image, and the probes"
                " are texts; choose another dialect"
            )
        for rubric in rubrics:
            dialect.check(kind, rubric, score_mode=options.score_mode)


def _briefs(dataset: Dataset | None, options: JudgeProbeOptions, seed: int) -> Prepared:
    """Briefs of a data set, or of a small world of our own."""
    from genrec_eval.scenarios.explanation import ExplanationOptions
    from genrec_eval.scenarios.writing.cases import explanation_cases

    wanted = _SPARE * options.bases
    if dataset is None:
        from genrec_eval.data.world.spec import SyntheticSpec

        users = max(120, 2 * wanted)
        dataset = SyntheticSpec(users=users, items=120, reviews=0.6).load(Path(), seed)
    asked = ExplanationOptions(
        split=options.split, max_users=wanted, history=options.history, reviews=options.reviews, variants=()
    )
    return explanation_cases(dataset, asked, seed)


def _item(text: str) -> ItemFacts:
    from genrec_eval.scenarios.writing.score import facts_of

    return facts_of(text)


def _questions(
    base: _Base, rubric: Rubric, dialect: Dialect, options: JudgeProbeOptions
) -> Iterator[dict[str, Any]]:
    """All questions of one base under one rubric."""
    probes, orders = {*options.probes}, [f"{names.ORDERING}{name}" for name in base.orders]
    pairs: list[tuple[str, str, str]] = []
    singles: list[tuple[str, str]] = [("known", names.SOUND)]
    if "known" in probes:
        pairs += [("known", names.SOUND, name) for name in (names.WRONG, names.MEMORY)]
        singles += [("known", name) for name in (names.WRONG, names.MEMORY, names.WORST)]
    if "identical" in probes:
        pairs.append(("identical", names.SOUND, names.SOUND))
    if "padding" in probes:
        pairs += [("padding", names.SOUND, name) for name in (names.PADDED, names.REPEATED)]
        singles += [("padding", names.PADDED), ("padding", names.REPEATED)]
    if "injection" in probes:
        pairs += [("injection", names.SOUND, name) for name in (names.NEUTRAL, *orders)]
        singles += [("injection", name) for name in (names.NEUTRAL, *orders)]
    if "oddities" in probes:
        pairs += [("oddities", names.SOUND, name) for name in ODDITIES]
        singles += [("oddities", name) for name in ODDITIES]
    if "pairwise" in options.tasks:
        texts = base.texts | {ECHO: _echo(base, rubric, dialect, "pairwise")}
        for probe, model, other in pairs:
            for order in ("given",) if model == other else ("given", "swapped"):
                shown = (texts[model], texts[other])
                yield _row(base, rubric, "pairwise", probe, model, other, order, shown)
    if "pointwise" in options.tasks:
        texts = base.texts | {ECHO: _echo(base, rubric, dialect, "pointwise")}
        for probe, model in singles:
            yield _row(base, rubric, "pointwise", probe, model, None, None, (texts[model],))


def _echo(base: _Base, rubric: Rubric, dialect: Dialect, kind: Any) -> str:
    """What the judge is told, without the facts of the case: they would make a true answer of it."""
    task = JudgeTask(
        id=base.unit, kind=kind, rubric=rubric, prompt=base.prompt,
        answers=("…", "…") if kind == "pairwise" else ("…",),
        reference=base.reference if "reference" in dialect.tasks[kind].needs else None,
    )  # fmt: skip
    request = dialect.render(task, fence=False).request
    return "\n\n".join(message.content for message in request.messages)


def _row(
    base: _Base,
    rubric: Rubric,
    task: str,
    probe: str,
    model: str,
    other: str | None,
    order: str | None,
    texts: tuple[str, ...],
) -> dict[str, Any]:
    item = "|".join(filter(None, (base.unit, rubric.name, task, model, other)))
    return {
        "case": f"{item}|{order}" if order else item,
        "unit": base.unit,
        "arm": "neutral",
        "probe": probe,
        "item": item,
        "model": model,
        "other": other,
        "order": order,
        "task": task,
        "rubric": rubric.name,
        "prompt": base.prompt,
        "answers": texts[::-1] if order == "swapped" else texts,
        "context": base.context,
        "reference": base.reference,
    }
