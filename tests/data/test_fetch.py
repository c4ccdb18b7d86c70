"""Downloads from a server on this machine: whole or not at all, and never another file than documented."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer, serving

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.core.faults import FileError
from genrec_eval.data.fetching import fetch as fetching
from genrec_eval.data.fetching.download import download
from genrec_eval.data.fetching.fetch import fetch
from genrec_eval.data.fetching.first_use import store
from genrec_eval.data.fetching.sources import DataSource, SourceFile, find_source, read_catalogue
from genrec_eval.data.registry import DATASETS

U_DATA = b"".join(b"%d\t%d\t%d\t88125%04d\n" % (n % 40 + 1, n % 31 + 1, n % 5 + 1, n) for n in range(3000))


def archive(entries: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as opened:
        for name, body in entries.items():
            opened.writestr(zipfile.ZipInfo(name), body)
    return made.getvalue()


ZIP = archive({"ml-100k/u.data": U_DATA, "ml-100k/README": b"x"})


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as served:
        served.files["/ml.zip"] = ZIP
        yield served


def source(server: FileServer, **changes: Any) -> DataSource:
    file = {"url": f"{server.url}/ml.zip", "at_most": 10**6, "unpack": "zip", **changes.pop("file", {})}
    known = {
        "title": "T",
        "about": "A",
        "homepage": "https://example.org",
        "licence": {"summary": "S", "link": "https://example.org/terms"},
        "dataset": "movielens",
        "files": [file],
    }
    return DataSource.model_validate({**known, **changes})


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def left(folder: Path) -> set[str]:
    """Everything below, but for the checksums of the user."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*")}
    return {name for name in found if not name.startswith("state")}


