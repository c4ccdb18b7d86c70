"""What neural models share: parameters and dropout from draws of their own, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def reproducible() -> Iterator[None]:
    """One thread and deterministic kernels, put back afterwards: sums must not depend on the cores."""
    memory = torch.utils.deterministic
    threads, strict, filled = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        memory.fill_uninitialized_memory,
    )
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # a guard against bugs that costs a tenth of the training
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
        memory.fill_uninitialized_memory = filled


def normal(*shape: int, std: float, draws: np.random.Generator) -> nn.Parameter:
    """A parameter drawn from N(0, std²)."""
    return nn.Parameter(torch.from_numpy(draws.normal(0.0, std, shape).astype(np.float32)))


class Linear(nn.Module):
    """``x @ weight.T + bias``; torch's own draws its first weights from the global generator."""

    def __init__(self, inputs: int, outputs: int, draws: np.random.Generator) -> None:
        super().__init__()
        self.weight = normal(outputs, inputs, std=(2.0 / (inputs + outputs)) ** 0.5, draws=draws)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float[..., inputs] → float[..., outputs]."""
        return nn.functional.linear(x, self.weight, self.bias)


class Dropout(nn.Module):
    """Dropout whose masks come from a generator of the model's own.

    Four masks are cut from each 64 random bits: drawing a float per entry took a fifth of the training.
    """

    def __init__(self, share: float, draws: np.random.Generator) -> None:
        super().__init__()
        self.edge, self.draws = round(share * 2**16), draws

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Zero a share of the entries and scale up the rest; in training only."""
        if not self.training or not self.edge:
            return x
        bits = np.frombuffer(self.draws.bytes(2 * x.numel()), "<u2").reshape(tuple(x.shape))
        scale = 2**16 / (2**16 - self.edge)
        return x * torch.from_numpy((bits >= self.edge).astype(np.float32) * np.float32(scale))
