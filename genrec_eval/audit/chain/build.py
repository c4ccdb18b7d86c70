"""Making the evidence of a run: at the end of scoring, and again when its pages are written anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genrec_eval.audit.chain.evidence import CHAIN_FILE, EVIDENCE_FILE, Evidence, HashedFile, Page, run_root
from genrec_eval.audit.chain.files import hashed_files, pages, regular
from genrec_eval.audit.chain.leaves import Leaves, leaves
from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.protocol.row_digests import UInt8

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.engine.rundir import RunDirectory


def write_chain(directory: RunDirectory) -> Evidence:
    """Hash a scored run, and write ``chain.parquet`` and ``evidence.json``.

    ``chain.parquet`` has one leaf per row of the hashed files (columns file, name and leaf), so that a change
    is found to the row. The same run gives the same bytes of both.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from genrec_eval.engine.environment import versions
    from genrec_eval.engine.rundir import whole_file

    files: list[HashedFile] = []
    schema = _schema()
    with (
        whole_file(directory.path / CHAIN_FILE) as partial,
        pq.ParquetWriter(
            partial, schema, compression="none", use_dictionary=["file"], write_statistics=False
        ) as writer,
    ):
        for name in hashed_files(directory.path):
            found = leaves(directory.path, name)
            files.append(hashed(found))
            n = len(found.digests)
            columns = [
                pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [name]),
                pa.nulls(n, pa.string()) if found.labels is None else pa.array(found.labels, pa.string()),
                pa.FixedSizeBinaryArray.from_buffers(
                    pa.binary(32), n, [None, pa.py_buffer(np.ascontiguousarray(found.digests))]
                ),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    evidence = Evidence.made(
        run=str(directory.run.get("run") or ""),
        root=run_root((one.name, one.root) for one in files),
        files=files,
        versions=versions(),
        redactions=[],
        pages=[],
    )
    evidence.write(directory.path)
    return evidence


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [("file", pa.dictionary(pa.int32(), pa.string())), ("name", pa.string()), ("leaf", pa.binary(32))]
    )


def hashed(found: Leaves) -> HashedFile:
    """A file as the evidence states it."""
    return HashedFile(
        name=found.name,
        rows=found.rows,
        per_leaf=found.per_leaf,
        bytes=found.size,
        sha256=found.sha256,
        metadata=found.metadata,
        root=found.root,
    )


def seal_pages(directory: Path) -> bool:
    """State in the evidence what the pages of a run are, after they were written; returns whether it changed.

    A run without evidence is left without: only scoring makes it. Where the evidence changed, a signature of
    it must be renewed.
    """
    if not (directory / EVIDENCE_FILE).is_file():
        return False
    held = Evidence.read(directory)
    made = held.changed(
        pages=[
            Page(name=name, bytes=(directory / name).stat().st_size, sha256=digest_file(directory / name))
            for name in pages(directory)
        ]
    )
    if made == held:
        return False
    made.write(directory)
    return True


def stored_leaves(
    directory: Path, evidence: Evidence
) -> Iterator[tuple[HashedFile, UInt8, list[str | None]]]:
    """Each file of the evidence with its leaves and labels from ``chain.parquet``.

    Raises
    ------
    UsageError
        When the chain is missing, broken, or has other leaves than the evidence counts.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = directory / CHAIN_FILE
    try:
        with pq.ParquetFile(regular(path)) as file:
            counted = sum(one.leaves for one in evidence.files)
            if file.schema_arrow.names != _schema().names or file.metadata.num_rows != counted:
                raise UsageError(
                    f"{path} holds {file.metadata.num_rows:,} leaves, and {EVIDENCE_FILE} counts {counted:,}:"
                    " one of them was changed or belongs to another run"
                )
            table = file.read(columns=["name", "leaf"])
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); without it no row can be checked") from None
    if table.schema.field("leaf").type != pa.binary(32) or table.column("leaf").null_count:
        raise UsageError(f"{path} holds no leaves of 32 bytes; without them no row can be checked")
    start = 0
    for one in evidence.files:
        part = table.slice(start, one.leaves)
        start += one.leaves
        array = pa.concat_arrays([pa.array([], pa.binary(32)), *part.column("leaf").chunks])
        data = np.frombuffer(array.buffers()[1] or b"", np.uint8, 32 * len(array), array.offset * 32)
        names = part.column("name")
        labels = [] if names.null_count == len(names) else names.to_pylist()
        yield one, data.reshape(-1, 32), labels
