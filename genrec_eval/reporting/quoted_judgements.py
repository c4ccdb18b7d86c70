"""What judges said of the texts that a report shows, in words and quoted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genrec_eval.core.numbers import exact
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import block, line, listing, plural

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.engine.rundir import RunDirectory

COLUMNS = (
    "model", "other", "case", "repeat", "step", "judge", "rubric", "task", "order", "sample", "claim",
    "status", "value", "label", "reason", "raw", "text",
)  # fmt: skip
"""What is read of the table of judgements."""
_RAW = 700
_MOST, _MOST_CLAIMS = 12, 40
"""Judgements of one text, and of its claims, that are shown."""
_ORDERS = {"given": "shown first", "swapped": "shown second"}


@dataclass(frozen=True, slots=True)
class Said:
    """One question to one judge about one text.

    Attributes
    ----------
    asked
        Rubric, and whom the text was compared with.
    verdict
        In words, for both orders where both were asked.
    claims
        Where claims were judged one by one: (claim, verdict).
    raw
        What the judge wrote: (which judgement, quoted text).
    """

    judge: str
    asked: str
    verdict: str
    step: int
    claims: tuple[tuple[str, str], ...]
    raw: tuple[tuple[str, str], ...]


def said_of(
    tables: RunDirectory, run: Mapping[str, Any], scenario: str, cases: Collection[str]
) -> dict[tuple[str, str], tuple[Said, ...]]:
    """(model, case) → what was said of its text; nothing where no judge was asked."""
    from genrec_eval.engine.rundir import JUDGEMENTS_FILE

    if not (tables.path / JUDGEMENTS_FILE).is_file():
        return {}
    import pyarrow as pa
    import pyarrow.compute as pc

    table = tables.judgements(scenario, COLUMNS)
    wanted = pc.is_in(table.column("case").cast(pa.string()), value_set=pa.array(sorted(cases), pa.string()))
    return said_in(table.filter(wanted), run)


def said_in(table: pa.Table, run: Mapping[str, Any]) -> dict[tuple[str, str], tuple[Said, ...]]:
    """(model, case) → what was said of its text, from rows of one scenario with :data:`COLUMNS`."""
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        if not row["repeat"]:
            key = (row["model"], row["case"], row["step"] or 0, row["judge"], row["rubric"], row["task"])
            grouped.setdefault((*key, row["other"]), []).append(row)
    found: dict[tuple[str, str], list[Said]] = {}
    for (model, case, step, judge, rubric, task, other), rows in grouped.items():
        raw = {row["raw"]: _which(row) for row in rows[:_MOST] if row["raw"]}
        found.setdefault((str(model), str(case)), []).append(
            Said(
                judge=str(judge),
                asked=_asked(run, str(rubric), str(task), other),
                verdict=_verdict(rows[:_MOST_CLAIMS], str(task), _scale(run, str(rubric), str(judge))),
                step=step,
                claims=_claims(rows) if task == "claims" else (),
                raw=tuple((which, block(text, _RAW)) for text, which in raw.items()),
            )
        )
    return {key: tuple(said) for key, said in found.items()}


def judged_units(tables: RunDirectory, scenario: str) -> frozenset[str]:
    """Units of whose texts a judge was asked."""
    from genrec_eval.engine.rundir import JUDGEMENTS_FILE

    if not (tables.path / JUDGEMENTS_FILE).is_file():
        return frozenset()
    return frozenset(tables.judgements(scenario, ("unit",)).column("unit").unique().to_pylist())


def _asked(run: Mapping[str, Any], rubric: str, task: str, other: str | None) -> str:
    title = mapping(mapping(run.get("rubrics")).get(rubric)).get("title") or rubric
    return line(title, 80) + (f" against {line(other, 60)}" if other else "")


def _scale(run: Mapping[str, Any], rubric: str, judge: str) -> str:
    dialect = mapping(mapping(mapping(run.get("judges")).get(judge)).get("dialect"))
    scale = dialect.get("scale") or mapping(mapping(run.get("rubrics")).get(rubric)).get("scale")
    if not isinstance(scale, list) or len(scale) != 2:
        return ""
    return f" on a scale from {scale[0]} to {scale[1]}"


def _which(row: Mapping[str, Any]) -> str:
    parts = [_ORDERS.get(row["order"] or "", "")]
    if row["sample"]:
        parts.append(f"repeat {row['sample'] + 1}")
    return ", ".join(filter(None, parts))


def _verdict(rows: list[dict[str, Any]], task: str, scale: str) -> str:
    if task == "claims":
        counts = Counter(_word(row, task, "") for row in rows)
        return f"of {plural(len(rows), 'claim')}, {listing([f'{n} {word}' for word, n in counts.items()])}"
    words: dict[str, str] = {}
    for row in rows:
        which, word = _which(row), _word(row, task, scale)
        words[which] = f"{words[which]}, {word}" if which in words else word
    if len(set(words.values())) == 1 and len(words) > 1:
        order = " in both orders" if {row["order"] for row in rows} == {"given", "swapped"} else ""
        return next(iter(words.values())) + order
    return "; ".join(f"{which}: {word}" if which else word for which, word in words.items())


def _claims(rows: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((line(row["text"] or "", 200), _word(row, "claims", "")) for row in rows[:_MOST_CLAIMS])


def _word(row: Mapping[str, Any], task: str, scale: str) -> str:
    if row["status"] != "ok":
        why = f" ({line(row['reason'], 200)})" if row["reason"] else ""
        return f"no verdict, {str(row['status']).replace('_', ' ')}{why}"
    value = row["value"]
    if task == "pairwise":
        if row["label"] == "identical":
            return "a tie, for both texts are the same"
        words = {1.0: "wins", 0.0: "loses", 0.5: "ties"}
        return words.get(value) or f"wins with probability {exact(round(value, 2))}"
    if task == "claims":
        return line(row["label"] or ("supported" if value else "not supported"), 60).replace("_", " ")
    if task == "listwise":
        return f"rank {exact(value)}"
    return f"{exact(round(value, 2))}{scale}"
