"""What is usually wrong with ids and with what is said of items, one method per suspicion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.numbers import count as written
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.quality.finding import Finding, looked_for
from genrec_eval.data.tables.streams import clip

FEW = 0.01
"""Share below which an odd id may well be somebody's name."""

_PADDING = ("[pad]", "<pad>", "<unk>", "[unk]")
_NOTHING = ("pad", "nan", "none", "null", "na", "n/a", "<na>", "nil", "unknown", "undefined", "-1")
_FRACTION = r"^[+-]?(\d+\.\d+|\d+(\.\d*)?[eE]\+\d+)$"
_EXAMPLES = 3


class IdSuspicions:
    """The questions, on the vocabularies and tables of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        log = dataset.interactions
        self.roles: tuple[tuple[str, pa.Array, npt.NDArray[np.integer]], ...] = (
            ("user", dataset.users.ids, np.bincount(log.user, minlength=len(dataset.users))),
            ("item", dataset.items.ids, np.bincount(log.item, minlength=len(dataset.items))),
        )
        self.all_ids = len(dataset.users) + len(dataset.items)

    def all(self) -> list[Finding]:
        """Every finding, those without a find included."""
        return [
            self.padding(),
            self.nought(),
            self.fractions(),
            self.alike(),
            self.undescribed(),
            self.titles(),
        ]

    def padding(self) -> Finding:
        """Words for nothing among the ids."""
        hits, many = [], False
        for role, ids, counts in self.roles:
            lowered = pc.utf8_lower(ids)
            odd = pc.is_in(lowered, value_set=pa.array([*_PADDING, *_NOTHING])).to_numpy(zero_copy_only=False)
            hits += [f"{role} {clip(ids[int(place)])}" for place in np.flatnonzero(odd)]
            # a person may call herself 'None', but hardly often
            many |= bool((counts[odd] > FEW * counts.sum()).any())
            many |= bool(pc.any(pc.is_in(lowered, value_set=pa.array(_PADDING))).as_py())
        return looked_for(
            "padding-id",
            len(hits),
            self.all_ids,
            "warning" if many else "note",
            f"{written(len(hits))} ids are words for nothing, of padding or of a missing value, and count"
            " as a user or an item.",
            "No id is a word for nothing.",
            tuple(hits[:_EXAMPLES]),
        )

    def nought(self) -> Finding:
        """An item or user 0 that nobody met, as libraries reserve it for padding."""
        hits = []
        for role, ids, counts in self.roles:
            place = pc.index(ids, "0").as_py()
            if place >= 0 and pc.index(ids, "1").as_py() >= 0 and not counts[place]:
                hits.append(f"{role} '0'")
        facts = self.dataset.facts
        also = ""
        if "recbole_item_num" in facts:
            also = (
                f" RecBole's own tables say {written(facts['recbole_user_num'])} users and"
                f" {written(facts['recbole_item_num'])} items: one more of each than there are, for padding."
            )
        given = self.dataset.given is not None
        count = 0 if given else len(hits)
        return looked_for(
            "unused-id-0",
            count,
            2,
            "note",
            f"{' and '.join(hits)} is described and has no interaction: if it is the padding of another"
            f" library, it is one too many.{also}",
            f"No id 0 looks like padding.{also}",
        )

    def fractions(self) -> Finding:
        """Ids that went through a column of floating-point numbers."""
        hits, n, many = [], 0, False
        for role, ids, _ in self.roles:
            odd = ids.filter(pc.match_substring_regex(ids, _FRACTION))
            n += len(odd)
            many |= len(odd) > FEW * len(ids)
            hits += [f"{role} {clip(found)}" for found in odd.slice(0, _EXAMPLES).to_pylist()]
        return looked_for(
            "float-id",
            n,
            self.all_ids,
            "warning" if many else "note",
            f"{written(n)} ids are fractions or in exponential notation: they were read as numbers once,"
            " which rounds long ids and merges different ones.",
            "No id is a fraction.",
            tuple(hits[:_EXAMPLES]),
        )

    def alike(self) -> Finding:
        """Ids that differ in noughts before them or in the case of letters alone."""
        hits, n = [], 0
        for role, ids, _ in self.roles:
            bare = pc.replace_substring_regex(pc.utf8_lower(ids), "^0+([0-9]+)$", r"\1")
            counts = pc.value_counts(bare)
            twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
            n += len(ids) - len(counts)
            if len(twice):
                pair = ids.filter(pc.equal(bare, twice[0])).to_pylist()[:2]
                hits.append(f"{role}s {clip(pair[0])} and {clip(pair[1])}")
        return looked_for(
            "ids-alike",
            n,
            self.all_ids,
            "note",
            f"{written(n)} ids differ from another only in noughts before them or in the case of letters.",
            "No two ids differ only in noughts before them or in the case of letters.",
            tuple(hits[:_EXAMPLES]),
        )

    def undescribed(self) -> Finding:
        """Items of the interactions that the items' file does not know: with many, the ids do not match."""
        facts = self.dataset.facts
        n = int(facts.get("items_added_from_interactions", 0))
        used = len(self.dataset.items) - int(facts.get("items_without_interactions", 0))
        most = used > 0 and n > used / 2
        return looked_for(
            "undescribed-items",
            n,
            used,
            "warning" if most else "note",
            f"{written(n)} of {written(used)} items with interactions are not among the items described"
            + (": the ids of the two files do not match." if most else "."),
            "Every item with interactions is described, or none is.",
        )

    def titles(self) -> Finding:
        """Titles that stand for several items."""
        n = int(self.dataset.facts.get("ambiguous_titles", 0))
        examples: tuple[str, ...] = ()
        if n:
            counts = self.dataset.item_table.column("title").drop_null().value_counts()
            shared = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
            examples = tuple(clip(title) for title in shared.slice(0, _EXAMPLES).to_pylist())
        return looked_for(
            "ambiguous-titles",
            n,
            len(self.dataset.items),
            "note",
            f"{written(n)} titles are shared by several items: an answer in words cannot say which is meant.",
            "No two items share a title.",
            examples,
        )
