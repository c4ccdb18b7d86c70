"""The pydantic base of everything a person writes in a suite file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError

from genrec_eval.core.errors import did_you_mean


class StrictModel(BaseModel):
    """Refuses unknown keys with a did-you-mean; the suite reader adds file and line."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _known_keys(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            faults = error.errors(include_url=False)
            if not any(fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1 for fault in faults):
                raise
            known = [field.alias or name for name, field in cls.model_fields.items()]
            raise ValidationError.from_exception_data(
                error.title, [_rebuilt(fault, known) for fault in faults]
            ) from None


def _rebuilt(fault: Any, known: list[str]) -> InitErrorDetails:
    # Pydantic collects every fault of a mapping, but does not say which keys would be right.
    kind: Any = fault["type"]
    loc = fault["loc"]
    if kind == "extra_forbidden" and len(loc) == 1:
        kind = PydanticCustomError(
            "unknown_key",
            "unknown key '{key}'{hint} (allowed here: {allowed})",
            {
                "key": str(loc[0]),
                "hint": did_you_mean(str(loc[0]), known),
                "allowed": ", ".join(known) or "none",
            },
        )
    else:
        try:
            PydanticKnownError(kind, fault.get("ctx"))
        except KeyError:  # a custom error, which can be rebuilt from its words alone
            kind = PydanticCustomError(kind, fault["msg"])
    return InitErrorDetails(type=kind, loc=loc, input=fault["input"], ctx=fault.get("ctx") or {})
