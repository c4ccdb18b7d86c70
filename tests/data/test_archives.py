"""Archives made to do harm are refused in a sentence; sound ones come out whole."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.data.fetching import archives
from genrec_eval.data.fetching.archives import unpack


def zipped(
    path: Path, entries: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(info)
            archive.writestr(info, body)
    return path


def tarred(path: Path, *entries: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, body in entries:
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return path


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def listed(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_zip_comes_out_whole(tmp_path: Path, into: Path) -> None:
    entries = {"ml/": b"", "ml/u.data": b"1\t2\n" * 50_000, "ml/über.txt": b"x", "./README": b""}
    unpack(zipped(tmp_path / "a.zip", entries), "zip", into)
    assert listed(into) == {"ml/u.data": b"1\t2\n" * 50_000, "ml/über.txt": b"x", "README": b""}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w"])
def test_a_tar_comes_out_whole_however_it_is_compressed(tmp_path: Path, into: Path, mode: str) -> None:
    folder = info("lastfm", tarfile.DIRTYPE)
    path = tarred(
        tmp_path / "a.tar",
        (info(".", tarfile.DIRTYPE), b""),
        (folder, b""),
        (info("lastfm/a.tsv"), b"1\n"),
        mode=mode,
    )
    assert unpack(path, "tar", into) == [into / "lastfm/a.tsv"]
    assert listed(into) == {"lastfm/a.tsv": b"1\n"}


def test_one_file_in_gzip(tmp_path: Path, into: Path) -> None:
    (tmp_path / "x.part").write_bytes(gzip.compress(b"{}\n"))
    assert unpack(tmp_path / "x.part", "gz", into, "reviews.json.gz") == [into / "reviews.json"]
    assert listed(into) == {"reviews.json": b"{}\n"}


PLACES = [
    "../evil",
    "a/../../evil",
    "/etc/evil",
    "a//b",
    "a/./b",
    "C:evil",
    "a\\..\\evil",
    "..",
    "a\nb",
    "nul.txt",
    "x" * 300,
    "/".join("abcdefghijklmnopq"),
]


@pytest.mark.parametrize("name", PLACES)
def test_places_outside_the_folder_are_refused(tmp_path: Path, into: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"which is no place inside a folder; nothing is unpacked"):
        unpack(zipped(tmp_path / "a.zip", {name: b"x"}), "zip", into)
    with pytest.raises(UsageError, match=r"which is no place inside a folder"):
        unpack(tarred(tmp_path / "a.tar", (info(name), b"x")), "tar", into)
    assert listed(tmp_path).keys() == {"a.zip", "a.tar"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, into: Path, kind: int) -> None:
    def odd(entry: zipfile.ZipInfo) -> None:
        entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16

    with pytest.raises(UsageError, match=r"'u\.data' is a link or device where a file is expected"):
        unpack(zipped(tmp_path / "a.zip", {"u.data": b"/etc/passwd"}, odd), "zip", into)
    assert listed(into) == {}


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
    ],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, into: Path, kind: bytes) -> None:
    with pytest.raises(UsageError, match=r"is a link or device where a file is expected|damaged one"):
        unpack(tarred(tmp_path / "a.tar", (info("u.data", kind, "/etc/passwd"), b"")), "tar", into)
    assert listed(into) == {}


def test_bombs_are_given_up(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SMALLEST", 1 << 16)
    zeros = b"\0" * (1 << 22)
    (tmp_path / "a.gz").write_bytes(gzip.compress(zeros))
    zipped(tmp_path / "a.zip", {"a": zeros})
    tarred(tmp_path / "a.tar", (info("a"), zeros))
    for kind in ("gz", "zip", "tar"):
        with pytest.raises(UsageError, match=r"unpacks to more than 100 times its size"):
            unpack(tmp_path / f"a.{kind}", kind, into, f"{kind}.gz")  # type: ignore[arg-type]
        (left,) = listed(into)
        assert (into / left).stat().st_size <= 1 << 20
        (into / left).unlink()


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path, into: Path) -> None:
    huge = info("x", tarfile.XHDTYPE)
    huge.size = 1 << 40
    (tmp_path / "a.tar").write_bytes(
        gzip.compress(huge.tobuf(tarfile.USTAR_FORMAT if huge.size < 8**11 else tarfile.GNU_FORMAT))
    )
    with pytest.raises(UsageError, match=r"a header of 1,099,511,627,776 bytes"):
        unpack(tmp_path / "a.tar", "tar", into)


def test_too_many_entries(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_ENTRIES", 3)
    with pytest.raises(UsageError, match=r"holds more than 3 entries"):
        unpack(zipped(tmp_path / "a.zip", {str(n): b"" for n in range(4)}), "zip", into)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_comes_twice_and_nothing_is_overwritten(tmp_path: Path, into: Path) -> None:
    with pytest.raises(UsageError, match=r"holds 'A\.csv' twice"):
        unpack(zipped(tmp_path / "a.zip", {"a.csv": b"1", "A.csv": b"2"}), "zip", into)
    with pytest.raises(UsageError, match=r"a\.csv is there already and is not overwritten"):
        unpack(zipped(tmp_path / "b.zip", {"a.csv": b"2"}), "zip", into)
    with pytest.raises(UsageError, match=r"is there already and is not overwritten"):
        unpack(zipped(tmp_path / "c.zip", {"b": b"2", "b/c": b""}), "zip", into)
    assert (into / "a.csv").read_bytes() == b"1"


def test_encrypted_and_damaged_archives(tmp_path: Path, into: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"u.data": bytes(range(256)) * 40})
    raw = path.read_bytes()
    (tmp_path / "b.zip").write_bytes(
        raw.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    )
    with pytest.raises(UsageError, match=r"'u\.data' is encrypted"):
        unpack(tmp_path / "b.zip", "zip", into)
    for kind, body in {
        "zip": raw[:-30],
        "tar": gzip.compress(b"no tar" * 200),
        "gz": gzip.compress(b"x" * 99)[:-5],
    }.items():
        (tmp_path / "broken").write_bytes(body)
        with pytest.raises(UsageError, match=rf"broken is no {kind} archive, or a damaged one"):
            unpack(tmp_path / "broken", kind, into)  # type: ignore[arg-type]


def test_a_tar_that_breaks_off(tmp_path: Path, into: Path) -> None:
    path = tarred(tmp_path / "a.tar", (info("a"), b"x" * 5000), mode="w")
    (tmp_path / "b.tar").write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UsageError, match=r"is no tar archive, or a damaged one"):
        unpack(tmp_path / "b.tar", "tar", into)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_of_any_kind_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    kind = data.draw(st.sampled_from(["zip", "tar", "gz", "bz2", "xz"]))
    if kind == "zip":
        raw = zipped(folder / "a", {"a/b.csv": b"1,2\n" * 99, "c": b"x"}).read_bytes()
    elif kind == "gz":
        raw = gzip.compress(b"1,2\n" * 99)
    else:
        plain = tarred(
            folder / "a", (info("a/b.csv"), b"1,2\n" * 99), (info("c"), b"x"), mode="w"
        ).read_bytes()
        raw = {"tar": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind](plain)
    broken = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path, into = folder / "broken", folder / "into"
    path.write_bytes(bytes(broken[: data.draw(st.integers(0, len(raw)))]))
    into.mkdir()
    with suppress(UsageError):
        unpack(path, kind if kind in ("zip", "gz") else "tar", into, "x.gz")  # type: ignore[arg-type]
    assert {p.name for p in folder.iterdir()} <= {"a", "broken", "into"}
