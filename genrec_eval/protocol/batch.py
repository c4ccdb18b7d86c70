"""Columnar rank requests and answers: a million users without a Python object each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from genrec_eval.protocol.arrays import Float64, Int32, Ragged, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class RankBatch:
    """Rank requests of n users.

    Attributes
    ----------
    users
        pyarrow string array, n ids.
    user_codes
        int32[n], codes in the training's user vocabulary; -1 for users unseen in training.
    history
        Item codes per user, oldest first.
    k
        List length asked for.
    items
        The catalogue; codes index it.
    candidates
        Item codes to choose from, or None for the whole catalogue.
    repeat
        Index of the independent sample; a model that draws must draw anew for each.
    cases
        pyarrow string array, n case ids; they tell apart the questions about one user. None where nobody
        needs them.
    profiles
        pyarrow table of n rows, a string column per attribute that is disclosed to the model, null where it
        is not disclosed of a user; None where nothing is disclosed of anybody.
    wordings
        pyarrow string array, n names of the words to ask in, null for the usual ones; None where all are
        asked in these.
    """

    users: Any
    user_codes: Int32
    history: Ragged
    k: int
    items: Vocabulary
    candidates: Ragged | None = None
    repeat: int = 0
    cases: Any = None
    profiles: Any = None
    wordings: Any = None

    def __len__(self) -> int:
        return len(self.user_codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedBatch:
    """Ranked lists of n users, exactly as generated.

    Attributes
    ----------
    items
        int32[n, width]; catalogue codes, best first; -1 after the end of a list;
        ``-2 - j`` for the unknown id ``unknown[j]``.
    unknown
        Ids that are not in the catalogue.
    scores
        float[n, width] or None.
    status
        uint8[n], index into ``status.CODES``; None when every row is ok.
    errors
        Row → sentence, for rows whose status is not ok.
    """

    items: Int32
    unknown: list[str] = field(default_factory=list)
    scores: Float64 | None = None
    status: npt.NDArray[np.uint8] | None = None
    errors: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateBatch:
    """Rate requests of n users.

    Attributes
    ----------
    users
        pyarrow string array, n ids.
    user_codes
        int32[n], codes in the training's user vocabulary; -1 for users unseen in training.
    targets
        Item codes to rate per user.
    history
        Item codes per user, oldest first.
    items
        The catalogue; codes index it.
    repeat
        Index of the independent sample.
    """

    users: Any
    user_codes: Int32
    targets: Ragged
    history: Ragged
    items: Vocabulary
    repeat: int = 0

    def __len__(self) -> int:
        return len(self.user_codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedBatch:
    """Predicted ratings of n users, exactly as generated.

    Attributes
    ----------
    ratings
        float64, parallel to ``targets.values``; NaN where the model gives none.
    status
        uint8[n], index into ``status.CODES``; None when every row is ok.
    errors
        Row → sentence, for rows whose status is not ok.
    """

    ratings: Float64
    status: npt.NDArray[np.uint8] | None = None
    errors: dict[int, str] = field(default_factory=dict)
