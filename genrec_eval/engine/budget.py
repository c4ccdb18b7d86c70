"""What a run may spend: calls, tokens, money, wall time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from genrec_eval.protocol.responses import Usage


class Spent(Exception):
    """The budget is used up; carries the sentence for the coverage table."""


@dataclass(slots=True)
class Budget:
    """Ceilings and what was used of them; None is no ceiling.

    Calls, tokens and money count over all resumed sessions of a run directory, seconds over this one.
    """

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None
    seconds: float | None = None
    used_calls: int = 0
    used_tokens: int = 0
    used_money: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def admit(self) -> None:
        """Count one call about to be sent.

        Raises
        ------
        Spent
            When a ceiling is reached.
        """
        elapsed = time.monotonic() - self.started
        for name, used, most, unit in (
            ("calls", self.used_calls, self.calls, "calls"),
            ("tokens", self.used_tokens, self.tokens, "tokens"),
            ("money", self.used_money, self.money, "US dollars"),
            ("seconds", elapsed, self.seconds, "seconds"),
        ):
            if most is not None and used >= most:
                raise Spent(
                    f"budget of {most:g} {unit} reached; raise engine.budget.{name} and run again to go on"
                )
        self.used_calls += 1

    def charge(self, usage: Usage) -> None:
        """Count what an answer consumed."""
        self.used_tokens += (usage.input_tokens or 0) + (usage.output_tokens or 0)
        self.used_money += usage.cost or 0.0
