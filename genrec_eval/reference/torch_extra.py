"""Ask for torch in one sentence; without importing it."""

from __future__ import annotations

import importlib.util

from genrec_eval.core.errors import UsageError


def need_torch(model: str) -> None:
    """Raise when torch is not installed.

    Raises
    ------
    UsageError
        With the command that installs it.
    """
    if importlib.util.find_spec("torch") is None:
        raise UsageError(
            f"reference model '{model}' needs torch, which is not installed; install it with:"
            " pip install 'genrec-eval[torch]' (a CPU build is enough)"
        )
