"""The ``reference`` adapter: a bundled recommender, writer or judge."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.models.spec import BuildContext, ModelSpec
from genrec_eval.reference.base import REFERENCE, Bundled


class ReferenceSpec(ModelSpec):
    """A reference model by name."""

    adapter: Literal["reference"]
    model: str = Field(description=f"One of {', '.join(REFERENCE.names())}.")
    options: dict[str, Any] = Field(default_factory=dict, description="Options of that model.")

    @field_validator("model")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in REFERENCE.names():
            raise PydanticCustomError(
                "unknown_reference",
                "unknown reference model '{name}'{hint} (known: {known})",
                {
                    "name": name,
                    "hint": did_you_mean(name, REFERENCE.names()),
                    "known": ", ".join(REFERENCE.names()),
                },
            )
        return name

    @field_validator("options")
    @classmethod
    def _fitting(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "model" in info.data:  # absent when the name itself was refused
            # Errors of the inner model pass through with their own place and hint.
            REFERENCE.get(info.data["model"]).Options.model_validate(options)
        return options

    @property
    def peeks(self) -> bool:
        """See :attr:`genrec_eval.models.spec.ModelSpec.peeks`."""
        return bool(REFERENCE.get(self.model).peeks)

    def check(self, context: BuildContext) -> None:
        """Look for the packages that the model needs."""
        made = REFERENCE.get(self.model)
        made.check(made.Options.model_validate(self.options))

    def build(self, context: BuildContext) -> Bundled:
        """Make the model: a recommender is fitted on the training data, most writers and judges need none.

        Raises
        ------
        UsageError
            When the scenario has no data and the model learns from them.
        """
        made = REFERENCE.get(self.model)
        if made.learns and context.training is None:
            raise UsageError(
                f"model '{context.name}': reference model '{self.model}' learns from interactions, but the"
                " scenario has no data; name a data set in the scenario or use another adapter"
            )
        model: Bundled = made(context.training, made.Options.model_validate(self.options), seed=context.seed)
        return model
