"""How a suite asks for a split."""

from __future__ import annotations

from datetime import UTC, date, datetime
from datetime import time as clock
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from genrec_eval.core.strict import StrictModel

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split

Method = Literal[
    "global-temporal", "leave-one-out", "user-ratio", "random", "strong-generalisation", "session", "given"
]
Users = Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]

_OWN: dict[str, tuple[str, ...]] = {
    "global-temporal": ("fraction", "time"),
    "leave-one-out": ("validation", "order"),
    "user-ratio": ("fraction", "pick", "order"),
    "random": ("fraction", "folds", "fold", "order"),
    "strong-generalisation": ("fold_in", "test_users", "validation_users", "pick", "order"),
    "session": ("fraction", "time", "gap", "revealed", "context"),
    "given": (),
}
"""Options that only some methods have."""


class KCore(StrictModel):
    """Least numbers of interactions, applied until nobody falls below."""

    users: PositiveInt = Field(1, description="Fewest interactions of a user.")
    items: PositiveInt = Field(1, description="Fewest interactions of an item.")


class SplitSpec(StrictModel):
    """Which interactions are for training and which for testing."""

    method: Method = Field(
        "global-temporal",
        description="global-temporal: one cut in time for all users. leave-one-out: the last interaction of"
        " each user is the test. user-ratio: a share of each user's interactions. random: a share of all"
        " interactions, or one of several folds. strong-generalisation: users who are not in the training"
        " at all, asked from a share of their items. session: sessions by pauses, one case each."
        " given: the cases that the data set brings.",
    )
    fraction: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of interactions before the cut or for training: 0.8 by default. A split into"
        " sessions cuts in time only when this or time is given.",
    )
    time: int | datetime | date | None = Field(
        None, description="The cut: Unix seconds, a date or a date with time (UTC unless it says otherwise)."
    )
    validation: bool | None = Field(
        None,
        description="leave-one-out: also keep the last but one out of the training; it stays in the history.",
    )
    pick: Literal["last", "random"] | None = Field(
        None,
        description="Which of a user's interactions are the test; last for user-ratio and random for"
        " strong-generalisation by default.",
    )
    order: Literal["time", "file"] | None = Field(
        None,
        description="What comes last in data without timestamps: file takes the order of the rows. random:"
        " file draws nothing, folds are runs of rows of the file, as u1 to u5 of MovieLens 100K are.",
    )
    folds: int | None = Field(None, ge=2, le=1000, description="random: number of folds.")
    fold: PositiveInt | None = Field(None, description="random: the fold that is the test, from 1.")
    fold_in: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="strong-generalisation: share of a tested user's items that is the history; 0.8.",
    )
    test_users: Users | None = Field(
        None, description="strong-generalisation: number or share of users to test; 0.1 by default."
    )
    validation_users: Users | None = Field(
        None, description="strong-generalisation: number or share of users on neither side."
    )
    gap: PositiveInt | None = Field(
        None, description="session: seconds without interaction that end a session; 1800 by default."
    )
    revealed: int | None = Field(
        None,
        ge=0,
        description="session: how many first items of a tested session are known; 0 by default, and 1 asks"
        " for all but the first.",
    )
    context: Literal["user", "session"] | None = Field(
        None,
        description="session: whether the history is all that the user did before, or what is revealed of"
        " the session alone.",
    )
    cold_users: Literal["include", "exclude"] = Field(
        "include", description="Whether users without training interactions are evaluated."
    )
    drop_below: float | None = Field(
        None, description="Drop interactions rated lower before anything else, from both sides."
    )
    k_core: KCore | None = Field(
        None,
        description="Drop users and items with fewer interactions, over and over, before the split; this"
        " counts the test as well.",
    )
    items: Literal["all", "trained"] = Field(
        "all", description="Whether items without training interactions may be targets."
    )
    repeats: Literal["drop", "keep"] = Field(
        "drop", description="Whether items of the history may be targets."
    )
    min_history: int | None = Field(
        None,
        ge=0,
        description="Fewest known items of a case; 1 for leave-one-out, user-ratio and"
        " strong-generalisation, else 0.",
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        own = _OWN[self.method]
        for name in sorted({name for names in _OWN.values() for name in names} - set(own)):
            # by value: a suite that was stored with its defaults names every option
            if getattr(self, name) is not None:
                homes = [method for method, names in _OWN.items() if name in names]
                raise ValueError(
                    f"'{name}' is an option of {_listing(homes)}, not of {self.method}"
                    f" (options of {self.method} alone: {', '.join(own) or 'none'})"
                )
        if self.fraction is not None and self.time is not None:
            raise ValueError("a split takes either fraction or time, not both")
        self._check_random()
        self._check_users()
        self._check_given()
        return self

    def _check_random(self) -> None:
        if self.folds is not None and self.fraction is not None:
            raise ValueError("a random split takes either fraction or folds, not both")
        if (self.folds is None) != (self.fold is None):
            raise ValueError("folds and fold belong together, as in folds: 5, fold: 1")
        if self.folds is not None and self.fold is not None and self.fold > self.folds:
            raise ValueError(f"fold must be at most folds ({self.folds}), not {self.fold}")
        if self.method == "random" and self.order == "time":
            raise ValueError(
                "a random split is by lot, or with order: file by rows; for one in time set method:"
                " global-temporal"
            )

    def _check_users(self) -> None:
        if self.method == "strong-generalisation" and self.cold_users == "exclude":
            raise ValueError(
                "strong-generalisation asks about users without training interactions, so cold_users must"
                " be include"
            )
        if self.order is not None and self.draws:
            raise ValueError("order says what comes last, and a random pick does not ask; set pick: last")
        if (self.revealed or 0) == 0 and self.context == "session":
            raise ValueError("context: session leaves an empty history unless revealed is at least 1")

    def _check_given(self) -> None:
        if self.method != "given":
            return
        for name in ("k_core", "drop_below"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} cannot be applied to given cases; leave it out")

    @property
    def draws(self) -> bool:
        """Whether a user's test interactions are drawn at random."""
        return (self.pick or ("random" if self.method == "strong-generalisation" else "last")) == "random"

    @property
    def least_history(self) -> int:
        """``min_history``, or the default of the method."""
        if self.min_history is not None:
            return self.min_history
        return int(self.method in ("leave-one-out", "user-ratio", "strong-generalisation"))

    @property
    def cut(self) -> int | None:
        """``time`` in Unix seconds."""
        when = self.time
        if when is None or isinstance(when, int):
            return when
        if not isinstance(when, datetime):
            when = datetime.combine(when, clock())
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())

    def apply(self, dataset: Dataset, min_rating: float | None = None, seed: int = 0) -> Split:
        """Split ``dataset``; see :func:`genrec_eval.data.splits.split.split`."""
        from genrec_eval.data.splits.split import split

        return split(dataset, self, min_rating=min_rating, seed=seed)


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
