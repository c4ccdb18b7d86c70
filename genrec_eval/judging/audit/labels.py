"""Labels of people: a strict file of case, model, other, annotator and label or score, joined by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.tables.reading import Source
from genrec_eval.data.tables.streams import clip
from genrec_eval.judging.audit.verdicts import Bool, Float64, Verdicts

COLUMNS = ("case", "model", "other", "annotator", "label", "score")
_SIDES = {"first": 1.0, "model": 1.0, "second": 0.0, "other": 0.0, "tie": 0.5}


class NothingJoined(UsageError):
    """No label is about anything that the judge was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What people said, one row per label.

    Attributes
    ----------
    name
        Where the labels come from, for sentences.
    case, model, other, annotator
        m texts each; model and other are None where the source does not say.
    value
        float64[m]: of a pair 1 for model, 0 for other, ½ for a tie; a score otherwise.
    pairwise
        Whether they are about pairs.
    """

    name: str
    case: tuple[str, ...]
    model: tuple[str | None, ...]
    other: tuple[str | None, ...]
    annotator: tuple[str, ...]
    value: Float64
    pairwise: bool

    def __len__(self) -> int:
        return len(self.case)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Labels beside verdicts.

    Attributes
    ----------
    votes
        float64[m, annotators], the labels of each verdict's item, NaN where there is none.
    annotators
        Their names.
    remark
        One sentence on labels whose ids were not judged, with their count; None when all were.
    """

    votes: Float64
    annotators: tuple[str, ...]
    remark: str | None = None

    @property
    def majority(self) -> Float64:
        """float64[m], the label given most often; NaN without labels and where several are."""
        return majority_of(self.votes)

    def where(self, mask: Bool) -> Joined:
        """The verdicts of ``mask``."""
        return Joined(votes=self.votes[mask], annotators=self.annotators, remark=self.remark)


def majority_of(votes: Float64) -> Float64:
    """The one most frequent value of each row; NaN where there is none.

    >>> majority_of(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.5], [np.nan, 0.5, np.nan]]))
    array([1. , nan, 0.5])
    """
    values = np.unique(votes[np.isfinite(votes)])
    out = np.full(len(votes), np.nan)
    if len(values):
        counts = np.stack([(votes == one).sum(axis=1) for one in values], axis=1)
        most = counts.max(axis=1)
        clear = (most > 0) & ((counts == most[:, None]).sum(axis=1) == 1)
        out[clear] = values[counts.argmax(axis=1)[clear]]
    return out


def load_labels(path: Path) -> Labels:
    """Read a label file: csv, tsv, jsonl or parquet.

    Raises
    ------
    UsageError
        When it is no such table, a column is unknown or missing, or a row has no case, no annotator or no
        label that can be read.
    """
    if not path.is_file():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f"no such label file: {path}{did_you_mean(path.name, beside)}")
    source = Source(path=path, multiline=True)
    found = source.columns()
    _check_columns(found, str(path))
    return labels_of(source.read(found), str(path), source.where)


def labels_of(table: pa.Table, name: str = "labels", where: object = None) -> Labels:
    """Labels from a table with the columns of a label file.

    Raises
    ------
    UsageError
        As :func:`load_labels`.
    """

    def place(row: int) -> str:
        return str(where(row)) if callable(where) else f"{name} row {row + 1}"

    _check_columns(table.column_names, name)
    n = table.num_rows

    def column(wanted: str) -> list[object]:
        return table[wanted].to_pylist() if wanted in table.column_names else [None] * n

    case, annotator = column("case"), column("annotator")
    model, other = (_texts(column(wanted)) for wanted in ("model", "other"))
    for row in range(n):
        for wanted, values in (("case", case), ("annotator", annotator)):
            if values[row] is None or not str(values[row]).strip():
                raise UsageError(f"{place(row)}, column '{wanted}': there is no value")
    words, scores = _texts(column("label")), column("score")
    pairwise = any(word is not None for word in words)
    value = np.full(n, np.nan)
    for row in range(n):
        if not pairwise:
            value[row] = _score(scores[row], place(row))
        elif words[row] is not None:
            value[row] = _side(str(words[row]), model[row], other[row], place(row))
        else:
            raise UsageError(f"{place(row)}, column 'label': there is no value")
    return Labels(
        name=name,
        case=tuple(map(str, case)),
        model=model,
        other=other,
        annotator=tuple(map(str, annotator)),
        value=value,
        pairwise=pairwise,
    )


