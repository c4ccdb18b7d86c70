"""Every offline metric of text on 10,000 explanations with intervals, and linear against quadratic forms.

    python benchmarks/text_metrics.py [--texts 10000] [--file explanations.jsonl]

The texts are put together from a template and a vocabulary, of the length that language models write; a file
of lines with "prediction" and "reference" takes their place, repeated until there are enough. USR and
self-BLEU are timed on more and more texts, and USR beside the search over all pairs that is published.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

METRICS = (
    *(
        f"bleu({options})"
        for options in ("", "level=sentence", "smooth=none,tok=none", "order=1", "lowercase=true")
    ),
    *("chrf", "chrf(word_order=2)"),
    *(f"rouge(type={kind},stemmer={stemmer})" for kind in ("1", "2", "L") for stemmer in (False, True)),
    *("rouge(type=Lsum,sentences=split)", "peter_rouge(type=1)", "peter_rouge(type=L)", "meteor"),
    *(
        f"distinct(n={n},form={form})"
        for n in (1, 2, 3)
        for form in ("ratio", "expectation_adjusted", "fixed_sample")
    ),
    *("usr", "opening_share", "self_bleu", "repetition", "foreign_script"),
    *(
        "length",
        "length(of=characters)",
        "length(of=sentences)",
        "readability",
        "readability(formula=gunning_fog)",
    ),
)


def written(n: int) -> list[tuple[str, str]]:
    """Pairs of text and reference of about 40 words."""
    rng = np.random.default_rng(20261123)
    letters = np.array(list("abcdefghilmnoprstuvy"))
    words = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(6000)])
    often = 1 / np.arange(1, 6001)
    often /= often.sum()

    def sentence() -> str:
        return " ".join(rng.choice(words, rng.integers(12, 24), p=often))

    return [
        (
            f"The user would enjoy {sentence()}. It is {sentence()}.",
            f"The user would enjoy {sentence()}, {sentence()}.",
        )
        for _ in range(n)
    ]


def read(path: Path, n: int) -> list[tuple[str, str]]:
    """Recorded pairs, repeated with a number behind so that each is another text."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [
        (f"{row['prediction']} {turn or ''}".strip(), row["reference"])
        for turn in range(-(-n // len(rows)))
        for row in rows
    ][:n]


def pairwise_usr(texts: Sequence[str]) -> float:
    """Unique sentence ratio by comparing each text with all kept before."""
    kept: list[list[str]] = []
    for text in texts:
        words = text.split()
        if not any(words == other for other in kept):
            kept.append(words)
    return len(kept) / len(texts)


def main() -> None:
    """All metrics with intervals, then what grows with the number of texts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    n = arguments.texts
    pairs = read(arguments.file, 4 * n) if arguments.file else written(4 * n)

    from genrec_eval.metrics.registry import metric
    from genrec_eval.metrics.text.texts import Texts
    from genrec_eval.stats.intervals import intervals

    def first(count: int) -> Texts:
        return Texts(
            texts=[text for text, _ in pairs[:count]], references=[(one,) for _, one in pairs[:count]]
        )

    print(f"{n:,} texts, {os.cpu_count()} cores, load {', '.join(f'{one:.1f}' for one in os.getloadavg())}\n")
    began, cpu = time.perf_counter(), time.process_time()
    metrics, texts, samples, took = [metric(name) for name in METRICS], first(n), [], []
    for one in metrics:
        start = time.perf_counter()
        samples.append(one.sample(one(texts)))
        took.append(time.perf_counter() - start)
    scored = time.perf_counter() - began
    found = intervals(samples, seed=1)
    for one, seconds, interval in zip(metrics, took, found, strict=True):
        ends = "" if interval.low is None else f"[{interval.low:.4f}, {interval.high:.4f}]"
        print(f"{one.id:<42} {seconds:7.2f} s  {interval.value:9.4f} {ends or interval.reason}")
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"\n{len(metrics)} metrics: scored in {scored:.1f} s, with intervals {wall:.1f} s, CPU {cpu:.1f} s\n"
    )

    for name in ("usr", "self_bleu"):
        for count in (n, 2 * n, 4 * n):
            some, bound = first(count), metric(name)
            start = time.perf_counter()
            bound(some)
            print(f"{name:<12} {count:>9,} texts {time.perf_counter() - start:9.3f} s")
    for count in (n // 4, n // 2, n):
        start = time.perf_counter()
        value = pairwise_usr([text for text, _ in pairs[:count]])
        assert value == metric("usr")(first(count)).total
        print(f"{'usr by pairs':<12} {count:>9,} texts {time.perf_counter() - start:9.3f} s")


if __name__ == "__main__":
    main()