def test_a_data_set_is_got_whole(server: FileServer, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    documented = {"sha256": sha256(ZIP), "md5": hashlib.md5(ZIP).hexdigest(), "size": len(ZIP)}
    found = fetch(
        "ml",
        source(server, file=documented),
        tmp_path / "data",
        report=lambda file, done, total: told.append((done, total)),
    )
    assert found.options == {"path": str(tmp_path / "data/ml/ml-100k")}
    assert found.first == {}
    assert left(tmp_path / "data") == {"ml", "ml/ml-100k", "ml/ml-100k/u.data", "ml/ml-100k/README"}
    assert told[0] == (0, len(ZIP))
    assert told[-1] == (len(ZIP), len(ZIP))
    assert not store().exists()
    data = DATASETS.get("movielens").model_validate(found.options).load(Path(), 1)
    assert len(data.interactions) == 3000


def test_several_files_kept_and_unpacked(server: FileServer, tmp_path: Path) -> None:
    server.files |= {
        "/r.csv.gz": gzip.compress(b"user,item\n1,2\n"),
        "/items%20all.csv": b"item,title\n2,T\n",
    }
    files = [
        {"url": f"{server.url}/r.csv.gz", "at_most": 999, "unpack": "gz"},
        {"url": f"{server.url}/items%20all.csv", "at_most": 999},
    ]
    wanted = source(
        server, files=files, dataset="files", paths={"interactions": "r.csv", "items": "items all.csv"}
    )
    found = fetch("own", wanted, tmp_path)
    assert left(tmp_path) == {"own", "own/r.csv", "own/items all.csv"}
    assert len(DATASETS.get("files").model_validate(found.options).load(Path(), 1).interactions) == 1
    assert set(found.first) == {"r.csv.gz", "items all.csv"}


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_wrong_checksum_unpacks_nothing(server: FileServer, tmp_path: Path, kind: str) -> None:
    wrong = {"sha256": "0" * 64, "md5": "0" * 32}[kind]
    with pytest.raises(UsageError, match=rf"gave a file with {kind} \w+ where the catalogue says 0000"):
        fetch("ml", source(server, file={kind: wrong}), tmp_path / "data")
    assert left(tmp_path) == set()


def test_trust_on_first_use(server: FileServer, tmp_path: Path) -> None:
    wanted = source(server)
    assert fetch("ml", wanted, tmp_path / "one").first == {"ml.zip": sha256(ZIP)}
    assert json.loads(store().read_text())[f"{server.url}/ml.zip"]["sha256"] == sha256(ZIP)
    assert fetch("ml", wanted, tmp_path / "two").first == {}
    server.files["/ml.zip"] = archive({"u.data": b"1\t2\t3\t4\n"})
    with pytest.raises(
        UsageError, match=rf"and on \d{{4}}-.* one with {sha256(ZIP)}: the publisher or somebody"
    ):
        fetch("ml", wanted, tmp_path / "three")
    assert not (tmp_path / "three").exists()
    store().write_text("[]")
    with pytest.raises(UsageError, match=r"downloads\.json is damaged"):
        fetch("ml", wanted, tmp_path / "three")


def test_an_archive_that_is_refused_is_not_trusted(server: FileServer, tmp_path: Path) -> None:
    server.files["/ml.zip"] = archive({"../u.data": U_DATA})
    with pytest.raises(UsageError, match=r"holds '\.\./u\.data', which is no place inside a folder"):
        fetch("ml", source(server), tmp_path / "data")
    assert left(tmp_path) == set()
    assert not store().exists()


def test_a_login_page_is_not_data(server: FileServer, tmp_path: Path) -> None:
    server.files["/ml.zip"] = b"\n<!DOCTYPE html><title>Sign in</title>"
    with pytest.raises(UsageError, match=r"gave a web page where a file of data is expected"):
        fetch("ml", source(server, file={"unpack": "none"}), tmp_path)
    assert left(tmp_path) == set()


def test_a_broken_transfer_goes_on_where_it_was(server: FileServer, tmp_path: Path) -> None:
    server.cut["/ml.zip"] = 10_000
    fetch("ml", source(server, file={"sha256": sha256(ZIP)}), tmp_path, pauses=(0,))
    assert server.asked == [("/ml.zip", None), ("/ml.zip", "bytes=10000-")]
    assert left(tmp_path) == {"ml", "ml/ml-100k", "ml/ml-100k/u.data", "ml/ml-100k/README"}


def test_another_call_goes_on_too(server: FileServer, tmp_path: Path) -> None:
    server.cut["/ml.zip"] = 10_000
    with pytest.raises(
        IncompleteError, match=r"broke off after 10,000 bytes: .*; run the same command again"
    ):
        fetch("ml", source(server), tmp_path / "data", pauses=())
    assert left(tmp_path / "data") == {
        f".ml.download{name}" for name in ("", "/lock", "/ml.zip.part", "/ml.zip.part.json")
    }
    assert fetch("ml", source(server), tmp_path / "data").first == {"ml.zip": sha256(ZIP)}
    assert server.asked[-1] == ("/ml.zip", "bytes=10000-")
    assert ".ml.download" not in left(tmp_path / "data")


def test_a_file_that_changed_in_between_starts_over(server: FileServer, tmp_path: Path) -> None:
    server.cut["/ml.zip"] = 10_000
    with pytest.raises(IncompleteError):
        fetch("ml", source(server), tmp_path, pauses=())
    server.files["/ml.zip"] = other = archive({"u.data": U_DATA[:100]})
    assert fetch("ml", source(server), tmp_path).first == {"ml.zip": sha256(other)}
    assert (tmp_path / "ml/u.data").read_bytes() == U_DATA[:100]


def test_a_server_without_ranges_starts_over(server: FileServer, tmp_path: Path) -> None:
    server.cut["/ml.zip"], server.ranges = 10_000, False
    fetch("ml", source(server, file={"sha256": sha256(ZIP)}), tmp_path, pauses=(0,))
    assert (tmp_path / "ml/ml-100k/u.data").read_bytes() == U_DATA


def test_whole_files_are_not_downloaded_again(server: FileServer, tmp_path: Path) -> None:
    files = [
        {"url": f"{server.url}/{name}", "at_most": 10**6, "unpack": "zip"} for name in ("ml.zip", "b.zip")
    ]
    server.files["/b.zip"] = archive({"more.txt": b"x" * 9999})
    server.cut["/b.zip"] = 50
    with pytest.raises(IncompleteError):
        fetch("ml", source(server, files=files), tmp_path, pauses=())
    fetch("ml", source(server, files=files), tmp_path, pauses=())
    assert [path for path, _ in server.asked] == ["/ml.zip", "/b.zip", "/b.zip"]
    assert (tmp_path / "ml/more.txt").exists()


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(server: FileServer, tmp_path: Path) -> None:
    server.status["/ml.zip"] = [503, 429]
    fetch("ml", source(server), tmp_path, pauses=(0, 0))
    assert len(server.asked) == 3
    del server.files["/ml.zip"]
    with pytest.raises(UsageError, match=r"/ml\.zip answers 404 Not Found; if it moved for good"):
        fetch("gone", source(server), tmp_path / "data", pauses=(0, 0))
    assert len(server.asked) == 4
    assert not (tmp_path / "data").exists()


def test_no_server_at_all(tmp_path: Path) -> None:
    with serving() as gone:
        wanted = source(gone)
    with pytest.raises(IncompleteError, match=r"/ml\.zip cannot be downloaded: "):
        fetch("ml", wanted, tmp_path / "data", pauses=())
    assert left(tmp_path) == set()


def test_sizes_are_bounds(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"has {len(ZIP):,} bytes where the catalogue says 99"):
        fetch("ml", source(server, file={"size": 99, "at_most": None}), tmp_path / "data")
    with pytest.raises(UsageError, match=rf"has {len(ZIP):,} bytes, more than the 99 that"):
        fetch("ml", source(server, file={"at_most": 99}), tmp_path / "data")
    server.length = False
    with pytest.raises(UsageError, match=r"sends more than the 99 bytes that the catalogue allows"):
        fetch("ml", source(server, file={"at_most": 99}), tmp_path / "data")
    server.cut["/ml.zip"] = 9
    with pytest.raises(IncompleteError, match=r"bytes are missing"):
        fetch("ml", source(server, file={"size": len(ZIP)}), tmp_path / "data", pauses=())


def test_redirects_are_looked_at(server: FileServer, tmp_path: Path) -> None:
    server.moved["/ml.zip"] = "/new.zip"
    server.files["/new.zip"] = ZIP
    fetch("ml", source(server), tmp_path)
    with serving() as other:
        other.files["/ml.zip"] = ZIP
        server.moved["/ml.zip"] = f"{other.url}/ml.zip"
        with pytest.raises(UsageError, match=r"leads to 'http.*', a host that the catalogue does not name"):
            fetch("elsewhere", source(server), tmp_path)
        assert other.asked == []
        fetch("named", source(server, file={"redirects": [other.url.removeprefix("http://")]}), tmp_path)
    for target in ("http://example.org/ml.zip", "file:///etc/passwd", "ftp://127.0.0.1/x"):
        server.moved["/ml.zip"] = target
        with pytest.raises(UsageError, match=r"which is not https"):
            fetch("plain", source(server), tmp_path)
    server.moved["/ml.zip"] = "/ml.zip"
    with pytest.raises(UsageError, match=r"more than 5 other addresses, one after the other"):
        fetch("circle", source(server), tmp_path)


def test_what_is_there_is_not_overwritten_without_being_asked(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml/mine.txt").write_text("x")
    with pytest.raises(UsageError, match=r"ml is there already; check it .*, replace it with --replace"):
        fetch("ml", source(server), tmp_path)
    assert server.asked == []
    server.status["/ml.zip"] = [404]
    with pytest.raises(UsageError, match="404"):
        fetch("ml", source(server), tmp_path, replace=True)
    assert left(tmp_path) == {"ml", "ml/mine.txt"}
    fetch("ml", source(server), tmp_path, replace=True)
    assert left(tmp_path) == {"ml", "ml/ml-100k", "ml/ml-100k/u.data", "ml/ml-100k/README"}
    (tmp_path / "link").symlink_to(tmp_path / "ml")
    with pytest.raises(UsageError, match=r"link is not a folder and is not replaced"):
        fetch("link", source(server), tmp_path, replace=True)


def test_only_one_at_a_time(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(*_: Any) -> Any:
        fetch("ml", source(server), tmp_path)

    monkeypatch.setattr(fetching, "_fetch", meanwhile)
    with pytest.raises(UsageError, match=r"another genrec-eval is getting 'ml' into"):
        fetch("ml", source(server), tmp_path)


def test_files_that_no_loader_reads(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"nothing in the files is what dataset 'yelp' reads .*README, u\.data"
    ):
        fetch("ml", source(server, dataset="yelp"), tmp_path / "data")
    with pytest.raises(
        UsageError, match=r"the files hold no 'r\.csv', which the catalogue names as interactions"
    ):
        fetch("ml", source(server, dataset="files", paths={"interactions": "r.csv"}), tmp_path / "data")
    with pytest.raises(UsageError, match=r"unknown dataset 'movielenz'; did you mean 'movielens'"):
        fetch("ml", source(server, dataset="movielenz"), tmp_path / "data")
    assert left(tmp_path) == set()


def test_an_interrupt_leaves_nothing_that_looks_complete(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fetching, "_places", stop)
        with pytest.raises(KeyboardInterrupt):
            fetch("ml", source(server), tmp_path)
    assert left(tmp_path) == {
        f".ml.download{name}" for name in ("", "/lock", "/ml.zip.part", "/ml.zip.part.json")
    }
    fetch("ml", source(server), tmp_path)
    assert len(server.asked) == 1
    assert ".ml.download" not in left(tmp_path)


KILLED = """
import sys, time
from pathlib import Path
from genrec_eval.data.fetching import fetch
from genrec_eval.data.fetching.sources import read_catalogue

def wait(*_):
    print("unpacked", flush=True)
    time.sleep(60)

fetch._places = wait
fetch.fetch("ml", read_catalogue(Path(sys.argv[1]))["ml"], Path(sys.argv[2]))
"""


def test_a_kill_leaves_nothing_that_looks_complete(server: FileServer, tmp_path: Path) -> None:
    entry = source(server).model_dump(mode="json", exclude_none=True)
    (tmp_path / "own.yaml").write_text(json.dumps({"datasets": {"ml": entry}}))
    started = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "own.yaml"), str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "unpacked\n"
    os.kill(started.pid, signal.SIGKILL)
    started.wait(10)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {".ml.download"}
    fetch("ml", source(server), tmp_path / "data")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"ml"}


def test_a_part_of_another_address_is_no_start(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "ml.zip.part").write_bytes(b"something else")
    (tmp_path / "ml.zip.part.json").write_text(json.dumps({"url": "https://example.org", "validator": '"x"'}))
    path = download(SourceFile(url=f"{server.url}/ml.zip", at_most=10**6), tmp_path)
    assert path.read_bytes() == ZIP
    assert server.asked == [("/ml.zip", None)]


def test_the_shipped_catalogue_is_whole() -> None:
    known = read_catalogue()
    assert {"movielens-100k", "movielens-1m", "movielens-latest-small", "goodbooks-10k", "yelp"} <= set(known)
    for entry in known.values():
        DATASETS.get(entry.dataset).model_validate({"path": "x", **entry.options})
        assert all(file.url.startswith("https://") for file in entry.files)
        assert entry.licence.link.startswith("http")
    assert all(file.sha256 or file.md5 for name in known if "movielens" in name for file in known[name].files)
    with pytest.raises(UsageError, match=r"unknown data set 'movielens-10k'; did you mean 'movielens-10"):
        find_source("movielens-10k", known)
    with pytest.raises(UsageError, match=r"'yelp' cannot be downloaded by a program\. Accept the terms"):
        fetch("yelp", known["yelp"], Path())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"url": "http://example.org/a.zip"}, "is http; use https, or insecure: true with a sha256"),
        ({"url": "http://example.org/a.zip", "insecure": True}, "insecure needs a sha256"),
        ({"url": "file:///etc/passwd"}, "is not an address that begins with https://"),
        ({"url": "https://me:secret@example.org/a.zip"}, "'example.org': names and passwords do not belong"),
        ({"url": "https://example.org/"}, "'' cannot be the name of a file; give one as name"),
        ({"url": "https://example.org/..%2Fa"}, "'../a' cannot be the name of a file"),
        ({"name": ".hidden"}, "'.hidden' cannot be the name of a file"),
        ({"at_most": None}, "needs size or at_most"),
        ({"sha265": "0" * 64}, "unknown key 'sha265'; did you mean 'sha256'?"),
        ({"md5": "0"}, "does not match the pattern"),
        ({"unpack": "rar"}, "is one of 'zip', 'tar', 'gz' or 'none', not 'rar'"),
    ],
)
def test_faults_of_a_catalogue_are_named_by_line(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    file = {"url": "https://example.org/a.zip", "at_most": 9, **change}
    text = json.dumps({k: v for k, v in file.items() if v is not None})
    body = (
        f"title: T\nabout: A\nhomepage: H\nlicence: {{summary: S, link: L}}\ndataset: files\nfiles:\n- {text}"
    )
    path = tmp_path / "own.yaml"
    path.write_text("datasets:\n  x:\n" + "".join(f"    {line}\n" for line in body.splitlines()))
    with pytest.raises(FileError) as caught:
        read_catalogue(path)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"{path}:9: ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"files": []}, "needs either files or by_hand"),
        ({"by_hand": "Ask."}, "needs either files or by_hand"),
        ({"paths": {"interactions": "../r.csv"}}, "paths.interactions: '../r.csv' is not a place inside"),
        (
            {"files": [{"url": "https://a.org/x", "at_most": 1}, {"url": "https://b.org/X", "at_most": 1}]},
            "same name",
        ),
    ],
)
def test_entries_that_cannot_work(server: FileServer, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        source(server, **change)


def test_names_in_a_catalogue_are_names(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text('datasets: {"../x": {}}')
    with pytest.raises(FileError):
        read_catalogue(tmp_path / "own.yaml")
