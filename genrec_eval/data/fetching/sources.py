"""The catalogue of data sets that can be downloaded: where they are, under which terms, how they are read."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.faults import FileError, explain
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import plain, read_file

SHIPPED = Path(__file__).with_name("sources.yaml")

NAME = r"^[a-z0-9][a-z0-9.-]*$"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,199}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Licence(StrictModel):
    """The terms of a data set."""

    summary: str = Field(min_length=1, description="What may be done with it, in a sentence or two.")
    link: str = Field(description="Where the terms are written.")


class SourceFile(StrictModel):
    """One file to download."""

    url: str = Field(description="https; http only on this machine, or with 'insecure' and a sha256.")
    name: str | None = Field(None, description="Name of the file; the last part of the url when not given.")
    size: int | None = Field(None, ge=1, description="Exact number of bytes, where it is documented.")
    at_most: int | None = Field(None, ge=1, description="Bytes after which the download is given up.")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    md5: str | None = Field(None, pattern=r"^[0-9a-f]{32}$")
    unpack: Literal["zip", "tar", "gz", "none"] = Field(
        "none", description="'tar' may be compressed; 'gz' is one file; 'none' keeps the file as it is."
    )
    redirects: tuple[str, ...] = Field((), description="Other hosts to which the address may lead.")
    insecure: bool = Field(False, description="Whether http will do; the sha256 must be known then.")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"'{url}' is not an address that begins with https://")
        if parts.username is not None:
            raise ValueError(f"'{parts.hostname}': names and passwords do not belong into a catalogue")
        return url

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.insecure and self.sha256 is None:
            raise ValueError("insecure needs a sha256, or anybody on the way could change the file")
        if urlsplit(self.url).scheme == "http" and not self.insecure and not local(self.url):
            raise ValueError(f"'{self.url}' is http; use https, or insecure: true with a sha256")
        if self.size is None and self.at_most is None:
            raise ValueError("needs size or at_most, so that a download can end")
        if not _SAFE.fullmatch(self.file):
            raise ValueError(f"'{self.file}' cannot be the name of a file; give one as name")
        return self

    @property
    def file(self) -> str:
        """Name on this machine."""
        return self.name or unquote(PurePosixPath(urlsplit(self.url).path).name)

    @property
    def limit(self) -> int:
        """Bytes that the file may have."""
        return self.size or self.at_most or 0


class DataSource(StrictModel):
    """A data set: its terms, its files, and the loader that reads them."""

    title: str = Field(min_length=1)
    about: str = Field(min_length=1, description="What is in it, in one line.")
    homepage: str
    licence: Licence
    dataset: str = Field(description="Kind of dataset that reads it, as in a suite.")
    options: dict[str, Any] = Field(default_factory=dict, description="Further options of that kind.")
    paths: dict[str, str] = Field(
        default_factory=dict,
        description="Options that are places in the unpacked folder, such as interactions: ratings.csv;"
        " when not given, 'path' is the folder that the kind recognises.",
    )
    files: tuple[SourceFile, ...] = ()
    by_hand: str | None = Field(None, description="How to get it, where that needs a person.")
    note: str | None = Field(None, description="Worth knowing before the download.")

    @model_validator(mode="after")
    def _obtainable(self) -> Self:
        if bool(self.files) == bool(self.by_hand):
            raise ValueError("needs either files or by_hand")
        for option, path in self.paths.items():
            parts = PurePosixPath(path).parts
            if not parts or path.startswith("/") or ".." in parts or "\\" in path:
                raise ValueError(f"paths.{option}: '{path}' is not a place inside the unpacked folder")
        names = [file.file.lower() for file in self.files]
        if len(set(names)) < len(names):
            raise ValueError("two files have the same name; give one of them a name")
        return self

    @property
    def limit(self) -> int:
        """Bytes of all files, at most."""
        return sum(file.limit for file in self.files)


class _Catalogue(StrictModel):
    datasets: dict[str, DataSource] = Field(min_length=1)

    @field_validator("datasets")
    @classmethod
    def _names(cls, datasets: dict[str, DataSource]) -> dict[str, DataSource]:
        for name in datasets:
            if not re.fullmatch(NAME, name):
                raise ValueError(f"'{name}' is no name: small letters, digits, dots and dashes")
        return datasets


def local(url: str) -> bool:
    """Whether the address is on this machine.

    >>> local("http://127.0.0.1:8000/a.zip"), local("http://127.0.0.1.example.org/a.zip")
    (True, False)
    """
    return urlsplit(url).hostname in _LOOPBACK


def read_catalogue(path: Path | None = None) -> dict[str, DataSource]:
    """Data sets by name, of the shipped catalogue or of one's own.

    Raises
    ------
    UsageError
        When the file is not a catalogue; names the line.
    """
    path = path or SHIPPED
    root = read_file(path, str(path) if path is not SHIPPED else path.name)
    try:
        return dict(_Catalogue.model_validate(plain(root)).datasets)
    except ValidationError as error:
        raise FileError(explain(error, root)) from None


def find_source(name: str, catalogue: dict[str, DataSource]) -> DataSource:
    """The data set ``name``, or the sentence that there is none."""
    if name not in catalogue:
        raise UsageError(
            f"unknown data set '{name}'{did_you_mean(name, catalogue)} (known: {', '.join(catalogue)})"
        )
    return catalogue[name]
