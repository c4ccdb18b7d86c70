"""Cold start: items that training does not know, and users of whom only a few items are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.scenarios.ranking.base import OF_THE_KNOWN, OFFERED, VALIDITY, RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.protocol.arrays import Int32
    from genrec_eval.scenarios.ranking.conditions import Condition


class ColdStartOptions(RankingOptions):
    """Options of the cold-start scenario."""

    of: Literal["items", "users"] = Field(
        "items",
        description="What is cold. Users are left out of the training (split: strong-generalisation).",
    )
    most_interactions: NonNegativeInt = Field(
        0, description="Items with at most this many training interactions are cold."
    )
    choose_from: Literal["cold", "all"] = Field(
        "cold", description="Candidates for cold items: the cold items alone, or the whole catalogue."
    )
    shots: tuple[NonNegativeInt, ...] = Field(
        (0, 1, 3, 5), min_length=1, description="How many items of a cold user are known, one question each."
    )
    metrics: tuple[str, ...] = Field(
        ("ndcg", "recall", "hit_rate"),
        min_length=1,
        description="Metrics, as in ndcg@10; without @ they are taken at k.",
    )

    @model_validator(mode="before")
    @classmethod
    def _split_for_users(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("of") == "users" and "split" not in given:
            return {**given, "split": {"method": "strong-generalisation", "pick": "last"}}
        return given

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.of == "items" and self.split.items == "trained":
            raise ValueError("cold items are no targets with split: {items: trained}")
        if self.of == "users" and self.split.method != "strong-generalisation":
            raise ValueError(
                "cold users need split: {method: strong-generalisation}: training must not know them"
            )
        if len(set(self.shots)) < len(self.shots):
            raise ValueError("shots names a number twice")
        for name in ("most_interactions", "choose_from") if self.of == "users" else ("shots",):
            # by value: a suite that was stored with its defaults names every option
            if getattr(self, name) != type(self).model_fields[name].default:
                other = "items" if self.of == "users" else "users"
                raise ValueError(f"{name} is an option of cold {other}: set of: {other}, or leave it out")
        return self


class ColdStart(RankingScenario):
    """Cold items: the truth is cut down to them. Cold users: the latest 0, 1, 3, ... items are known."""

    name: ClassVar[str] = "cold-start"
    title: ClassVar[str] = "Cold start"
    summary: ClassVar[str] = "Asks for items that training does not know, or about users it does not know."
    Options: ClassVar[type[StrictModel]] = ColdStartOptions

    @property
    def validity(self) -> dict[str, tuple[str, float]]:  # type: ignore[override]
        """Of cold items, only what can be said of unknown ones."""
        left_out = OF_THE_KNOWN if self.options.of == "items" else ()
        offered = OFFERED if self.options.of == "items" and self.options.choose_from == "cold" else {}
        return {name: claim for name, claim in {**VALIDITY, **offered}.items() if name not in left_out}

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """The cases of cold items, or one per cold user and number of known items."""
        import numpy as np

        split, _, facts = super().cases(dataset)
        if self.options.of == "users":
            return self._shots(split, facts)
        cold = self._cold(split)
        kept, rows = _only(split, cold)
        if not len(rows):
            raise UsageError(
                f"scenario 'cold-start': no test interaction of data set '{dataset.name}' is with an item of"
                f" at most {self.options.most_interactions} training interactions; raise most_interactions"
            )
        unknown = np.bincount(split.training.interactions.item, minlength=len(cold)) == 0
        facts |= {
            "cold_start_items": int(cold.sum()),
            "most_interactions": self.options.most_interactions,
            "excluded_users": {
                **split.facts.get("excluded_users", {}),
                "no-cold-truth": len(np.unique(split.users)) - len(np.unique(kept.users)),
            },
            "users_evaluated": len(np.unique(kept.users)),
            "truth_pairs": len(kept.truth.values),
            "cold_item_interaction_share": float(unknown[kept.truth.values].mean()),
        }
        return kept, {}, facts

    def candidates(self, split: Split) -> Int32 | None:
        """The cold items."""
        import numpy as np

        if self.options.of == "users" or self.options.choose_from == "all":
            return None
        return np.flatnonzero(self._cold(split)).astype(np.int32)

    def condition(self) -> Condition | None:
        """How many items are known of a cold user."""
        from genrec_eval.scenarios.ranking.conditions import CONDITIONS, Condition

        if self.options.of == "items":
            return None
        return Condition("shots", self.options.shots, CONDITIONS["shots"][1])

    def _cold(self, split: Split) -> Any:
        import numpy as np

        counts = np.bincount(split.training.interactions.item, minlength=len(split.training.items))
        return counts <= self.options.most_interactions

    def _shots(self, split: Split, facts: dict[str, Any]) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        import numpy as np

        from genrec_eval.scenarios.ranking.rows import latest_of, take

        shots = np.array(self.options.shots)
        enough = np.flatnonzero(split.history.lengths >= shots.max())
        if not len(enough):
            raise UsageError(
                f"scenario 'cold-start': no cold user has {shots.max()} known items; lower the greatest shot"
            )
        facts |= {
            "users_evaluated": len(enough),
            "truth_pairs": int(split.truth.lengths[enough].sum()),
            "histories": f"the latest {', '.join(map(str, self.options.shots))} items, in a question each",
            "excluded_users": {
                **split.facts.get("excluded_users", {}),
                "too-few-known": len(split.users) - len(enough),
            },
        }
        cases = take(split, np.repeat(enough, len(shots)))
        known = np.tile(shots, len(enough))
        return replace(cases, history=latest_of(cases.history, known)), {"shots": known}, facts


def _only(split: Split, wanted: Any) -> tuple[Split, Any]:
    """The split with its truth cut down to the items in ``wanted``; cases without any are dropped."""
    import numpy as np

    from genrec_eval.protocol.arrays import Ragged
    from genrec_eval.scenarios.ranking.rows import take

    kept = wanted[split.truth.values]
    owner = np.repeat(np.arange(len(split.users)), split.truth.lengths)[kept]
    truth = Ragged.group(owner, split.truth.values[kept], len(split.users))
    grades = None if split.grades is None else split.grades[kept]
    rows = np.flatnonzero(truth.lengths > 0)
    return take(replace(split, truth=truth, grades=grades), rows), rows
