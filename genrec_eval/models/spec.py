"""What a suite says about a model, and how an adapter is built from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt

from genrec_eval.core.registry import Registry
from genrec_eval.core.strict import StrictModel

ADAPTERS = Registry(
    "adapter",
    {
        "reference": "genrec_eval.reference.adapter:ReferenceSpec",
        "python": "genrec_eval.models.python:PythonSpec",
        "replay": "genrec_eval.models.replay:ReplaySpec",
        "http": "genrec_eval.models.http:HttpSpec",
        "process": "genrec_eval.models.process:ProcessSpec",
        "openai": "genrec_eval.models.openai:OpenAISpec",
        "logged": "genrec_eval.models.logged:LoggedSpec",
    },
    group="genrec_eval.models",
)
"""Adapter name → its spec class. Spec modules import nothing heavy: they are read to validate a suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """What an adapter may need beyond its spec."""

    name: str
    """Name of the model in the suite."""
    folder: Path
    """Folder of the suite file; relative paths are resolved against it."""
    training: Any
    """:class:`genrec_eval.data.dataset.Training` of the scenario, or None when it has no data."""
    seed: int
    prices: Path | None = None
    """Price table of the suite; None for the bundled one."""


class Price(StrictModel):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(
        None, ge=0, description="For input that the provider had cached; the price of input when unset."
    )


class ModelSpec(StrictModel):
    """Keys that every model of a suite has; adapters add theirs and a literal ``adapter`` key."""

    description: str | None = Field(None, description="One line for the report.")
    timeout: PositiveFloat | None = Field(
        None, description="Seconds for one attempt; overrides engine.timeout."
    )
    limit: PositiveInt | None = Field(None, description="Most calls in flight; overrides engine.limit.")
    repeats: PositiveInt | None = Field(
        None, description="Independent samples per case; overrides engine.repeats."
    )
    scenarios: tuple[str, ...] | None = Field(None, description="Only these scenarios; all by default.")

    @property
    def peeks(self) -> bool:
        """Whether the model is given the held-out interactions: only where that is its planted flaw."""
        return False

    def check(self, context: BuildContext) -> None:
        """Look for what the model needs, such as a file or a package; start, fit and import nothing.

        Raises
        ------
        UsageError
            When something is missing.
        """

    def build(self, context: BuildContext) -> Any:
        """Return a :class:`~genrec_eval.protocol.model.Model` or ``BatchModel``.

        Raises
        ------
        UsageError
            When a file is missing or the settings do not fit together.
        """
        raise NotImplementedError
