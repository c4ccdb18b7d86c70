"""Top-k recommendation: given what a user did so far, which items come next?"""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.scenarios.ranking.base import RankingScenario


class TopK(RankingScenario):
    """Rank the catalogue for each user of the test period; the truth is what the user did there."""

    name: ClassVar[str] = "top-k"
    title: ClassVar[str] = "Top-k recommendation"
    summary: ClassVar[str] = "Ranks the whole catalogue for each user; the truth is what the user did next."
