"""What panels read of a run: the units of a scenario with their groups, and the stored scores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.audit.score import SCORES_FILE, StoredScores
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.lists import GroupCodes
from genrec_eval.reporting.page.material import Material
from genrec_eval.scenarios.ranking.groups import CROSSED, named_groups
from genrec_eval.scenarios.ranking.units import Units


@dataclass(frozen=True, slots=True)
class Held:
    """Units of a scenario and their groups.

    Attributes
    ----------
    units
        Ids, once each.
    groups
        Name → code of each unit's group.
    """

    units: pa.Array
    groups: dict[str, GroupCodes]

    @classmethod
    def read(cls, directory: Path, scenario: str) -> Held | None:
        """From the table of cases; None where there is none, or it cannot be read."""
        import pyarrow.parquet as pq

        path = directory / "cases" / f"{scenario}.parquet"
        try:
            known = pq.read_schema(path).names
            columns = [name for name in known if name.startswith("group.")]
            table = pq.read_table(path, columns=["unit", *columns])
        except (OSError, pa.ArrowException):
            return None
        units = Units.of(table)
        return cls(units.ids, {name: named_groups(held) for name, held in units.groups(table).items()})

    def parts(self, name: str) -> list[GroupCodes]:
        """What an intersection crosses: the groups of its attributes, or what its values are made of."""
        wanted = name.split(CROSSED)
        if all(part in self.groups for part in wanted):
            return [self.groups[part] for part in wanted]
        whole = self.groups[name]
        split = [value.split(CROSSED) for value in whole.names]
        if any(len(values) != len(wanted) for values in split):
            return [whole]
        found = []
        for place in range(len(wanted)):
            values = list(dict.fromkeys(one[place] for one in split))
            table = np.array([*(values.index(one[place]) for one in split), -1], np.int32)
            found.append(GroupCodes(table[whole.codes], tuple(values)))
        return found

    def scores(self, units: pa.Array, scores: UnitScores) -> tuple[np.ndarray, np.ndarray]:
        """float64[n] and bool[n], values and which units have one, in the order of :attr:`units`."""
        if units.equals(self.units):
            return scores.values, scores.scored
        rows = pc.index_in(self.units, value_set=units)
        found = rows.is_valid().to_numpy(zero_copy_only=False)
        at = rows.fill_null(0).to_numpy(zero_copy_only=False)
        return scores.values[at], scores.scored[at] & found


@contextmanager
def stored_scores(material: Material) -> Iterator[StoredScores | None]:
    """The scores of the run; None where it keeps none."""
    path = material.directory / SCORES_FILE
    if not path.is_file():
        yield None
        return
    with StoredScores(path) as stored:
        yield stored
