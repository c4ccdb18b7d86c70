"""The pydantic base of everything a person writes in a suite file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from genrec_eval.core.errors import did_you_mean


class StrictModel(BaseModel):
    """Refuses unknown keys with a did-you-mean; the suite reader adds file and line."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in value:
                if key not in known and key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key",
                        "unknown key '{key}'{hint} (allowed here: {allowed})",
                        {"key": str(key), "hint": did_you_mean(str(key), known), "allowed": ", ".join(known)},
                    )
        return value
