"""What tokens cost: a dated table that a suite can replace."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import plain, read_file
from genrec_eval.models.check import count
from genrec_eval.models.spec import Price
from genrec_eval.protocol.responses import Usage

BUNDLED = Path(__file__).with_name("prices.yaml")
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class PriceTable(StrictModel):
    """Prices by host and model, with the day on which they were true."""

    as_of: datetime.date
    source: str
    endpoints: dict[str, dict[str, Price]]

    def price(self, host: str, model: str) -> Price | None:
        """Price of a model at a host; a dated snapshot costs what its model costs, unless listed.

        >>> read_prices().price("api.openai.com", "gpt-4o-mini-2024-07-18").input
        0.15
        >>> read_prices().price("localhost", "gpt-4o-mini") is None
        True
        """
        for known in (host, "*"):
            models = self.endpoints.get(known, {})
            found = models.get(model) or models.get(_SNAPSHOT.sub("", model))
            if found is not None:
                return found
        return None


def read_prices(path: Path | None = None) -> PriceTable:
    """Read a table of prices, the bundled one by default.

    Raises
    ------
    UsageError
        When the file is missing or not of the form of the bundled one.
    """
    path = path or BUNDLED
    if not path.exists():
        raise UsageError(f"no price table at {path}")
    try:
        return PriceTable.model_validate(plain(read_file(path, str(path))))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}"
            for fault in error.errors(include_url=False)[:5]
        )
        raise UsageError(f"{path} is not a price table: {faults}") from None


def read_usage(reported: Any, price: Price | None) -> Usage:
    """Token counts as the OpenAI API reports them, and what they cost.

    >>> read_usage({"prompt_tokens": 1000, "completion_tokens": 500}, Price(input=2, output=8))
    Usage(input_tokens=1000, output_tokens=500, cost=0.006)
    """
    if not isinstance(reported, Mapping):
        return Usage()
    given = count(reported.get("prompt_tokens", reported.get("input_tokens")))
    made = count(reported.get("completion_tokens", reported.get("output_tokens")))
    cost = None
    if price is not None and given is not None and made is not None:
        details = reported.get("prompt_tokens_details")
        cached = count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
        cheap = min(cached or 0, given) if price.cached_input is not None else 0
        cost = ((given - cheap) * price.input + cheap * (price.cached_input or 0) + made * price.output) / 1e6
    return Usage(input_tokens=given, output_tokens=made, cost=cost)
