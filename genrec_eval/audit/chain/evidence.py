"""``evidence.json``: what a run was when it was scored, in digests.

The root of a run is SHA-256 of ``"genrec-eval/run/1\\n"`` and of a line ``"{name} {root of the file}\\n"``
for each of its files, sorted by name. Whoever has those 64 digits, from a report, a mail or a paper, can tell
whether the run is still the one that was scored. Pages, which show the root, are sealed beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from genrec_eval.audit.chain.files import is_name, regular
from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest

EVIDENCE_FILE = "evidence.json"
CHAIN_FILE = "chain.parquet"
SIGNATURE_FILE = "evidence.json.sig"
SCHEMA = "genrec-eval/evidence/1"
RECIPE = 1
"""Version of leaves and roots; raised whenever the same run would have another root."""

STATEMENT = (
    "Integrity is not authenticity. These digests show that the run is the one that was scored, or what was"
    " changed since. They do not show who ran it, nor that its models said what it holds: whoever can write"
    " here can change the run and hash it anew. A signature, or a copy of the root kept elsewhere, shows that"
    " it was not changed after it was signed or copied."
)

_MOST = 1 << 28
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0, le=1 << 53)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class HashedFile(_Part):
    """A file of the run; see :class:`~genrec_eval.audit.chain.leaves.Leaves`."""

    name: str
    rows: _Count
    per_leaf: Annotated[int, Field(ge=1, le=1 << 53)]
    bytes: _Count
    sha256: _Hex | None
    metadata: _Hex | None
    root: _Hex

    @field_validator("name")
    @classmethod
    def _inside(cls, name: str) -> str:
        if not is_name(name):
            raise ValueError(f"{name!r} is no file of a run")
        return name

    @property
    def leaves(self) -> int:
        """Leaves in the chain."""
        return -(-self.rows // self.per_leaf)


class Page(_Part):
    """A page that was made from the run."""

    name: Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]+$")]
    bytes: _Count
    sha256: _Hex


class RedactedRow(_Part):
    """A row whose texts were taken out.

    Attributes
    ----------
    leaf
        Hash of the original; it stays in the root.
    now
        Hash of what is left; None for a payload, of which nothing is.
    """

    file: str
    row: _Count
    name: str | None = None
    leaf: _Hex
    now: _Hex | None


class Redaction(_Part):
    """What was redacted at once, and why."""

    reason: str
    cases: list[str]
    model: str | None
    scenario: str | None
    scenarios: list[str]
    """Those whose scores were made from the texts."""
    rows: list[RedactedRow]


class Evidence(_Part):
    """Content of ``evidence.json``."""

    schema_: Literal["genrec-eval/evidence/1"] = Field(alias="schema")
    recipe: Literal[1]
    statement: str
    run: str
    root: _Hex
    files: list[HashedFile]
    versions: dict[str, str]
    redactions: list[Redaction]
    pages: list[Page]
    seal: _Hex

    @classmethod
    def made(cls, **content: Any) -> Evidence:
        """Evidence with its constants and its seal."""
        held = {"schema": SCHEMA, "recipe": RECIPE, "statement": STATEMENT, **content}
        plain = {
            key: [one.model_dump() if isinstance(one, BaseModel) else one for one in value]
            if isinstance(value, list)
            else value
            for key, value in held.items()
        }
        return cls.model_validate({**plain, "seal": digest(plain)})

    def changed(self, **content: Any) -> Evidence:
        """The same with other content, sealed anew."""
        held = {
            name: getattr(self, name) for name in ("run", "root", "files", "versions", "redactions", "pages")
        }
        return Evidence.made(**{**held, **content})

    @property
    def sealed(self) -> bool:
        """Whether the seal fits: an edit by hand forgets it."""
        held = self.model_dump(by_alias=True)
        seal = held.pop("seal")
        return bool(
            seal == digest(held) and self.root == run_root((one.name, one.root) for one in self.files)
        )

    @property
    def redacted(self) -> dict[str, list[RedactedRow]]:
        """Redacted rows by file."""
        found: dict[str, list[RedactedRow]] = {}
        for redaction in self.redactions:
            for row in redaction.rows:
                found.setdefault(row.file, []).append(row)
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain dict for ``evidence.json``."""
        return self.model_dump(by_alias=True)

    def write(self, directory: Path) -> None:
        """Write ``evidence.json``; the same evidence gives the same bytes."""
        from genrec_eval.engine.rundir import write_json

        write_json(directory / EVIDENCE_FILE, self.to_json())

    @classmethod
    def read(cls, directory: Path) -> Evidence:
        """Read ``evidence.json``; nothing that it names is opened.

        Raises
        ------
        UsageError
            When it is missing, broken, or of a newer version.
        """
        import orjson

        path = directory / EVIDENCE_FILE
        if not path.exists() and not path.is_symlink():
            raise UsageError(
                f"{directory} has no evidence (it was scored by an earlier version, or not to the end);"
                f" score it again to make it: genrec-eval score {directory}"
            )
        if regular(path).stat().st_size > _MOST:
            raise UsageError(f"{path} is larger than {_MOST >> 20} MiB, which no run writes")
        try:
            held = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise UsageError(f"{path} is not valid JSON ({error}); it was damaged or edited") from None
        schema = held.get("schema") if isinstance(held, dict) else None
        if not isinstance(schema, str) or not schema.startswith("genrec-eval/evidence/"):
            raise UsageError(f"{path} is no evidence of a run: it names no schema 'genrec-eval/evidence/…'")
        if schema != SCHEMA or held.get("recipe") != RECIPE:
            raise UsageError(
                f"{path} was written by a newer version of genrec-eval ('{schema[:60]}', recipe"
                f" {str(held.get('recipe'))[:20]}; this one reads '{SCHEMA}', recipe {RECIPE});"
                " upgrade with: pip install -U genrec-eval"
            )
        try:
            return cls.model_validate(held)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise UsageError(
                f"{path} is not as 'genrec-eval score' writes it: {place[:100]}: {fault['msg'][:200]}"
            ) from None


def run_root(roots: Iterable[tuple[str, str]]) -> str:
    """Root of a run from names and roots of its files.

    >>> run_root([("run.json", "00" * 32), ("estimates.json", "11" * 32)])[:16]
    '319a175853659af5'
    """
    lines = "".join(f"{name} {root}\n" for name, root in sorted(roots))
    return hashlib.sha256(f"genrec-eval/run/1\n{lines}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """What a report or an export says of the evidence of its run.

    Attributes
    ----------
    root
        64 hex digits.
    files, rows
        How many were hashed.
    redacted
        Rows and payloads whose content was taken out since.
    signed
        Whether a signature lies beside it; ``genrec-eval verify`` says whether it fits.
    statement
        What the root does not show.
    """

    root: str
    recipe: int
    files: int
    rows: int
    redacted: int
    signed: bool
    statement: str = STATEMENT


def read_root(directory: Path) -> Root | None:
    """The root of a run as its evidence states it, without hashing anything; None where it has none.

    Raises
    ------
    UsageError
        When the evidence is broken or of a newer version.
    """
    if not (directory / EVIDENCE_FILE).is_file():
        return None
    held = Evidence.read(directory)
    return Root(
        root=held.root,
        recipe=held.recipe,
        files=len(held.files),
        rows=sum(one.rows for one in held.files),
        redacted=sum(len(one.rows) for one in held.redactions),
        signed=(directory / SIGNATURE_FILE).is_file(),
    )
