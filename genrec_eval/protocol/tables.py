"""Schemas of the tables on disk. A null always has a reason beside it; there is no NaN."""

from __future__ import annotations

import pyarrow as pa

FORMAT = 1
"""Version of the run directory; every past version stays readable."""

_word = pa.dictionary(pa.int32(), pa.string())

RECORDS = pa.schema(
    [
        ("model", _word),
        ("scenario", _word),
        ("case", pa.string()),
        ("unit", pa.string()),
        ("arm", _word),
        ("repeat", pa.int16()),
        ("step", pa.int16()),
        ("status", _word),
        ("error", pa.string()),
        ("items", pa.list_(pa.string())),
        ("item_scores", pa.list_(pa.float64())),
        ("mentions", pa.list_(pa.string())),
        ("grounding", pa.list_(pa.string())),
        ("ratings", pa.list_(pa.float64())),
        ("text", pa.string()),
        ("blob", pa.string()),  # file name in blobs/
        ("raw", pa.string()),
        ("request", pa.string()),  # wire JSON of what was sent; null in columnar batches
        ("response", pa.string()),  # wire JSON of what came back
        ("key", pa.string()),
        ("attempts", pa.int16()),
        ("cached", pa.bool_()),
        ("intended", pa.float64()),  # Unix seconds
        ("sent", pa.float64()),
        ("first", pa.float64()),
        ("end", pa.float64()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cost", pa.float64()),
    ]
)
"""One exchange of one model per row."""

SCORES = pa.schema(
    [
        ("model", _word),
        ("scenario", _word),
        ("metric", _word),
        ("unit", pa.string()),
        ("value", pa.float64()),
        ("reason", _word),  # why value is null
        ("weight", pa.float64()),  # how much the unit counts; null when all count alike
    ]
)
"""One number, or null with its reason, per unit and metric."""

JUDGEMENTS = pa.schema(
    [
        ("model", _word),
        ("scenario", _word),
        ("case", pa.string()),
        ("repeat", pa.int16()),
        ("step", pa.int16()),
        ("judge", _word),
        ("criterion", _word),
        ("status", _word),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("raw", pa.string()),
    ]
)
"""What a judge said about a record."""
