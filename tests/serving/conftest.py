"""One small world, and a faultless server over it, for all tests of the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from genrec_eval.data.dataset import Training
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.serving.catalogue import train_on
from genrec_eval.serving.run import Served, serve_in_thread

MODELS = ("popularity", "item-knn", "random", "unknown-ids", "unfair-value")


@pytest.fixture(scope="session")
def world() -> Training:
    """The data that is served."""
    return train_on(SyntheticSpec(users=200, items=80, interactions_per_user=12).load(Path(), 1))


@pytest.fixture(scope="session")
def server(world: Training) -> Iterator[Served]:
    """A server without faults."""
    with serve_in_thread(world, MODELS, seed=5) as served:
        yield served


@pytest.fixture(scope="session")
def client(server: Served) -> Iterator[openai.OpenAI]:
    """The real client."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made