def join(labels: Labels, verdicts: Verdicts) -> Joined:
    """The labels of each verdict's item; a pair that the labels name the other way round is turned.

    Raises
    ------
    NothingJoined
        When no label is about anything that was judged, or labels are of another kind than the verdicts.
    UsageError
        When a label could be about several models, or one person labels one thing twice and differently.
    """
    if labels.pairwise != verdicts.pairwise:
        kinds = ("labels of pairs", "scores") if labels.pairwise else ("scores", "labels of pairs")
        raise NothingJoined(f"{labels.name} holds {kinds[0]}, and judge '{verdicts.judge}' needs {kinds[1]}")
    cases, models, others = (verdicts.words(name) for name in ("case", "model", "other"))
    by_case: dict[str, set[tuple[str | None, str | None]]] = {}
    for case, model, other in zip(cases, models, others, strict=True):
        by_case.setdefault(str(case), set()).add((model, other))
    annotators = sorted(set(labels.annotator))
    place = {name: index for index, name in enumerate(annotators)}
    found: dict[tuple[str, str | None, str | None], Float64] = {}
    unknown = []
    for row, case in enumerate(labels.case):
        key, value = _key(labels, row, by_case.get(case), verdicts.pairwise)
        if key is None:
            unknown.append(case)
            continue
        votes = found.setdefault(key, np.full(len(annotators), np.nan))
        column = place[labels.annotator[row]]
        if np.isfinite(votes[column]) and votes[column] != value:
            raise UsageError(
                f"{labels.name}: annotator {clip(labels.annotator[row])} labels case {clip(case)} twice,"
                " and differently"
            )
        votes[column] = value
    if not found:
        some = f", such as that of {clip(unknown[0])}," if unknown else ""
        raise NothingJoined(f"{labels.name}: none of its {len(labels)} labels{some} is about anything judged")
    none = np.full(len(annotators), np.nan)
    votes = np.array([found.get((str(c), m, o), none) for c, m, o in zip(cases, models, others, strict=True)])
    return Joined(votes=votes, annotators=tuple(annotators), remark=_remark(labels, unknown))


def _remark(labels: Labels, unknown: Sequence[str]) -> str | None:
    if not unknown:
        return None
    ids = list(dict.fromkeys(unknown))
    some = ", ".join(clip(one) for one in ids[:3])
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    count = f"{len(unknown)} of {len(labels)} labels"
    return f"{labels.name}: {count} are about ids that were not judged ({some}{more})"


def _key(
    labels: Labels, row: int, known: set[tuple[str | None, str | None]] | None, pairwise: bool
) -> tuple[tuple[str, str | None, str | None] | None, float]:
    """The judged item that a label is about, or None, and the label as seen from the item's model."""
    case, value = labels.case[row], float(labels.value[row])
    model, other = labels.model[row], labels.other[row]
    if known is None:
        return None, value
    if not pairwise:
        other = None
    fit = [one for one in known if model in (None, one[0]) and other in (None, one[1])]
    if not fit and pairwise:
        turned = [one for one in known if model in (None, one[1]) and other in (None, one[0])]
        fit, value = turned, 1 - value
    if len(fit) > 1:
        raise UsageError(
            f"{labels.name}: a label of case {clip(case)} could be about {len(fit)} models;"
            f" add the columns model{' and other' if pairwise else ''}"
        )
    return ((case, *fit[0]) if fit else None), value


def _check_columns(found: Sequence[str], name: str) -> None:
    for column in found:
        if column not in COLUMNS:
            hint = did_you_mean(column, COLUMNS)
            raise UsageError(f"{name}: unknown column '{column}'{hint} (known: {', '.join(COLUMNS)})")
    for column in ("case", "annotator"):
        if column not in found:
            raise UsageError(f"{name} has no column '{column}' (known: {', '.join(COLUMNS)})")
    if not {"label", "score"} & set(found):
        raise UsageError(f"{name} has neither a column 'label' (of pairs) nor 'score'")


def _texts(values: list[object]) -> tuple[str | None, ...]:
    return tuple(None if value is None or value == "" else str(value) for value in values)


def _side(word: str, model: str | None, other: str | None, place: str) -> float:
    said = word.strip()
    if said and said == model:
        return 1.0
    if said and said == other:
        return 0.0
    if said.lower() not in _SIDES:
        allowed = [*_SIDES, *filter(None, (model, other))]
        hint = did_you_mean(said, allowed)
        raise UsageError(f"{place}, column 'label': {clip(word)} is none of {', '.join(allowed)}{hint}")
    return _SIDES[said.lower()]


def _score(value: object, place: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(f"{place}, column 'score': {clip(value)} is not a finite number")
    return number
