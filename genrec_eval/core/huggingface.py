"""Optional libraries of the Hugging Face family: whether they are here, and whether they can be imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

from genrec_eval.core.errors import UsageError

_kept: list[Any] = []
"""Operators that were declared; they go when nothing holds them."""


def need(what: str, extra: str, *modules: str) -> None:
    """Make sure that ``modules`` can be imported.

    Parameters
    ----------
    what
        What needs them, for the sentence: ``"metric 'bertscore'"``.
    extra
        The extra that installs them.

    Raises
    ------
    UsageError
        When one is not installed.
    """
    found = {module: importlib.util.find_spec(module) for module in modules}
    # a mere folder of that name has no origin
    absent = [module for module, spec in found.items() if spec is None or spec.origin is None]
    if absent:
        raise UsageError(
            f"{what} needs {' and '.join(absent)}, which {'is' if len(absent) == 1 else 'are'} not installed:"
            f' pip install "genrec-eval[{extra}]"'
        )
    mend_torchvision()


def mend_torchvision() -> None:
    """Let torchvision be imported beside a torch that it was not built for.

    transformers imports torchvision where it finds it. One built for another torch has no operators, and
    fails at the import over one that it only wants to describe; declaring it, without anything that computes
    it, is enough, since nothing here looks at images with it.
    """
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    except (ImportError, OSError):
        return  # whoever needs it will say so
    else:
        return
    import torch

    declared = torch.library.Library("torchvision", "DEF")
    declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(declared)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what the failed import left behind
    importlib.import_module("torchvision")
