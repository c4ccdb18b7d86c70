"""Recorded texts as a chat model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.models import check
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import ChatRequest, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    from genrec_eval.models.replay import Column, Format, ReplaySpec


def open_texts(path: Path, form: Format, spec: ReplaySpec) -> RecordedChat:
    """Read a file of texts, one per user or one per prompt."""
    names, rows = _read(path, form, spec)
    keyed: list[Column] = [column for column in ("user", "prompt") if spec.name_of(column) in names]
    if not keyed:
        raise UsageError(
            f"{path} has neither a column '{spec.name_of('user')}' nor '{spec.name_of('prompt')}'"
            f" (its columns: {', '.join(names)})"
        )
    texts: dict[str, Any] = {}
    for number, (key, text) in enumerate(rows[keyed[0]], 1):
        if not isinstance(key, str | int):
            raise UsageError(f"{path}: row {number} has no {keyed[0]}")
        if str(key) in texts:
            shown = check.clip(str(key), 80)
            raise UsageError(
                f"{path}: {keyed[0]} '{shown}' is recorded twice, the second time in row {number}"
            )
        texts[str(key)] = text
    identity = {
        "adapter": "replay",
        "file": digest_file(path),
        "format": form,
        "columns": dict(sorted(spec.columns.items())),
        "kinds": ["chat"],
    }
    return RecordedChat(texts, keyed[0], identity)


class RecordedChat(Model):
    """Answers a chat with the text recorded for its user, or for its last user message."""

    kinds = frozenset({"chat"})

    def __init__(self, texts: dict[str, Any], keyed: Column, identity: dict[str, Any]) -> None:
        self._texts = texts
        self._keyed = keyed
        self._identity = identity

    def identity(self) -> dict[str, Any]:
        """Digest of the file and how it is read."""
        return dict(self._identity)

    async def answer(self, request: Request, call: Call) -> Answer:
        """Look the text up."""
        assert isinstance(request, ChatRequest)
        if self._keyed == "user":
            key = request.user
        else:
            said = [message.content for message in request.messages if message.role == "user"]
            key = said[-1] if said else None
        if key is None or key not in self._texts:
            shown = "no user" if key is None else f"{self._keyed} '{check.clip(key, 80)}'"
            return Answer(status=Status.MISSING, error=f"no text is recorded for {shown}")
        try:
            return Answer(response=check.chat_response(self._texts[key]))
        except check.Malformed as error:
            return check.malformed(error, None)


def _read(
    path: Path, form: Format, spec: ReplaySpec
) -> tuple[list[str], dict[Column, list[tuple[Any, Any]]]]:
    """Names of the columns, and key and text of every row by each column that may be the key."""
    from genrec_eval.models.replay_readers import header, json_lines, pick_column, read_table

    keys: tuple[Column, ...] = ("user", "prompt")
    text = spec.name_of("text")
    if form == "jsonl":
        entries = [entry for _, entry in json_lines(path)]
        names = list(dict.fromkeys(name for entry in entries for name in entry))
        if entries and text not in names:
            raise UsageError(f"{path} has no '{text}'{did_you_mean(text, names)} in any line")
        return names, {key: [(e.get(spec.name_of(key)), e.get(text)) for e in entries] for key in keys}
    if form == "trec":
        raise UsageError(f"{path}: a TREC run holds ranked lists, not texts; use kinds: [rank]")
    import pyarrow as pa

    if form == "parquet":
        import pyarrow.parquet as pq

        try:
            names = list(pq.read_schema(path).names)
            pick_column(path, names, "text", spec, needed=True)
            wanted = [name for name in (text, *map(spec.name_of, keys)) if name in names]
            table = pq.read_table(path, columns=wanted)
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} is not a readable parquet file: {error}") from None
    else:
        delimiter = "\t" if form == "tsv" else ","
        names = header(path, delimiter)
        pick_column(path, names, "text", spec, needed=True)
        wanted = [name for name in (text, *map(spec.name_of, keys)) if name in names]
        table = read_table(path, delimiter, dict.fromkeys(wanted, pa.string()))
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    present: list[Column] = [key for key in keys if spec.name_of(key) in columns]
    return names, {key: list(zip(columns[spec.name_of(key)], columns[text], strict=True)) for key in present}
