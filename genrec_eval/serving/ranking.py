"""``POST /rank`` and ``POST /rate``: the JSON ranking service."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import numpy as np

from genrec_eval.core.errors import did_you_mean
from genrec_eval.data.dataset import Training
from genrec_eval.reference.base import ReferenceModel
from genrec_eval.serving.catalogue import Catalogue
from genrec_eval.serving.exchange import ApiError, Reply, Scope, json_reply
from genrec_eval.serving.fields import read_object, text, texts, whole_number

_DAMPING = 5.0
_MOST = 10_000


class RankService:
    """Answers rank requests in the wire form of the protocol.

    Parameters
    ----------
    catalogue
        The models.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._means = _mean_ratings(catalogue.training)

    def rank(self, body: bytes, scope: Scope) -> Reply:
        """``{"user", "history", "k", "candidates"?, "profile"?}`` → ``{"items", "scores"?}``."""
        request = read_object(body)
        if request.get("kind") == "rate":  # an adapter with one address sends both kinds there
            return self.rate(body, scope)
        model = self._model(scope)
        user = text(request, "user", "")
        k = whole_number(request, "k", 1, _MOST) or 10
        candidates = self._codes(request, "candidates") if request.get("candidates") is not None else None
        items, scores = self.catalogue.recommend(
            model, user, self._codes(request, "history"), k, candidates, texts(request, "profile")
        )
        return json_reply({"items": items} if scores is None else {"items": items, "scores": scores})

    def rate(self, body: bytes, scope: Scope) -> Reply:
        """``{"items"}`` → ``{"ratings"}``: each item's mean training rating, null for unknown items.

        The mean is damped: every item starts with 5 ratings of the overall mean.
        """
        if self._means is None:
            raise ApiError(400, f"The data set '{self.catalogue.training.dataset}' holds no ratings.")
        codes = self._codes(read_object(body), "items")
        means = self._means[codes].tolist()
        return json_reply({"ratings": [None if c < 0 else m for c, m in zip(codes, means, strict=True)]})

    def _codes(self, request: dict[str, Any], key: str) -> np.ndarray:
        ids = request.get(key, [])
        if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
            raise ApiError(400, f"'{key}' must be a list of item ids.", param=key)
        codes = self.catalogue.training.items.codes
        return np.array([codes.get(name, -1) for name in ids], np.int32)

    def _model(self, scope: Scope) -> ReferenceModel:
        models = self.catalogue.models
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("model")
        name = asked[-1] if asked else next(iter(models))
        if name not in models:
            raise ApiError(
                404,
                f"The model '{name}' does not exist{did_you_mean(name, models)}",
                param="model",
                code="model_not_found",
            )
        return models[name]


def _mean_ratings(training: Training) -> np.ndarray | None:
    events, n = training.interactions, len(training.items)
    if events.rating is None or not len(events):
        return None
    sums = np.bincount(events.item, weights=events.rating, minlength=n)
    counts = np.bincount(events.item, minlength=n)
    return (sums + _DAMPING * float(events.rating.mean())) / (counts + _DAMPING)
