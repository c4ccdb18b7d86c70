"""Classes of `evaluate.Metric` made of our registry. Imports `evaluate`: only for those who have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import evaluate
import numpy as np
from datasets import Features, Value
from datasets import Sequence as ListOf

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Definition, Metric
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.huggingface.offered import OF_CATALOGUE, RANKING, no_such, offered
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import METRICS, metric
from genrec_eval.metrics.spelling import SPELLING
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.protocol.arrays import PAD, Ragged
from genrec_eval.stats.intervals import intervals

_SEED = 0
"""Of the resamples behind intervals: equal input gives equal output, whatever numpy's global state."""

_USE = """
Args:
    predictions: {predictions}
    references: {references}
    confidence (float): of the interval, 0.95 by default.
    **parameters: {parameters}

Returns:
    value, low, high, confidence: the value of all units together and its interval; None where there is none.
    interval: its method. reason: why there is none, or no value.
    n, excluded: units behind the value, and how many were left out for which reason.
    definition: the metric with all its parameters; only numbers of equal definitions can be compared.
"""


class OfferedMetric(evaluate.Metric):
    """One of our metrics; what it works on stays in memory, nothing is written or locked.

    Attributes
    ----------
    spelling
        The metric as a suite spells it, without a cutoff where ``compute`` is to get one.
    """

    spelling: ClassVar[str]
    definition: ClassVar[Definition]

    def __init__(self, config_name: str | None = None, **options: Any) -> None:
        """See :class:`evaluate.Metric`; a configuration is a spelling of the same metric."""
        if config_name not in (None, "default"):
            raise UsageError(
                f"metric '{self.definition.name}' has no configurations: give parameters to compute(...)"
            )
        super().__init__(**{**options, "keep_in_memory": True})
        self.info.module_name = self.spelling

    def _build_data_dir(self) -> str:
        return ""  # the library would make folders in the user's home

    def _enforce_nested_string_type(self, schema: Any, obj: Any) -> None:
        """What is added was looked at before."""

    def _info(self) -> evaluate.MetricInfo:
        definition = self.definition
        ids = definition.on == "lists"
        told = [f"{name} ({default!r})" for name, (default, _) in definition.parameters.items()]
        told += ["k: the cutoff"] if definition.needs_cutoff else []
        told += ["catalogue: all ids there are"] if definition.name in OF_CATALOGUE else []
        use = _USE.format(
            predictions="lists of ids, best first" if ids else "texts, None where there is none",
            references="lists of relevant ids" if ids else "a text or a list of texts each, where needed",
            parameters=", ".join(told) or "none",
        )
        of = Value("string")
        return evaluate.MetricInfo(
            description=f"{definition.title}: {definition.summary}\n{definition.formula}.",
            citation=definition.source,
            inputs_description=use,
            features=Features({"predictions": ListOf(of) if ids else of, "references": ListOf(of)}),
        )

    def add(self, *, prediction: Any = None, reference: Any = None, **other: Any) -> None:
        """Add one prediction and its reference."""
        self.add_batch(predictions=[prediction], references=[reference], **other)

    def add_batch(self, *, predictions: Any = None, references: Any = None, **other: Any) -> None:
        """Add predictions and references."""
        if other:
            raise UsageError(f"metric '{self.spelling}' takes no {', '.join(other)}")
        if predictions is None:
            raise UsageError(f"metric '{self.spelling}' was given references without predictions")
        given = _listed(predictions, "predictions")
        wanted = [None] * len(given) if references is None else _listed(references, "references")
        if len(given) != len(wanted):
            raise UsageError(
                f"metric '{self.spelling}' was given {len(given)} predictions and {len(wanted)} references"
            )
        if not given:
            return
        if self.definition.on == "lists":
            clean: list[Any] = [_ids(one, "prediction", row) for row, one in enumerate(given)]
            super().add_batch(
                predictions=clean,
                references=[_ids(one, "reference", row) for row, one in enumerate(wanted)],
            )
        else:
            super().add_batch(
                predictions=[_text(one, "prediction", row) for row, one in enumerate(given)],
                references=[_texts(one, row) for row, one in enumerate(wanted)],
            )

    def compute(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> Any:
        """Value, interval and counts of all that was added."""
        self._bound({**kwargs})  # a wrong parameter is told before anything is computed
        if predictions is not None or references is not None:
            self.add_batch(predictions=predictions, references=references)
        if self.writer is None:
            raise UsageError(f"metric '{self.spelling}' was given no predictions")
        return super().compute(**kwargs)

    def _bound(self, parameters: dict[str, Any]) -> tuple[Metric, float, Any]:
        """The metric with what ``compute`` was given, the confidence, the catalogue."""
        confidence, catalogue = parameters.pop("confidence", 0.95), parameters.pop("catalogue", None)
        if not isinstance(confidence, float) or not 0 < confidence < 1:
            raise UsageError(f"confidence is a number between 0 and 1, not {confidence}")
        match = SPELLING.fullmatch(self.spelling)
        assert match is not None
        k = parameters.pop("k", match["k"])
        name = match["name"]
        if (catalogue is None) != (self.definition.name not in OF_CATALOGUE):
            said = "needs catalogue=[...], all ids there are" if catalogue is None else "takes no catalogue"
            raise UsageError(f"metric '{name}' {said}")
        written = dict(
            part.split("=", 1)
            for part in filter(None, map(str.strip, (match["parameters"] or "").split(",")))
        )
        for key, value in parameters.items():
            if set("(),") & set(f"{key}{value}"):
                raise UsageError(f"metric '{name}': {key}={value} holds a bracket or a comma")
            written[key] = value
        inside = ",".join(f"{key}={value}" for key, value in written.items())
        cutoff = "" if k is None else f"@{k}"
        return metric(f"{name}({inside}){cutoff}"), confidence, catalogue

    def _compute(self, *, predictions: Any, references: Any, **parameters: Any) -> dict[str, Any]:
        bound, confidence, catalogue = self._bound(parameters)
        if bound.definition.on == "lists":
            scores = bound(ranked_lists(predictions, references, catalogue))
        else:
            corpus = tuple(dict.fromkeys(one for some in references for one in some))
            scores = bound(Texts(texts=predictions, references=list(map(tuple, references)), corpus=corpus))
        found = intervals([bound.sample(scores)], seed=_SEED, level=confidence)[0]
        return {
            "value": None if found.value is None else float(found.value),
            "low": found.low,
            "high": found.high,
            "confidence": confidence,
            "interval": found.method,
            "reason": found.reason,
            "n": found.n,
            "excluded": {name: int(mask.sum()) for name, mask in sorted(scores.reasons.items())},
            "definition": bound.definition_id,
        }


def metric_class(spelling: str) -> type[OfferedMetric]:
    """The class of a metric.

    Raises
    ------
    UsageError
        When it is none of texts or lists.
    """
    match = SPELLING.fullmatch(spelling.strip())
    if match is None:
        raise UsageError(f"metric '{spelling}' is not of the form name(parameter=value)@k")
    name = match["name"]
    if ":" not in name and name in METRICS.names():
        definition = METRICS.get(name).definition
    elif ":" in name:
        definition = metric(spelling).definition
    else:
        raise UsageError(no_such(name, offered()))
    known = offered()
    ours = definition.name in (*known, *RANKING) or (
        definition.on == "texts" and definition.name != "evaluate"
    )
    if not ours:
        raise UsageError(no_such(definition.name, known))
    # as far as it is spelled it must be right; a cutoff may come later
    metric(spelling if match["k"] or not definition.needs_cutoff else f"{spelling.strip()}@1")
    return type(definition.name, (OfferedMetric,), {"spelling": spelling.strip(), "definition": definition})


def ranked_lists(
    predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], catalogue: Iterable[Any] | None
) -> RankedLists:
    """Lists of ids as ranking metrics take them.

    Without a catalogue every id that occurs is an item; nothing is known of any user's past.
    """
    if catalogue is None:
        known: Mapping[str, int] = _codes(one for some in (*predictions, *references) for one in some)
    else:
        known = _codes(_ids(_listed(catalogue, "catalogue"), "catalogue", 0))
    n = len(predictions)
    items = np.full((n, max(map(len, predictions), default=0)), PAD, np.int32)
    for row, some in enumerate(predictions):
        strange: dict[str, int] = {}
        items[row, : len(some)] = [
            known.get(one, PAD - 1 - strange.setdefault(one, len(strange)))
            if one not in known
            else known[one]
            for one in some
        ]
    wanted = [
        [known.get(one, PAD - 1 - at) for at, one in enumerate(dict.fromkeys(some))] for some in references
    ]
    nobody = Ragged(np.zeros(n + 1, np.int64), np.empty(0, np.int32))
    return RankedLists(
        items=items,
        truth=Ragged(
            np.cumsum([0, *map(len, wanted)]), np.array([one for some in wanted for one in some], np.int32)
        ),
        history=nobody,
        answered=np.ones(n, bool),
        catalogue=Catalogue(train_counts=np.zeros(len(known), np.int64)),
    )


def _codes(ids: Iterable[str]) -> dict[str, int]:
    return {one: code for code, one in enumerate(dict.fromkeys(ids))}


def _listed(given: Any, what: str) -> list[Any]:
    given = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"{what}: a list is needed, not {type(given).__name__}")
    return list(given)


def _text(given: Any, what: str, row: int) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise UsageError(f"{what} {row} is {type(given).__name__}, not a text")


def _texts(given: Any, row: int) -> list[str]:
    if given is None or isinstance(given, str):
        return [] if given is None else [given]
    found = [_text(one, "reference", row) for one in _listed(given, f"reference {row}")]
    return [one for one in found if one is not None]


def _ids(given: Any, what: str, row: int) -> list[str]:
    if given is None:
        return []
    found = _listed(given, f"{what} {row}")
    for one in found:
        if isinstance(one, bool) or not isinstance(one, str | int | np.integer):
            raise UsageError(
                f"{what} {row} holds {one!r:.40}, which is no id: ids are texts or whole numbers"
            )
    return [str(one) for one in found]
