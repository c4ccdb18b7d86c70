"""The ``logged`` adapter: an arm of an experiment that is over, of which a log holds what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.models.spec import BuildContext, ModelSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class LoggedSpec(ModelSpec):
    """One arm of an exposure log; it takes part in scenarios that ask nothing, such as ab-test."""

    adapter: Literal["logged"] = "logged"
    arm: str | None = Field(None, description="Name of the arm in the log; the model's own by default.")

    def build(self, context: BuildContext) -> LoggedArm:
        """The arm, by name: the log is read by the scenario."""
        return LoggedArm(context.name if self.arm is None else self.arm)


class LoggedArm:
    """An arm of a log, in the place of a model: it answers nothing.

    Parameters
    ----------
    arm
        Its name in the log.
    """

    kinds = frozenset({"log"})

    def __init__(self, arm: str) -> None:
        self.arm = arm

    def identity(self) -> dict[str, Any]:
        """See :meth:`genrec_eval.protocol.model.Model.identity`."""
        return {"kind": "logged", "arm": self.arm}

    def rows(self, cases: pa.Table) -> np.ndarray:
        """int64[r], the cases of this arm.

        Raises
        ------
        UsageError
            When the log has no such arm.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        arms = cases.column("arm").cast(pa.string())
        known = sorted(pc.unique(arms).to_pylist())
        if self.arm not in known:
            raise UsageError(
                f"the log has no arm '{self.arm}'{did_you_mean(self.arm, known)} (arms: {', '.join(known)});"
                " name one with 'arm'"
            )
        found: np.ndarray = pc.indices_nonzero(pc.equal(arms, self.arm)).to_numpy().astype("int64")
        return found
