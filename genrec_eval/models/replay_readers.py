"""Readers of recorded lists: csv, jsonl, TREC runs, and parquet of either shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.models import check
from genrec_eval.models.check_batch import is_text
from genrec_eval.models.replay_store import MemoryLists, ParquetLists, Store, is_list, user_ids
from genrec_eval.protocol.arrays import Float64, Int64, Ragged
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    from genrec_eval.models.replay import Column, Format, ReplaySpec

_WORD = pa.dictionary(pa.int32(), pa.string())
_BLANKS = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb" ?\r?\n ?")
_NOT_A_NUMBER = re.compile(r"CSV column #(\d+): .*conversion error to double: invalid value ('.{0,80})", re.S)
_TREC = ("user", "q0", "item", "rank", "score", "tag")


def read_store(path: Path, form: Format, spec: ReplaySpec) -> Store:
    """Open recorded lists of any format."""
    if form == "parquet":
        return _parquet(path, spec)
    if form == "jsonl":
        return _jsonl(path, spec)
    if form == "trec":
        return _trec(path)
    return _csv(path, "\t" if form == "tsv" else ",", spec)


def pick_column(path: Path, names: list[str], column: Column, spec: ReplaySpec, needed: bool) -> str | None:
    """The file's name of a column; None when it is optional and absent."""
    name = spec.name_of(column)
    if names.count(name) > 1:
        raise UsageError(f"{path} has two columns named '{name}'; rename one")
    if name in names:
        return name
    if needed or column in spec.columns:
        if name == "user" and {"unit", "case", "items"} <= set(names):
            raise UsageError(f"{path} holds records of a run; say columns: {{user: case}} to replay them")
        raise UsageError(
            f"{path} has no column '{name}'{did_you_mean(name, names)} (its columns: {', '.join(names)});"
            f" say columns: {{{column}: …}} if it is called otherwise"
        )
    return None


