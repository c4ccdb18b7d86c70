"""The options of the loaders of recorded judgements."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.core.errors import MissingData, UsageError
from genrec_eval.core.secrets import REFERENCE
from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.judgements.log import JudgementLog


class JudgementSpec(DatasetSpec):
    """Options that all loaders of recorded judgements share."""

    holds: ClassVar[str] = "judgements"
    may_be_missing: ClassVar[bool] = True
    where: ClassVar[str] = ""
    """Where the data can be had."""
    licence: ClassVar[str | None] = None
    source: ClassVar[str | None] = None

    path: str = Field(description="Folder with the files; ${env:NAME} is allowed.")
    malformed: Literal["refuse", "skip"] = Field(
        "refuse",
        description="Rows that cannot be read: an error that names the row, or passed over and counted.",
    )

    def load(self, folder: Path, seed: int) -> JudgementLog:
        """See :meth:`DatasetSpec.load`.

        Raises
        ------
        MissingData
            When the folder or a file of it is not there; the sentence says where it can be had.
        """
        from genrec_eval.data.tables.reading import locate

        for match in REFERENCE.finditer(self.path):
            if match[1] not in os.environ:
                raise MissingData(
                    f"environment variable {match[1]} is not set, which says where {self.path} is;"
                    f" {self.where}"
                )
        try:
            path = locate(self.path, folder, "option path")
        except UsageError as error:
            raise MissingData(f"{error}; {self.where}") from None
        return self.read(path)

    def read(self, path: Path) -> JudgementLog:
        """Read the log from its folder."""
        raise NotImplementedError


class PandaLMSpec(JudgementSpec):
    """999 pairs with three human labels each, and the verdicts of the judges that lie beside them."""

    summary: ClassVar[str] = "PandaLM's test set: 999 pairs, three human labels, recorded judges"
    where: ClassVar[str] = "the files are in data/ of github.com/WeOpenML/PandaLM"
    licence: ClassVar[str | None] = "Apache-2.0"
    source: ClassVar[str | None] = "https://github.com/WeOpenML/PandaLM"

    def read(self, path: Path) -> JudgementLog:
        """See :meth:`JudgementSpec.read`."""
        from genrec_eval.data.judgements.pandalm import read_pandalm

        return read_pandalm(self, path)


class LLMBarSpec(JudgementSpec):
    """Verdicts in both orders about pairs with a gold label, beside the published statistics."""

    summary: ClassVar[str] = "LLMBar: recorded verdicts in both orders, with gold labels and statistics"
    where: ClassVar[str] = "the files are in Dataset/ of github.com/princeton-nlp/LLMBar"
    licence: ClassVar[str | None] = "MIT"
    source: ClassVar[str | None] = "https://github.com/princeton-nlp/LLMBar"

    def read(self, path: Path) -> JudgementLog:
        """See :meth:`JudgementSpec.read`."""
        from genrec_eval.data.judgements.llmbar import read_llmbar

        return read_llmbar(self, path)


class AlpacaEvalSpec(JudgementSpec):
    """Preferences of AlpacaEval 2's judge for models against its baseline, one row per instruction."""

    summary: ClassVar[str] = "AlpacaEval 2: recorded preferences of models against the baseline"
    where: ClassVar[str] = "annotations are in results/ of github.com/tatsu-lab/alpaca_eval"
    licence: ClassVar[str | None] = "code Apache-2.0, data CC BY-NC 4.0"
    source: ClassVar[str | None] = "https://github.com/tatsu-lab/alpaca_eval"

    form: Literal["table", "annotations"] | None = Field(
        None,
        description="Read annotations_*.csv (numbers of many models) or <model>/annotations.json (texts and"
        " raw completions); the table where both are there.",
    )

    def read(self, path: Path) -> JudgementLog:
        """See :meth:`JudgementSpec.read`."""
        from genrec_eval.data.judgements.alpaca_eval import read_alpaca_eval

        return read_alpaca_eval(self, path)


class PrometheusRepeatSpec(JudgementSpec):
    """Answers that GPT-4 graded three times each on a rubric of 1 to 5."""

    summary: ClassVar[str] = "Prometheus' test sets: answers graded three times by GPT-4, 1 to 5"
    where: ClassVar[str] = (
        "vicuna_eval.json and mt_bench_eval.json are in github.com/prometheus-eval/prometheus-eval"
    )
    licence: ClassVar[str | None] = "Apache-2.0"
    source: ClassVar[str | None] = "https://github.com/prometheus-eval/prometheus-eval"

    def read(self, path: Path) -> JudgementLog:
        """See :meth:`JudgementSpec.read`."""
        from genrec_eval.data.judgements.prometheus import read_prometheus

        return read_prometheus(self, path)


class MTBenchSpec(JudgementSpec):
    """Judgements in FastChat's form: ``*pair*.jsonl`` in both orders, ``*single*.jsonl`` with ratings."""

    summary: ClassVar[str] = "MT-bench judgements in FastChat's form, pairs or single ratings"
    where: ClassVar[str] = "FastChat (github.com/lm-sys/FastChat) writes them to data/mt_bench/model_judgment"
    licence: ClassVar[str | None] = "Apache-2.0"
    source: ClassVar[str | None] = "https://github.com/lm-sys/FastChat"

    kind: Literal["pair", "single"] = Field("pair", description="Which of the two to read.")

    def read(self, path: Path) -> JudgementLog:
        """See :meth:`JudgementSpec.read`."""
        from genrec_eval.data.judgements.mtbench import read_mtbench

        return read_mtbench(self, path)


class JudgementLogSpec(JudgementSpec):
    """The exchange form: one judgement per line or row, in the columns of a log."""

    summary: ClassVar[str] = "recorded judgements in the exchange form, jsonl or parquet"
    where: ClassVar[str] = "give the file of your own judgements"

    path: str = Field(description="File, .jsonl or .parquet; ${env:NAME} is allowed.")
    label: str = Field("judgement log", description="Name of the data in reports.")
    annotators: tuple[str, ...] = Field((), description="Names of the people, in the order of their labels.")

    def read(self, path: Path) -> JudgementLog:
        """See :meth:`JudgementSpec.read`."""
        from genrec_eval.data.judgements.exchange import read_exchange

        return read_exchange(self, path)
