"""Seeds: every draw comes from a generator derived from (run seed, purpose, unit)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def generator(seed: int, purpose: str, *unit: str | int) -> np.random.Generator:
    """Return a generator that depends on its arguments alone, never on order or parallelism.

    >>> bool(generator(7, "bootstrap").integers(100) == generator(7, "bootstrap").integers(100))
    True
    """
    import numpy as np

    text = "\x1f".join([str(seed), purpose, *map(str, unit)])
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])))
