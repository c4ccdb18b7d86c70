"""Recorded texts as a chat model: by user, by user and item, or by prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.models import check
from genrec_eval.protocol.brief import Brief
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import ChatRequest, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    from genrec_eval.models.replay import Column, Format, ReplaySpec


def open_texts(path: Path, form: Format, spec: ReplaySpec) -> RecordedChat:
    """Read a file of texts, one per user, per user and item, or per prompt."""
    names, rows = _read(path, form, spec)
    keyed: list[Column] = [column for column in ("user", "prompt") if spec.name_of(column) in names]
    # texts on an item for a user: the request shows both, the item in its brief
    by_both = keyed[:1] == ["user"] and spec.name_of("item") in names
    keyed = ["user", "item"] if by_both else keyed[:1]
    if not keyed:
        raise UsageError(
            f"{path} has neither a column '{spec.name_of('user')}' nor '{spec.name_of('prompt')}'"
            f" (its columns: {', '.join(names)})"
        )
    texts: dict[tuple[str, ...], Any] = {}
    for number, entries in enumerate(zip(*(rows[column] for column in keyed), strict=True), 1):
        for column, (part, _) in zip(keyed, entries, strict=True):
            if not isinstance(part, str | int):
                raise UsageError(f"{path}: row {number} has no {column}")
        key = tuple(str(part) for part, _ in entries)
        if key in texts:
            raise UsageError(
                f"{path}: {_said(keyed, key)} is recorded twice, the second time in row {number}"
            )
        texts[key] = entries[0][1]
    identity = {
        "adapter": "replay",
        "file": digest_file(path),
        "format": form,
        "columns": dict(sorted(spec.columns.items())),
        "kinds": ["chat"],
    }
    return RecordedChat(texts, keyed, identity)


class RecordedChat(Model):
    """Answers a chat with the text recorded for its user, for its user and the item of its brief, or for its
    last user message.
    """

    kinds = frozenset({"chat"})

    def __init__(
        self, texts: dict[tuple[str, ...], Any], keyed: list[Column], identity: dict[str, Any]
    ) -> None:
        self._texts = texts
        self._keyed = keyed
        self._identity = identity

    def identity(self) -> dict[str, Any]:
        """Digest of the file and how it is read."""
        return dict(self._identity)

    async def answer(self, request: Request, call: Call) -> Answer:
        """Look the text up."""
        assert isinstance(request, ChatRequest)
        said = [message.content for message in request.messages if message.role == "user"]
        if self._keyed == ["prompt"]:
            found = said[-1:]
        else:
            found = [] if request.user is None else [request.user]
            if "item" in self._keyed and said:
                found += _item_of(said[-1])
        key = tuple(found)
        if len(key) < len(self._keyed) or key not in self._texts:
            lacking = self._keyed[len(key) :]
            shown = f"no {lacking[0]}" if lacking else _said(self._keyed, key)
            return Answer(status=Status.MISSING, error=f"no text is recorded for {shown}")
        try:
            return Answer(response=check.chat_response(self._texts[key]))
        except check.Malformed as error:
            return check.malformed(error, None)


def _item_of(message: str) -> list[str]:
    """Id of the item of the brief that a message shows; nothing where it shows none."""
    try:
        return [Brief.read(message).item.id]
    except UsageError:
        return []


def _said(keyed: list[Column], key: tuple[str, ...]) -> str:
    return " and ".join(f"{column} '{check.clip(part, 80)}'" for column, part in zip(keyed, key, strict=True))


def _read(
    path: Path, form: Format, spec: ReplaySpec
) -> tuple[list[str], dict[Column, list[tuple[Any, Any]]]]:
    """Names of the columns, and key and text of every row by each column that may be the key."""
    from genrec_eval.models.replay_readers import header, json_lines, pick_column, read_table

    keys: tuple[Column, ...] = ("user", "item", "prompt")
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
