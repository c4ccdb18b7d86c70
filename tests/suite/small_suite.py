"""A small sound suite, for tests to break."""

from __future__ import annotations

SMALL = """\
name: small
data:
  world:
    dataset: synthetic
    options: {users: 50, items: 300}
models:
  random:
    adapter: reference
    model: random
  knn:
    adapter: reference
    model: item-knn
    options:
      neighbours: 5
scenarios:
  top:
    scenario: top-k
    data: world
    options:
      k: 10
      metrics: [ndcg@10]
claims:
  - claim: kNN beats chance
    scenario: top
    metric: ndcg@10
    model: knn
    against: random
    better_by: 0
"""
