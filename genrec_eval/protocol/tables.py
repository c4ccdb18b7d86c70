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
        ("sums", pa.list_(pa.float64())),  # additive statistics; null for metrics that are means
    ]
)
"""One number, or null with its reason, per unit and metric."""

JUDGEMENTS = pa.schema(
    [
        ("model", _word),
        ("other", _word),  # the model it is compared with; null unless pairwise
        ("scenario", _word),
        ("case", pa.string()),
        ("unit", pa.string()),
        ("repeat", pa.int16()),  # of the record that is judged
        ("step", pa.int16()),
        ("judge", _word),
        ("dialect", _word),
        ("rubric", _word),
        ("task", _word),  # pointwise, pairwise, listwise or claims
        ("order", _word),  # pairwise: given (model shown first) or swapped
        ("sample", pa.int16()),  # which of the judge's repeats
        ("claim", pa.int16()),  # which claim of the text; null unless task is claims
        ("status", _word),  # of the verdict, see JudgementStatus
        ("value", pa.float64()),  # score; for a pair 1 where model wins, 0 where other does
        ("own_value", pa.float64()),  # score of model's text in a pair, from dialects that score both
        ("other_value", pa.float64()),  # score of the other's
        ("strength", pa.int16()),
        ("label", pa.string()),  # the verdict as the judge wrote it
        ("reason", pa.string()),  # why there is no value
        ("mass", pa.float64()),  # probability on valid verdict tokens
        ("raw", pa.string()),  # what the judge wrote, whole
        ("logprobs", pa.string()),  # JSON, as in a chat response
        ("text", pa.string()),  # the claim that was judged
        ("length", pa.int32()),  # characters of the model's text
        ("other_length", pa.int32()),
        ("key", pa.string()),  # of the exchange in the journal
        ("cached", pa.bool_()),
        ("attempts", pa.int16()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cost", pa.float64()),
    ]
)
"""One verdict of one judge per row, as it was read from one completion: before any policy."""
