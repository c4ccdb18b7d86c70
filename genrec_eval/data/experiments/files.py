"""Reads the exposure log of an experiment; what is wrong with it is named by file, line and column."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import digest, digest_file
from genrec_eval.data.experiments.exposures import Exposures
from genrec_eval.data.tables.ids import by_id, codes_of
from genrec_eval.data.tables.lists import texts_of
from genrec_eval.data.tables.log import Rows
from genrec_eval.data.tables.numbers import numbers_of, times_of
from genrec_eval.data.tables.reading import Source, locate
from genrec_eval.data.tables.streams import clip
from genrec_eval.protocol.arrays import Float64, Int32, Int64, stable_order

if TYPE_CHECKING:
    from genrec_eval.data.experiments.spec import ExposureLogSpec

Mask = npt.NDArray[np.bool_]

RECIPE = 1
"""Raised whenever the same file and options would load differently."""

MOST_ARMS = 20
MOST_DAYS = 3660
_DAY = 86_400
_FARTHEST = 200 * 366 * _DAY
_NUMBERED = 100_000
"""Whole numbers below this are numbers of days; beyond, they are times."""


def load_log(spec: ExposureLogSpec, folder: Path) -> Exposures:
    """Load the log of ``spec``.

    Raises
    ------
    UsageError
        When the file is missing, broken or lacks a column, a cell is not what it should be, or there are
        not two arms to compare.
    """
    path = locate(spec.path, folder, "option path")
    table, rows, timed = _read(spec, path)
    warnings: list[str] = []
    user, users = by_id(*codes_of(rows, "user", table.column("user")))
    arm, arms = by_id(*codes_of(rows, "arm", table.column("arm")))
    names = tuple(arms.to_pylist())
    _check_arms(f"{path}, column '{spec.columns.arm}'", names, spec.shares)
    time, numbered = _times(rows, table.column("time"), timed, warnings)
    outcomes = {
        name: numbers_of(rows, f"outcome.{name}", table.column(f"outcome.{name}")) for name in spec.outcomes
    }
    facts: dict[str, Any] = {"users": len(users), "exposures": len(user)}

    kept = np.ones(len(user), bool)
    again = _duplicates([user, arm, time, *outcomes.values()])
    rule = spec.duplicates or ("drop" if timed else "keep")
    if again.any():
        if rule == "refuse":
            row = int(np.flatnonzero(again)[0])
            raise UsageError(
                f"{rows.where(row)} is equal to an earlier row; duplicates: drop or keep allows it"
            )
        facts["duplicate_rows"] = {"rule": rule, "rows": int(again.sum())}
        if rule == "drop":
            kept &= ~again
            warnings.append(f"{again.sum():,} rows of the log are there twice and are dropped")

    order = stable_order(time)
    first = _first_rows(user, order, len(users))
    assigned: Int32 = arm[first]
    astray = arm != assigned[user]
    crossed = np.zeros(len(users), bool)
    crossed[user[astray]] = True
    if crossed.any():
        if spec.crossed == "refuse":
            row = int(np.flatnonzero(astray)[0])
            who, here, there = users[int(user[row])], names[arm[row]], names[assigned[user[row]]]
            raise UsageError(
                f"{rows.where(row)}: user {clip(who)} is in arm {clip(here)} here and was first in"
                f" {clip(there)}; crossed: exclude or first allows it"
            )
        facts["users_in_several_arms"] = {"rule": spec.crossed, "users": int(crossed.sum())}
        said = "left out" if spec.crossed == "exclude" else "counted in the arm that they saw first"
        warnings.append(f"{crossed.sum():,} users are in several arms and are {said}")
    left = ~crossed if spec.crossed == "exclude" else np.ones(len(users), bool)
    if not left.any():
        raise UsageError(f"{path}: every user is in several arms, so nothing can be compared")

    before = {
        name: _one_each(rows, f"before.{name}", user, users, numbers_of(rows, f"before.{name}", column))
        for name, column in ((name, table.column(f"before.{name}")) for name in spec.before)
    }
    groups = {}
    for name in spec.groups:
        codes, words = _group(table.column(f"group.{name}"), path, name)
        per_user = _one_each(rows, f"group.{name}", user, users, np.where(codes < 0, np.nan, codes))
        picked = pa.array(np.nan_to_num(per_user).astype(np.int64), mask=np.isnan(per_user))
        groups[name] = words.take(picked.filter(pa.array(left)))

    kept &= left[user]
    place = np.cumsum(left).astype(np.int32) - 1
    day = time[kept] // (_DAY if not numbered else 1)
    earliest = int(day.min())
    span = int(day.max()) - earliest + 1
    if span > MOST_DAYS:
        raise UsageError(f"{path}: the log spans {span:,} days, more than {MOST_DAYS:,}; some day is wrong")
    counts = np.bincount(assigned[left], minlength=len(names))
    facts |= {
        "arms": dict(zip(names, counts.tolist(), strict=True)),
        "days": span,
        "rows_without_outcome": {name: int(np.isnan(v[kept]).sum()) for name, v in outcomes.items()},
        "warnings": warnings,
    }
    start = earliest if numbered else datetime.date(1970, 1, 1) + datetime.timedelta(days=earliest)
    file = digest_file(path)
    options = spec.model_dump(exclude={"path", "label", "licence", "source"})
    return Exposures(
        name=spec.label,
        users=users.filter(pa.array(left)),
        arms=names,
        arm=assigned[left],
        user=place[user[kept]],
        day=(day - earliest).astype(np.int32),
        outcomes={name: values[kept] for name, values in outcomes.items()},
        before={name: values[left] for name, values in before.items()},
        groups=groups,
        start=start,
        shares=spec.shares,
        digest=digest({"dataset": "exposure-log", "recipe": RECIPE, "file": file, "options": options}),
        licence=spec.licence,
        source=spec.source,
        facts={**facts, "files": {"log": file}},
    )


def _read(spec: ExposureLogSpec, path: Path) -> tuple[pa.Table, Rows, bool]:
    """The columns under their roles, and whether they hold times of day."""
    source = Source(path=path, delimiter=spec.delimiter, encoding=spec.encoding)
    found = source.columns()
    timestamp, day = spec.columns.timestamp, spec.columns.day
    if timestamp is None and day is None:
        if "timestamp" in found:
            timestamp = "timestamp"
        elif "day" in found:
            day = "day"
        else:
            near = did_you_mean("day", found) or did_you_mean("timestamp", found)
            raise UsageError(
                f"{path} has neither a column 'day' nor 'timestamp'{near}; name it in columns as day or"
                f" timestamp (columns: {clip(', '.join(found), 300)[1:-1]})"
            )
    roles = {
        "user": spec.columns.user,
        "arm": spec.columns.arm,
        "time": timestamp or day or "",
        **{f"outcome.{name}": name for name in spec.outcomes},
        **{f"before.{name}": column for name, column in spec.before.items()},
        **{f"group.{name}": name for name in spec.groups},
    }
    if source.format != "parquet":
        numeric = [*spec.outcomes, *spec.before.values()]
        source = replace(source, types=dict.fromkeys(numeric, pa.float64()))
    table = source.read(list(dict.fromkeys(roles.values())))
    rows = Rows(where=source.where, names={**roles, "timestamp": roles["time"]}, unit=spec.time_unit)
    columns = {role: table.column(name) for role, name in roles.items()}
    return pa.table(columns), rows, timestamp is not None


def _check_arms(where: str, names: tuple[str, ...], shares: Mapping[str, float] | None) -> None:
    if len(names) < 2:
        raise UsageError(f"{where} holds one arm, {clip(names[0])}; a comparison needs two")
    if len(names) > MOST_ARMS:
        raise UsageError(
            f"{where} holds {len(names):,} different values, such as {clip(names[0])} and"
            f" {clip(names[1])}; more than {MOST_ARMS} are no arms of an experiment"
        )
    for name in shares or ():
        if name not in names:
            raise UsageError(
                f"shares names the arm '{name}', which {where} does not hold{did_you_mean(name, names)}"
                f" (arms: {', '.join(map(clip, names))})"
            )
    if shares is not None and (absent := [name for name in names if name not in shares]):
        raise UsageError(f"shares says nothing of the arm {clip(absent[0])}; give the share of every arm")


def _times(rows: Rows, column: pa.ChunkedArray, timed: bool, warnings: list[str]) -> tuple[Int64, bool]:
    """Unix seconds, or numbers of days with True."""
    if not timed and not column.null_count:
        numbers = column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            numbers = pc.utf8_trim_whitespace(column)
        if pa.types.is_boolean(column.type):
            raise rows.fault(0, "timestamp", "bool where a date or the number of a day is expected")
        if not pa.types.is_temporal(column.type):
            try:
                read = numbers.cast(pa.float64()).to_numpy()
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                read = None
            if read is not None and np.isfinite(read).all() and np.abs(read).max() < _NUMBERED:
                broken = np.flatnonzero(read != np.floor(read))
                if len(broken):
                    raise rows.fault(int(broken[0]), "timestamp", f"{read[broken[0]]} is no number of a day")
                return read.astype(np.int64), True
    seconds = times_of(rows, column, warnings)
    far = np.flatnonzero(np.abs(seconds) > _FARTHEST)
    if len(far):
        raise rows.fault(int(far[0]), "timestamp", f"{seconds[far[0]]} is no time of this or a near century")
    return seconds, False


def _duplicates(columns: list[npt.NDArray[Any]]) -> Mask:
    """bool[m], rows equal to an earlier one in all columns; NaN equals NaN."""
    order = np.lexsort(columns[::-1])  # stable, so that of equal rows the first stays
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in columns:
        one, other = column[order][1:], column[order][:-1]
        same &= (one == other) | ((one != one) & (other != other))
    again = np.zeros(len(order), bool)
    again[order[1:][same]] = True
    return again


def _first_rows(user: Int32, order: Int64, n: int) -> Int64:
    """int64[n], the first row of each user in ``order``."""
    first = np.empty(n, np.int64)
    first[user[order][::-1]] = order[::-1]
    return first


def _one_each(rows: Rows, role: str, user: Int32, users: pa.Array, values: Float64) -> Float64:
    """float64[n], the one value that the rows of each user name; NaN where none does."""
    known = np.flatnonzero(~np.isnan(values))
    found = np.full(len(users), np.nan)
    found[user[known][::-1]] = values[known][::-1]
    other = known[values[known] != found[user[known]]]
    if len(other):
        row = int(other[0])
        raise rows.fault(
            row,
            role,
            f"user {clip(users[int(user[row])])} has another value here than in an earlier row;"
            " it must be known before the experiment, and so be the same in all rows",
        )
    return found


def _group(column: pa.ChunkedArray, path: Path, name: str) -> tuple[Int32, pa.Array]:
    words = texts_of(Source(path=path), name, column)
    coded = words.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    return coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), coded.dictionary