def read_table(path: Path, delimiter: str, types: Mapping[str, Any]) -> Any:
    """Columns of a csv file; ids stay the strings they are."""
    try:
        return pcsv.read_csv(
            path,
            parse_options=pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(
                include_columns=list(types), column_types=dict(types), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, OSError) as error:
        found = _NOT_A_NUMBER.search(str(error))
        if found is not None:
            column = header(path, delimiter)[int(found[1])]
            raise UsageError(f"{path}, column '{column}': {found[2]} is not a number") from None
        raise UsageError(f"{path} is not a readable csv file: {error}") from None


def header(path: Path, delimiter: str) -> list[str]:
    """Names in the first line of a csv file."""
    try:
        with pcsv.open_csv(path, parse_options=pcsv.ParseOptions(delimiter=delimiter)) as reader:
            return list(reader.schema.names)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is not a readable csv file: {error}") from None


def _parquet(path: Path, spec: ReplaySpec) -> Store:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is not a readable parquet file: {error}") from None
    names = list(schema.names)
    user = _needed(path, names, "user", spec)
    items = spec.name_of("items")
    if items in names and is_list(schema.field(items).type):
        return ParquetLists(path, user, items, pick_column(path, names, "scores", spec, needed=False))
    if spec.name_of("item") not in names:
        _needed(path, names, "items", spec)
        kind = schema.field(items).type
        raise UsageError(
            f"{path}: column '{items}' is of type {kind}, not of lists; name it"
            f" columns: {{item: {items}}} when each row holds one item"
        )
    item = _needed(path, names, "item", spec)
    rank = pick_column(path, names, "rank", spec, needed=False)
    score = pick_column(path, names, "score", spec, needed=False)
    wanted = [name for name in (user, item, rank, score) if name]
    try:
        table = pq.read_table(path, columns=wanted, read_dictionary=[user, item])
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is damaged: {error}") from None
    return _long(path, table, user, item, rank, score)


def _csv(path: Path, delimiter: str, spec: ReplaySpec) -> Store:
    names = header(path, delimiter)
    user = _needed(path, names, "user", spec)
    if spec.name_of("item") in names:
        item = _needed(path, names, "item", spec)
        rank = pick_column(path, names, "rank", spec, needed=False)
        score = pick_column(path, names, "score", spec, needed=False)
        types = {user: _WORD, item: _WORD}
        types |= {name: pa.float64() for name in (rank, score) if name}
        return _long(path, read_table(path, delimiter, types), user, item, rank, score)
    items = _needed(path, names, "items", spec)
    scores = pick_column(path, names, "scores", spec, needed=False)
    table = read_table(path, delimiter, dict.fromkeys(filter(None, (user, items, scores)), pa.string()))
    table = table.combine_chunks()
    return _split(path, table, user, items, scores, spec.separator)


def _trec(path: Path) -> Store:
    types = {"user": _WORD, "item": _WORD, "rank": pa.float64(), "score": pa.float64()}
    try:
        with path.open("rb") as stream:
            table = pcsv.read_csv(
                pa.PythonFile(_OneSpace(stream), mode="r"),
                read_options=pcsv.ReadOptions(column_names=list(_TREC)),
                parse_options=pcsv.ParseOptions(delimiter=" ", quote_char=False),
                convert_options=pcsv.ConvertOptions(
                    include_columns=list(types), column_types=types, strings_can_be_null=False
                ),
            )
    except (pa.ArrowException, OSError) as error:
        raise UsageError(
            f"{path} is not a TREC run, lines of 'user Q0 item rank score tag': {error}"
        ) from None
    return _long(path, table, "user", "item", "rank", "score", by_score=True)


def _long(
    path: Path,
    table: Any,
    user: str,
    item: str,
    rank: str | None,
    score: str | None,
    *,
    by_score: bool = False,
) -> MemoryLists:
    """Group rows of one item each; the best come first."""
    users, items = _coded(path, table, user), _coded(path, table, item)
    if users.null_count:
        row = int(np.flatnonzero(users.is_null().to_numpy(zero_copy_only=False))[0])
        raise UsageError(f"{path}: row {row + 1} has no user")
    # A dictionary may hold words that no row uses; they are not users.
    used, user_codes = np.unique(users.indices.to_numpy(), return_inverse=True)
    nameless = np.flatnonzero(items.is_null().to_numpy(zero_copy_only=False))
    scores = None if score is None else _numbers(path, table, score)
    ranks = None if rank is None else _numbers(path, table, rank)
    keys: list[Any] = []  # the last key decides first; np.lexsort keeps the order of equal rows
    if by_score:
        keys = [key for key in (ranks, None if scores is None else -scores) if key is not None]
    elif ranks is not None:
        keys = [ranks]
    elif scores is not None:
        keys = [-scores]
    order = np.lexsort([*keys, user_codes]) if keys else np.argsort(user_codes, kind="stable")
    counts = np.bincount(user_codes, minlength=len(used))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    codes = items.indices.fill_null(-1).to_numpy(zero_copy_only=False)[order]
    refused: dict[int, tuple[Status, str]] = {}
    if ranks is not None and np.isnan(ranks).any():
        for row in map(int, np.flatnonzero(np.isnan(ranks))):
            refused[int(user_codes[row])] = Status.INVALID, f"rank is not a number in row {row + 1}"
    for row in map(int, nameless):
        refused[int(user_codes[row])] = Status.INVALID, f"row {row + 1} has no item"
    return MemoryLists(
        users=users.dictionary.take(pa.array(used)),
        lists=Ragged(offsets, codes.astype(np.int32, copy=False)),
        words=items.dictionary,
        scores=None if scores is None else scores[order],
        refused=refused,
    )


def _split(path: Path, table: Any, user: str, items: str, scores: str | None, separator: str) -> MemoryLists:
    """Lists written into one field each."""
    users = user_ids(table.column(user).combine_chunks(), path, user)
    offsets, values = _fields(table.column(items).combine_chunks(), separator)
    coded = values.dictionary_encode()
    numbers: Float64 | None = None
    refused: dict[int, tuple[Status, str]] = {}
    if scores is not None:
        score_offsets, texts = _fields(table.column(scores).combine_chunks(), separator)
        try:
            given = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowException as error:
            raise UsageError(f"{path}: column '{scores}' holds what is not a number: {error}") from None
        wanted, found = np.diff(offsets), np.diff(score_offsets)
        for row in np.flatnonzero(wanted != found):
            sentence = f"scores holds {found[row]} values for {wanted[row]} items"
            refused[int(row)] = Status.INVALID, sentence
        numbers = np.zeros(int(offsets[-1]))
        good = wanted == found
        numbers[np.repeat(good, wanted)] = given[np.repeat(good, found)]
    return MemoryLists(
        users=users,
        lists=Ragged(offsets, coded.indices.to_numpy().astype(np.int32, copy=False)),
        words=coded.dictionary,
        scores=numbers,
        refused=refused,
    )


def _fields(column: Any, separator: str) -> tuple[Int64, Any]:
    """Offsets and values of fields that hold lists; an empty field is an empty list."""
    lists = pc.split_pattern(column, pattern=separator)
    empty = pc.equal(column, "").to_numpy(zero_copy_only=False)
    lengths = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    keep = np.repeat(~empty, lengths)
    offsets = np.concatenate([[0], np.cumsum(np.where(empty, 0, lengths))]).astype(np.int64)
    return offsets, lists.flatten().filter(pa.array(keep))


def _jsonl(path: Path, spec: ReplaySpec) -> MemoryLists:
    """One JSON object per line, each checked as a live answer would be."""
    user_key, items_key, scores_key = spec.name_of("user"), spec.name_of("items"), spec.name_of("scores")
    users: dict[str, int] = {}
    words: dict[str, int] = {}
    codes: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    lengths: list[int] = []
    refused: dict[int, tuple[Status, str]] = {}
    scored = False
    for number, entry in json_lines(path):
        user = entry.get(user_key)
        if isinstance(user, bool) or not isinstance(user, str | int):
            hint = did_you_mean(user_key, entry) or f" (its keys: {', '.join(entry)})"
            raise UsageError(f"{path}:{number}: no string or integer under '{user_key}'{hint}")
        user = str(user)
        if check.printable(user) != user:  # else it could not be a user of any data set
            raise UsageError(f"{path}:{number}: the user holds a lone surrogate: not Unicode text")
        if user in users:
            raise UsageError(
                f"{path}: user '{user}' is recorded twice, the second time in line {number};"
                " keep one line per user"
            )
        row = users.setdefault(user, len(users))
        try:
            if items_key not in entry:
                raise check.Malformed(f"the line has no '{items_key}'{did_you_mean(items_key, entry)}")
            answer = check.rank_response(entry[items_key], entry.get(scores_key))
        except check.Malformed as error:
            refused[row] = error.status, check.printable(str(error))
            lengths.append(0)
            continue
        lengths.append(len(answer.items))
        codes.append(np.fromiter((words.setdefault(i, len(words)) for i in answer.items), np.int32))
        scored |= answer.scores is not None
        scores.append(np.zeros(len(answer.items)) if answer.scores is None else np.asarray(answer.scores))
    return MemoryLists(
        users=pa.array(list(users), pa.string()),
        lists=Ragged(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate(codes) if codes else np.empty(0, np.int32),
        ),
        words=pa.array(list(words), pa.string()),
        scores=np.concatenate(scores) if scored else None,
        refused=refused,
    )


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that is not empty."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                entry = check.decode(line)
            except check.Malformed as error:
                sentence = str(error).removeprefix("the answer ")
                raise UsageError(f"{path}:{number}: the line {sentence}") from None
            if not isinstance(entry, dict):
                raise UsageError(f"{path}:{number}: the line is not a JSON object")
            yield number, entry


def _needed(path: Path, names: list[str], column: Column, spec: ReplaySpec) -> str:
    found = pick_column(path, names, column, spec, needed=True)
    assert found is not None
    return found


def _coded(path: Path, table: Any, name: str) -> Any:
    """A column as one dictionary array of strings without an empty or unused word for users."""
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        if not (is_text(column.type) or pa.types.is_integer(column.type)):
            raise UsageError(f"{path}: column '{name}' is of type {column.type}; ids are strings or integers")
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    coded = column.combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # an empty table
        coded = pa.array([], pa.string()).dictionary_encode()
    words = coded.dictionary.cast(pa.string())
    # An empty field is no id.
    empty = pc.equal(words, "").fill_null(True).to_numpy(zero_copy_only=False)
    indices = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    missing = (indices < 0) | np.append(empty, True)[indices]
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32), mask=missing), words)


def _numbers(path: Path, table: Any, name: str) -> Float64:
    try:
        column = table.column(name).cast(pa.float64())
    except pa.ArrowException as error:
        raise UsageError(f"{path}: column '{name}' holds what is not a number: {error}") from None
    values: Float64 = column.fill_null(float("nan")).to_numpy()
    return values


class _OneSpace(RawIOBase):
    """Reads a TREC run with one space between fields, whatever stood there."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size if size > 0 else 1 << 20)
        block += self._stream.readline()  # never end inside a run of blanks
        return _ENDS.sub(b"\n", _BLANKS.sub(b" ", block).strip(b" "))
