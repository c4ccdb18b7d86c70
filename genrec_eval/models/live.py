"""Functions and objects that are at hand in Python, as in a notebook, as models of a suite."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_serializer

from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.spec import BuildContext


class LiveSpec(ChatCapableSpec):
    """A model that was handed to :func:`genrec_eval.run`; it cannot be written in a suite file."""

    adapter: Literal["live"] = "live"
    target: Any = Field(exclude=False)

    @field_serializer("target")
    def _name(self, target: Any) -> str:
        return (
            f"{getattr(target, '__module__', '?')}:{getattr(target, '__qualname__', type(target).__name__)}"
        )

    def build(self, context: BuildContext) -> Any:
        """See :func:`genrec_eval.models.python.from_callable`."""
        from genrec_eval.models.python import from_callable

        return from_callable(self.target, context)
