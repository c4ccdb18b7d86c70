"""The journal keeps what was answered, and only that."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.engine.journal import Exchange, Journal
from genrec_eval.protocol.status import TRANSIENT, Status


def exchange(key: str = "k", status: Status = Status.OK, **more: object) -> Exchange:
    return Exchange(key=key, model="m", repeat=0, status=status, request=b"{}", **more)  # type: ignore[arg-type]


def test_an_exchange_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = exchange(response=b'{"text":"\xc3\xa9"}', cost=0.25, attempts=3, sent=1.5, error=None)
    Journal(tmp_path / "j").append(kept)
    assert Journal(tmp_path / "j").find("k") == kept


@pytest.mark.parametrize("status", sorted(TRANSIENT))
def test_what_may_pass_is_asked_again(tmp_path: Path, status: Status) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(exchange(status=status))
    assert journal.find("k") is None
    assert journal.latest("k") is not None


@pytest.mark.parametrize("status", [Status.REFUSED, Status.INVALID, Status.ERROR, Status.TRUNCATED])
def test_what_the_model_said_for_good_is_not(tmp_path: Path, status: Status) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(exchange(status=status))
    assert journal.find("k") is not None


def test_a_later_answer_supersedes_and_nothing_is_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(exchange(status=Status.TIMEOUT))
    journal.append(exchange(response=b"{}"))
    assert journal.find("k") == exchange(response=b"{}")
    assert len(journal) == 2


def test_a_final_answer_stays_final_whatever_came_after_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(exchange(response=b"{}"))
    journal.append(exchange(status=Status.TIMEOUT))  # of another model with the same identity
    assert journal.find("k") == exchange(response=b"{}")


def test_a_damaged_journal_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for number in range(200):
        journal.append(exchange(f"k{number}", response=b"x" * 3000))
    journal.close()
    with (tmp_path / "j").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 400_000)

    def look() -> list[Exchange | None]:
        return [Journal(tmp_path / "j").find(f"k{number}") for number in range(200)]

    with pytest.raises(UsageError, match=r"is damaged .*--fresh"):
        look()


def test_an_identity_is_kept_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genrec_eval.core.secrets import expand

    monkeypatch.setenv("TEST_KEY", 'sk-"quoted"\\secret')
    journal = Journal(tmp_path / "j")
    journal.add_identity("d", {"option": expand("${env:TEST_KEY}")})
    assert journal.identity("d") == {"option": "${env:TEST_KEY}"}


def test_spending_counts_attempts_tokens_and_money(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(exchange("a", attempts=2, input_tokens=10, output_tokens=5, cost=0.5))
    journal.append(exchange("b", attempts=1, output_tokens=1))
    assert journal.spent() == {"calls": 3, "tokens": 16, "money": 0.5}


def test_a_full_disk_is_a_sentence_and_keeps_what_was_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(exchange("first"))
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(IncompleteError, match=r"full.*everything answered before is kept.*resume") as caught:
        journal.append(exchange("second", response=b"x" * 100_000))
    assert caught.value.exit_code == 3
    assert Journal(tmp_path / "j").find("first") == exchange("first")


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"not a database, " * 100)
    with pytest.raises(UsageError, match="cannot be used as a journal"):
        Journal(tmp_path / "j")


def test_identities_can_be_looked_up(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.add_identity("d", {"model": "x"})
    journal.add_identity("d", {"model": "x"})
    assert journal.identity("d") == {"model": "x"}
    assert journal.identity("other") is None


def test_it_is_an_ordinary_sqlite_file_in_wal_mode(tmp_path: Path) -> None:
    Journal(tmp_path / "j").append(exchange())
    with sqlite3.connect(tmp_path / "j") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("SELECT status FROM exchanges").fetchall() == [("ok",)]
