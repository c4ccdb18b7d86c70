"""Whether data and split offer what the metrics need, before anything is played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.base import NEEDS, Metric
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.scenarios.elsewhere import refuse_no_group
from genrec_eval.scenarios.ranking.catalogue import catalogue_of
from genrec_eval.scenarios.ranking.groups import named_groups

if TYPE_CHECKING:
    from genrec_eval.data.splits.split import Split


def refuse_unmet(
    scenario: str,
    dataset: Dataset,
    split: Split,
    items: pa.Table,
    metrics: Iterable[Metric],
    shared: bool,
    groups: Mapping[str, pa.Array] = MappingProxyType({}),
) -> None:
    """Refuse metrics for which the data, the split or the groups of users lack something.

    Parameters
    ----------
    groups
        Columns ``group.<name>`` of the cases.

    Raises
    ------
    UsageError
        When a metric asks for what is not there.
    """
    from genrec_eval.metrics.grouped.by_group import base_of

    offered = {"scores", "test_counts"}
    parts = {
        "grades": split.grades,
        "rejected": split.rejected,
        "candidates": split.candidates,
        "cut": split.cut,
    }
    offered |= {name for name, part in parts.items() if part is not None}
    offered |= {"candidates"} if shared else set()
    columns = {
        "attributes": "attributes",
        "embeddings": "embedding",
        "providers": "provider",
        "first_seen": "first_seen",
        "train_users": "train_users",
        "ambiguous": "semantic_id",
    }
    offered |= {name for name, column in columns.items() if column in items.column_names}
    named = {name.removeprefix("group."): named_groups(column) for name, column in groups.items()}
    metrics = list(metrics)
    for metric in metrics:
        if "groups" in metric.needs:
            refuse_no_group(scenario, metric, named)
        base = base_of(metric)
        for need in dict.fromkeys([*metric.needs, *(base.needs if base else ())]):
            if need not in offered | {"groups"}:
                raise UsageError(
                    f"scenario '{scenario}': metric '{metric.id}' needs {NEEDS.get(need, need)}, "
                    f"which data set '{dataset.name}' and this split do not offer; take it out of the metrics"
                )
    _refuse_unfit(scenario, items, metrics, named)


def _refuse_unfit(
    scenario: str, items: pa.Table, metrics: Iterable[Metric], groups: Mapping[str, GroupCodes]
) -> None:
    """Try every metric on nobody: what is wrong with its parameters shows before anything is paid for."""
    nobody = RankedLists(
        items=np.empty((0, 1), np.int32),
        truth=Ragged.from_lists([]),
        history=Ragged.from_lists([]),
        answered=np.empty(0, bool),
        catalogue=catalogue_of(items),
        grades=np.empty(0),
        rejected=Ragged.from_lists([]),
        candidates=Ragged.from_lists([]),
        scores=np.empty((0, 1)),
        cut=np.empty(0, np.int64),
        groups={name: GroupCodes(one.codes[:0], one.names) for name, one in groups.items()},
    )
    for metric in metrics:
        try:
            metric(nobody)
        except UsageError as error:
            raise UsageError(f"scenario '{scenario}': {error}") from None
