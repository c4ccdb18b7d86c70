"""How the titles that a model wrote were matched to the catalogue: counts by tier, and examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import count
from genrec_eval.reporting.text import line

TIERS = ("exact", "normalised", "alias", "fuzzy", "ambiguous", "none")
"""From the surest match to none at all."""
_QUOTED = ("fuzzy", "alias", "normalised", "ambiguous", "none")
_EXAMPLES = 3


@dataclass(slots=True)
class Grounded:
    """The mentions of one model in one scenario.

    Attributes
    ----------
    counts
        Tier → number of mentions.
    examples
        Tier → (what was written, the item it was taken for or ``""``), a few of each but ``exact``.
    """

    model: str
    scenario: str
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def cells(self) -> list[str]:
        """Mentions, then the share of each tier in percent, as the table shows them."""
        total = sum(self.counts.values())
        shares = [f"{100 * self.counts.get(tier, 0) / total:.1f}" for tier in TIERS]
        return [count(total), *shares]

    @property
    def quoted(self) -> list[tuple[str, str, str]]:
        """Tier, what was written and what it was taken for."""
        return [
            (tier, said, meant) for tier in _QUOTED for said, meant in self.examples.get(tier, {}).items()
        ]


def groundings(directory: Path) -> list[Grounded]:
    """Count the tiers in ``records/*.parquet``; models whose answers are ids have none.

    Raises
    ------
    UsageError
        When a file is not a table of records.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[tuple[str, str], Grounded] = {}
    for path in sorted((directory / "records").rglob("*.parquet")):
        try:
            file = pq.ParquetFile(path)
            if any(name not in file.schema_arrow.names for name in ("model", "scenario", "grounding")):
                continue
            for number in range(file.num_row_groups):
                tiers = file.read_row_group(number, columns=["grounding"]).column(0)
                if tiers.null_count < len(tiers):
                    columns = ["model", "scenario", "items", "mentions", "grounding"]
                    for batch in file.iter_batches(8192, row_groups=[number], columns=columns):
                        _add(batch, found)
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} cannot be read ({error}); redo it with 'genrec-eval run'") from None
    for row in found.values():
        _name_items(row, directory / "cases" / f"{row.scenario}@items.parquet")
    return list(found.values())


def _add(batch: Any, found: dict[tuple[str, str], Grounded]) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = [
        pc.fill_null(pc.list_value_length(batch.column(name)), 0).to_numpy(zero_copy_only=False)
        for name in ("items", "mentions", "grounding")
    ]
    # Lists of other lengths than the tiers were not written by this program.
    whole = (lengths[0] == lengths[2]) & (lengths[1] == lengths[2]) & (lengths[2] > 0)
    batch = batch.filter(pa.array(whole))
    if not len(batch):
        return
    rows = np.repeat(np.arange(len(batch)), lengths[2][whole])
    model, scenario = (batch.column(name).cast(pa.string()) for name in ("model", "scenario"))
    items, mentions, tiers = (pc.list_flatten(batch.column(n)) for n in ("items", "mentions", "grounding"))
    flat = pa.table(
        {"model": model.take(pa.array(rows)), "scenario": scenario.take(pa.array(rows)), "tier": tiers}
    )
    for entry in flat.group_by(["model", "scenario", "tier"]).aggregate([([], "count_all")]).to_pylist():
        key, tier = (str(entry["model"]), str(entry["scenario"])), str(entry["tier"])
        row = found.setdefault(key, Grounded(*key))
        row.counts[tier] = row.counts.get(tier, 0) + entry["count_all"]
        shown = row.examples.setdefault(tier, {})
        if tier not in _QUOTED or len(shown) >= _EXAMPLES:
            continue
        mine = pc.and_(pc.equal(flat["model"], key[0]), pc.equal(flat["scenario"], key[1]))
        here = pc.and_(mine, pc.equal(flat["tier"], tier)).combine_chunks()
        said, meant = mentions.filter(here), items.filter(here)
        for word in pc.unique(said).slice(0, 4 * _EXAMPLES).to_pylist():
            if len(shown) < _EXAMPLES and word is not None:
                place = pc.index(said, word).as_py()
                shown.setdefault(line(word, 120), "" if tier in {"ambiguous", "none"} else str(meant[place]))


def _name_items(row: Grounded, path: Path) -> None:
    """Put titles beside the ids of the examples, where the catalogue was stored with the cases."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    ids = {meant for shown in row.examples.values() for meant in shown.values() if meant}
    if not ids or not path.is_file():
        return
    try:
        table = pq.read_table(path, columns=["item", "title"])
    except (pa.ArrowException, OSError, KeyError, ValueError):
        return  # a catalogue without titles
    table = table.filter(pc.is_in(table["item"], pa.array(sorted(ids))))
    titles = dict(zip(table["item"].to_pylist(), table["title"].to_pylist(), strict=True))
    for shown in row.examples.values():
        for said, meant in shown.items():
            shown[said] = line(f"{titles[meant]}, {meant}" if titles.get(meant) else meant, 120)
