"""The key that models which can chat have in common: how they are asked for recommendations."""

from __future__ import annotations

from pydantic import Field

from genrec_eval.models.llm.spec import RecommenderSpec
from genrec_eval.models.spec import ModelSpec


class ChatCapableSpec(ModelSpec):
    """A model that may answer ``chat``."""

    recommender: RecommenderSpec | None = Field(
        None, description="Answer rank requests through chat: prompt, parser and grounding."
    )
