"""Signatures: made, checked, by which key, and what they are not."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from chain_tools import edit, snapshot

from genrec_eval.audit.chain import signature
from genrec_eval.audit.chain.evidence import read_root
from genrec_eval.audit.chain.redact import Wanted, redact
from genrec_eval.audit.chain.verify import verify_run
from genrec_eval.cli.main import exit_code
from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import RunDirectory

pytest.importorskip("cryptography", reason="needs the extra 'sign'")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Prefix of a pair of keys."""
    signature.new_key(tmp_path / "keys" / "audit")
    return tmp_path / "keys" / "audit"


def private(keys: Path) -> Path:
    return keys.with_name(f"{keys.name}.private.pem")


def public(keys: Path) -> Path:
    return keys.with_name(f"{keys.name}.public.pem")


def checked(run: Path, key: Path | None = None) -> list[str]:
    """Differences, else what was said of the signature."""
    done = verify_run(run, key=key, recompute=False)
    if done.findings:
        return [str(one) for one in done.findings]
    return [one for one in (*done.checked, *done.unchecked) if "sign" in one or "key" in one]


def test_a_signed_run_by_the_command(
    ranked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = tmp_path / "pair"
    assert exit_code(["sign", "--new-key", str(prefix)]) == 0
    assert stat.S_IMODE(private(prefix).stat().st_mode) == 0o600
    mark = capsys.readouterr().out.split("fingerprint: ")[1].strip()
    before = snapshot(ranked)
    assert exit_code(["sign", str(ranked), "--key", str(private(prefix))]) == 0
    assert mark in capsys.readouterr().out
    changed = {name for name, about in snapshot(ranked).items() if before.get(name) != about}
    assert changed - {"lock", "."} == {"evidence.json.sig"}
    root = read_root(ranked)
    assert root is not None
    assert root.signed
    assert exit_code(["verify", str(ranked), "--hashes-only", "--key", str(public(prefix))]) == 0
    told = capsys.readouterr().out
    assert f"signed by the key in {public(prefix)} ({mark})" in told
    assert "Integrity is not authenticity" in told
    # the same run and key give the same signature
    first = (ranked / "evidence.json.sig").read_bytes()
    assert exit_code(["sign", str(ranked), "--key", str(private(prefix))]) == 0
    assert (ranked / "evidence.json.sig").read_bytes() == first
    # without a key one learns which it was, and no more
    assert any("whose key that is" in one for one in checked(ranked))


def test_openssl_agrees(ranked: Path, keys: Path, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    mark = signature.sign_run(ranked, private(keys))
    der = subprocess.run(
        [openssl, "pkey", "-pubin", "-in", public(keys), "-outform", "DER"], capture_output=True, check=True
    ).stdout
    assert mark == f"SHA256:{hashlib.sha256(der).hexdigest()}"
    made = base64.b64decode(json.loads((ranked / "evidence.json.sig").read_text())["signature"])
    (tmp_path / "raw.sig").write_bytes(made)
    command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", public(keys), "-rawin"]
    done = subprocess.run(
        [*command, "-in", ranked / "evidence.json", "-sigfile", tmp_path / "raw.sig"], capture_output=True
    )
    if b"rawin" in done.stderr or b"Operation not supported" in done.stderr:
        pytest.skip("openssl too old")
    assert done.returncode == 0, done.stderr


def test_every_way_in_which_a_signature_does_not_fit(ranked: Path, keys: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    signature.new_key(other)
    assert "there is none, and a key was given" in checked(ranked, public(keys))[0]
    signature.sign_run(ranked, private(keys))
    assert "not by the one in" in checked(ranked, public(other))[0]
    path = ranked / "evidence.json.sig"
    good = json.loads(path.read_text())
    forged = base64.b64encode(bytes(64)).decode()
    for change, said in [
        ({"signature": forged}, "does not fit evidence.json"),
        ({"public_key": forged}, "cannot be read"),
        ({"signature": "§"}, "cannot be read"),
        ({"schema": "genrec-eval/signature/2"}, "this version reads 'genrec-eval/signature/1'"),
    ]:
        path.write_text(json.dumps(good | change))
        assert said in checked(ranked)[0]
    for text in ("", "[]", "{", "null", '{"schema": 1}'):
        path.write_text(text)
        assert checked(ranked)[0].startswith("evidence.json.sig: ")
    path.write_text(json.dumps(good))
    (ranked / "report.html").write_text("x")
    from genrec_eval.audit.chain.build import seal_pages

    assert seal_pages(ranked)
    assert "a redaction or a new report does that: sign it again" in checked(ranked, public(keys))[0]


def test_a_redaction_needs_a_new_signature(written: Path, keys: Path) -> None:
    signature.sign_run(written, private(keys))
    redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason="asked for"))
    assert "sign it again" in " ".join(checked(written, public(keys)))
    from genrec_eval.audit.chain.build import seal_pages

    seal_pages(written)
    signature.sign_run(written, private(keys))
    assert checked(written, public(keys))[0].startswith("evidence.json.sig: signed by the key in")


def test_what_is_not_signed(
    ranked: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: object) -> str:
        assert exit_code(["sign", *(str(one) for one in arguments)]) == 2
        return capsys.readouterr().err

    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    def pem(key: object, name: str, secret: object = None) -> Path:
        path = tmp_path / name
        hidden = secret or serialization.NoEncryption()
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)
        )  # type: ignore[attr-defined]
        return path

    locked = pem(
        ed25519.Ed25519PrivateKey.generate(), "locked.pem", serialization.BestAvailableEncryption(b"x")
    )
    assert "say which run to sign" in refused()
    assert "--key PRIVATE.pem" in refused(ranked)
    assert "No such file" in refused(ranked, "--key", tmp_path / "none.pem")
    assert "no private key in PEM form" in refused(ranked, "--key", public(keys))
    assert "protected by a passphrase" in refused(ranked, "--key", locked)
    assert "no ed25519 key" in refused(
        ranked, "--key", pem(ec.generate_private_key(ec.SECP256R1()), "ec.pem")
    )
    assert "never overwritten" in refused("--new-key", keys)
    assert "lies in the run" in refused(ranked, "--new-key", ranked / "key")
    assert "give one of them" in refused(ranked, "--new-key", tmp_path / "k", "--key", private(keys))
    edit(ranked / "cases/top-k.parquet", lambda rows: rows.pop())
    assert "was not signed: cases/top-k.parquet, row" in refused(ranked, "--key", private(keys))
    assert not (ranked / "evidence.json.sig").exists()
    with pytest.raises(UsageError, match="is a private key, which nobody but its owner needs"):
        verify_run(ranked, key=private(keys))
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(UsageError, match="no public key in PEM form"):
        verify_run(ranked, key=tmp_path / "text.pem")


def test_without_the_library(
    ranked: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signature.sign_run(ranked, private(keys))
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    wanted = 'pip install "genrec-eval[sign]"'
    assert exit_code(["sign", str(ranked), "--key", str(private(keys))]) == 2
    assert wanted in capsys.readouterr().err
    assert exit_code(["verify", str(ranked), "--hashes-only", "--key", str(public(keys))]) == 2
    assert wanted in capsys.readouterr().err
    assert exit_code(["verify", str(ranked), "--hashes-only"]) == 0
    assert (
        f"not checked: evidence.json.sig: signatures need the package cryptography; install it with: {wanted}"
        in capsys.readouterr().out
    )
