"""What the server does wrong on purpose: latency, stalls, errors, cut and malformed answers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, field_validator, model_validator
from pydantic_core import PydanticCustomError

from genrec_eval.core.randomness import generator
from genrec_eval.core.strict import StrictModel

if TYPE_CHECKING:
    import numpy as np

FaultName = Literal["stall", "error_429", "error_5xx", "truncate", "malformed"]
DRAWN: tuple[FaultName, ...] = ("stall", "error_429", "error_5xx", "truncate", "malformed")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")


def seconds(text: str) -> float:
    """Read ``"200ms"`` or ``"1.5s"``.

    >>> seconds("200ms")
    0.2
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a duration such as 200ms or 1.5s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


@dataclass(frozen=True, slots=True)
class Latency:
    """Time from the arrival of a request to the first byte of its answer.

    Written ``"200ms"`` (constant), ``"uniform:50ms-400ms"`` or ``"lognormal:200ms,0.5"`` (median and
    standard deviation of the logarithm).
    """

    shape: Literal["constant", "uniform", "lognormal"]
    first: float
    second: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Latency:
        """Read the written form; raises ValueError with a sentence."""
        name, colon, rest = text.partition(":")
        try:
            if not colon:
                return cls("constant", seconds(text))
            if name == "uniform":
                low, _, high = rest.partition("-")
                if seconds(low) > seconds(high):
                    raise ValueError("the lower end is above the upper end")
                return cls("uniform", seconds(low), seconds(high))
            if name == "lognormal":
                median, _, sigma = rest.partition(",")
                spread = float(sigma)
                if not 0 <= spread <= 5:
                    raise ValueError("the spread is between 0 and 5")
                return cls("lognormal", seconds(median), spread)
            raise ValueError(f"'{name}' is not a distribution")
        except ValueError as error:
            raise ValueError(
                f"latency '{text}': {error}; write 200ms, uniform:50ms-400ms or lognormal:200ms,0.5"
            ) from None

    def draw(self, random: np.random.Generator) -> float:
        """Seconds."""
        if self.shape == "uniform":
            return float(random.uniform(self.first, self.second))
        if self.shape == "lognormal":
            return self.first * math.exp(self.second * random.standard_normal())
        return self.first


class Faults(StrictModel):
    """Which faults occur and how often; none by default.

    A draw depends on the seed, on the request's content and on how often that request was seen before,
    so a retry can succeed and a rerun of the same calls meets the same faults. ``rate_limit`` alone
    depends on the clock.
    """

    seed: int = Field(default=0, description="Seed of every draw.")
    latency: str = Field(default="0ms", description="200ms, uniform:50ms-400ms or lognormal:200ms,0.5.")
    stall: float = Field(
        default=0, ge=0, le=1, description="Share of calls that are accepted and never answered."
    )
    error_429: float = Field(
        default=0, ge=0, le=1, description="Share of calls answered with 429 and Retry-After."
    )
    error_5xx: float = Field(
        default=0, ge=0, le=1, description="Share of calls answered with 500, 502 or 503."
    )
    truncate: float = Field(
        default=0, ge=0, le=1, description="Share of answers cut midway by closing the connection."
    )
    malformed: float = Field(default=0, ge=0, le=1, description="Share of answers that are not valid JSON.")
    rate_limit: PositiveFloat | None = Field(default=None, description="Most calls a second; 429 beyond.")
    retry_after: NonNegativeFloat = Field(default=1.0, description="Seconds that a drawn 429 asks to wait.")
    max_faults_per_request: NonNegativeInt | None = Field(
        default=None,
        description="Most drawn faults of one request, so that its retries end; no bound by default.",
    )

    @field_validator("latency")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            Latency.parse(text)
        except ValueError as error:
            raise PydanticCustomError("latency", "{sentence}", {"sentence": str(error)}) from None
        return text

    @model_validator(mode="after")
    def _at_most_all(self) -> Faults:
        total = sum(getattr(self, name) for name in DRAWN)
        if total > 1 + 1e-9:
            raise PydanticCustomError(
                "fault_rates",
                "the rates of stall, error_429, error_5xx, truncate and malformed add up to {total}, above 1",
                {"total": round(total, 6)},
            )
        return self


@dataclass(frozen=True, slots=True)
class Draw:
    """What happens to one call."""

    latency: float
    fault: FaultName | None = None
    status: int = 500
    """Status of an ``error_5xx``."""
    place: float = 0.5
    """Where a truncated answer is cut, as a share of its length."""


class FaultSource:
    """Draws the fate of each call; keeps count of what was seen.

    Parameters
    ----------
    faults
        Rates and seed.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.latency = Latency.parse(faults.latency)
        self._edges: list[tuple[float, FaultName]] = []
        reached = 0.0
        for name in DRAWN:
            if rate := getattr(faults, name):
                reached += rate
                self._edges.append((reached, name))
        self._random = bool(self._edges) or self.latency.shape != "constant"
        self._calm = Draw(self.latency.first)
        self._seen: dict[str, int] = {}
        self._faulted: dict[str, int] = {}

    def draw(self, key: str) -> Draw:
        """The fate of the next call whose content has digest ``key``."""
        if not self._random:  # nothing to count: a load test may send millions of distinct requests
            return self._calm
        seen = self._seen[key] = self._seen.get(key, -1) + 1
        random = generator(self.faults.seed, "fault", key, seen)
        latency = self.latency.draw(random)
        share, status, place = random.random(3)
        fault = next((name for edge, name in self._edges if share < edge), None)
        if fault is None:
            return Draw(latency)
        count = self._faulted.get(key, 0)
        bound = self.faults.max_faults_per_request
        if bound is not None and count >= bound:
            return Draw(latency)
        self._faulted[key] = count + 1
        return Draw(latency, fault, (500, 502, 503)[int(status * 3)], float(place))


class RateLimit:
    """A token bucket: ``rate`` calls a second, with a burst of one second's worth (one call at least).

    Parameters
    ----------
    rate
        Calls per second.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.burst = max(1.0, rate)
        self._tokens = self.burst
        self._last: float | None = None

    def wait(self, now: float) -> float:
        """0 when the call may pass, else the seconds after which it may be tried again."""
        if self._last is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._last) * self.rate)
        self._last = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate
