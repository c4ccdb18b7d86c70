"""Records to ``scores.parquet``: one number, or null with its reason, per unit and metric."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.audit.derived import Derived
from genrec_eval.audit.judged import Covariates, judged_scores
from genrec_eval.audit.run_tables import RunTables, scenario_of
from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import whole_file
from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.tables import SCORES
from genrec_eval.scenarios.base import Scenario, ScoredUnits

SCORES_FILE = "scores.parquet"

ANSWERED = "answered"
"""Reserved metric name: 1 where the model answered the unit, 0 where it did not, null when never asked."""

NOT_ATTEMPTED = "not-attempted"

_INDEX = "genrec_eval.row_groups"


def score_run(run: RunTables, target: Path | None = None) -> dict[tuple[str, str], str]:
    """Score everything that was played and write ``scores.parquet``.

    One row group per model, scenario and metric, in the order of play; the units in the order of
    the cases. A metric of the whole run has two more rows in front, without unit: the run's value,
    and the most that one unit can change it.

    Parameters
    ----------
    target
        Where the scores go; ``scores.parquet`` in the run directory by default.

    Returns
    -------
    dict
        (model, scenario) → what is remarked on the answers or their judgements as a whole. Like the
        bytes of the file, it depends on the stored tables alone.
    """
    target = target or run.path / SCORES_FILE
    index: list[tuple[str, str, str]] = []
    remarks: dict[tuple[str, str], str] = {}
    judging: dict[str, tuple[Scenario, Derived]] = {}
    covariates = Covariates()
    # units differ in every row: a dictionary of them only costs time
    words = [field.name for field in SCORES if pa.types.is_dictionary(field.type)]
    options = {"compression": "zstd", "use_dictionary": words}
    with whole_file(target) as part, pq.ParquetWriter(part, SCORES, **options) as writer:
        held = ""  # a log may have many arms: its tables are read once for all of them in a row
        for model, name in run.played():
            if name != held:
                scenario, cases, context = scenario_of(run, name), run.cases(name), run.context(name)
                held, beside = name, Derived(run, name, scenario, cases)
            scored = scenario.score(cases, context, run.records(model, name, scenario.reads))
            if scored.remark is not None:
                remarks[model, name] = scored.remark
            derived = beside.scores(model, scored.scores)
            if scenario.questions:
                judging[name] = scenario, beside
                covariates.keep(scenario, name, model, scored)
            for metric, scores in {ANSWERED: _answered(scored), **scored.scores, **derived}.items():
                table = _table(model, name, metric, scored.units, scores)
                writer.write_table(table, row_group_size=max(1, len(table)))
                index.append((model, name, metric))
        for name, (scenario, beside) in judging.items():
            for model, units, judged, said in judged_scores(run, name, scenario, covariates):
                if said:
                    remarks[model, name] = "; ".join(filter(None, [remarks.get((model, name)), *said]))
                for metric, scores in {**judged, **beside.of_groups(judged)}.items():
                    table = _table(model, name, metric, units, scores)
                    writer.write_table(table, row_group_size=max(1, len(table)))
                    index.append((model, name, metric))
        writer.add_key_value_metadata({_INDEX: json.dumps(index)})
    return remarks


def _answered(scored: ScoredUnits) -> UnitScores:
    return UnitScores(values=scored.answered.astype(np.float64), reasons={NOT_ATTEMPTED: ~scored.attempted})


def _table(model: str, scenario: str, metric: str, units: pa.Array, scores: UnitScores) -> pa.Table:
    names = list(scores.reasons)
    code = np.full(len(units), -1, np.int32)
    for position, name in enumerate(names):
        code[np.asarray(scores.reasons[name])] = position
    excluded = code >= 0
    if not np.isfinite(scores.values[~excluded]).all():
        row = int(np.flatnonzero(~np.isfinite(scores.values) & ~excluded)[0])
        raise UsageError(
            f"metric '{metric}' gave {scores.values[row]} for unit '{units[row].as_py()}' of '{model}' in "
            f"'{scenario}' without a reason: the metric is at fault, report it to its author"
        )
    if scores.sums is not None and not np.isfinite(scores.sums[~excluded]).all():
        row = int(np.flatnonzero(~np.isfinite(scores.sums).all(axis=1) & ~excluded)[0])
        raise UsageError(
            f"metric '{metric}' gave statistics that are no finite numbers for unit "
            f"'{units[row].as_py()}' of '{model}' in '{scenario}': the metric is at fault, report it to its "
            "author"
        )
    head = [] if scores.total is None else [scores.total, scores.reach]
    value = pa.concat_arrays([pa.array(head, pa.float64()), pa.array(scores.values, mask=excluded)])
    reason = np.concatenate([np.full(len(head), -1, np.int32), code])
    columns = [
        *(_constant(text, len(value)) for text in (model, scenario, metric)),
        pa.concat_arrays([pa.nulls(len(head), pa.string()), units.cast(pa.string())]),
        value,
        pa.DictionaryArray.from_arrays(pa.array(reason, mask=reason < 0), pa.array(names, pa.string())),
        pa.nulls(len(value), pa.float64()) if scores.weights is None else pa.array(scores.weights),
        _lists(scores.sums, excluded, len(value)),
    ]
    return pa.Table.from_arrays(columns, schema=SCORES)


def _lists(sums: np.ndarray | None, excluded: np.ndarray, n: int) -> pa.Array:
    """Null for units without a score, and throughout for metrics that are means."""
    if sums is None:
        return pa.nulls(n, pa.list_(pa.float64()))
    offsets = np.concatenate([[0], np.cumsum(~excluded * sums.shape[1])]).astype(np.int32)
    flat = pa.array(sums[~excluded].ravel(), pa.float64())
    return pa.ListArray.from_arrays(pa.array(offsets), flat, mask=pa.array(excluded))


def _constant(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text]))


class StoredScores:
    """Reads ``scores.parquet`` one metric at a time.

    Parameters
    ----------
    path
        The file that :func:`score_run` wrote.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
            listed = json.loads((self._file.metadata.metadata or {})[_INDEX.encode()])
            self._group = {(model, scenario, metric): i for i, (model, scenario, metric) in enumerate(listed)}
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise UsageError(f"{path} is no table of scores; 'genrec-eval score' writes it anew") from error

    def __enter__(self) -> StoredScores:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def groups(self) -> list[tuple[str, str, str]]:
        """(model, scenario, metric) of each row group, in the order of the file."""
        return list(self._group)

    def metrics(self, model: str, scenario: str) -> list[str]:
        """Ids of the stored metrics, without :data:`ANSWERED`."""
        return [m for of, where, m in self._group if (of, where) == (model, scenario) and m != ANSWERED]

    def of_each(self, model: str, scenario: str, metric: str) -> bool | None:
        """Whether a metric has a value of each unit, and none of the run; None when it is not stored."""
        group = self._group.get((model, scenario, metric))
        if group is None:
            return None
        rows = self._file.metadata.row_group(group)
        told = rows.column(self._file.schema_arrow.names.index("unit")).statistics
        if told is None or not told.has_null_count:
            return self._file.read_row_group(group, columns=["unit"]).column("unit").null_count == 0
        return bool(told.null_count == 0)

    def get(self, model: str, scenario: str, metric: str) -> tuple[pa.Array, UnitScores] | None:
        """Unit ids and their scores; None when nothing of the kind is stored."""
        group = self._group.get((model, scenario, metric))
        if group is None:
            return None
        table = self._file.read_row_group(group, columns=["unit", "value", "reason", "weight", "sums"])
        values = table.column("value").combine_chunks()
        units = table.column("unit").combine_chunks()
        total, reach = None, None
        if len(units) and not units[0].is_valid:
            total, reach = values[0].as_py(), values[1].as_py()
            table, values, units = table.slice(2), values.slice(2), units.slice(2)
        numbers = values.fill_null(0.0).to_numpy(zero_copy_only=False)
        reasons = _reasons(table.column("reason"))
        return units, UnitScores(
            values=numbers,
            reasons=reasons,
            total=total,
            reach=reach,
            weights=_weights(table),
            sums=_sums(table),
        )


def _weights(table: pa.Table) -> np.ndarray | None:
    """Null throughout, or absent from a table of an earlier version, when all units count alike."""
    if "weight" not in table.column_names or table.column("weight").null_count:
        return None
    weights: np.ndarray = table.column("weight").to_numpy()
    return weights


def _sums(table: pa.Table) -> np.ndarray | None:
    """float64[n, m], 0 for units without a score; None for metrics that are means."""
    if "sums" not in table.column_names:
        return None
    lists = table.column("sums").combine_chunks()
    stored = lists.is_valid().to_numpy(zero_copy_only=False)
    if not stored.any():
        return None
    flat = lists.flatten().to_numpy(zero_copy_only=False).reshape(int(stored.sum()), -1)
    sums = np.zeros((len(stored), flat.shape[1]))
    sums[stored] = flat
    return sums


def _reasons(column: pa.ChunkedArray) -> Mapping[str, np.ndarray]:
    array = column.combine_chunks()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    names = array.dictionary.to_pylist()
    return {name: mask for i, name in enumerate(names) if (mask := codes == i).any()}
