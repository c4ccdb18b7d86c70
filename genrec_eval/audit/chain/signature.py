"""A detached ed25519 signature of ``evidence.json``.

``evidence.json.sig`` is JSON: the schema, the public key and the signature, both base64. What is signed are
the bytes of ``evidence.json`` and nothing else, so that other tools can check it. A key is known by the
SHA-256 of its DER form, as ``openssl pkey -pubin -in KEY -outform DER | sha256sum`` prints it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.audit.chain.evidence import EVIDENCE_FILE, SIGNATURE_FILE, Evidence
from genrec_eval.audit.chain.files import regular
from genrec_eval.audit.chain.findings import Finding, Verification
from genrec_eval.audit.chain.hashes import check_files
from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SCHEMA = "genrec-eval/signature/1"
MISSING = 'signatures need the package cryptography; install it with: pip install "genrec-eval[sign]"'
_MOST = 1 << 16


def new_key(prefix: Path) -> tuple[Path, Path, str]:
    """Make a pair of keys.

    Parameters
    ----------
    prefix
        ``keys/audit`` gives ``keys/audit.private.pem``, which only its owner may read, and
        ``keys/audit.public.pem``.

    Returns
    -------
    tuple
        Both paths, and the fingerprint.

    Raises
    ------
    UsageError
        When one of them is there already.
    """
    serialization, ed25519 = _library()
    private, public = (prefix.with_name(f"{prefix.name}.{part}.pem") for part in ("private", "public"))
    for path in (private, public):
        if path.exists():
            raise UsageError(
                f"{path} is there already, and keys are never overwritten; choose another prefix"
            )
    key = ed25519.Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    shown = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        # made with its mode, so that at no moment anybody else can read it
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secret)
        public.write_bytes(shown)
    except OSError as error:
        raise UsageError(
            f"cannot write the keys {private} and {public}: {error.strerror or error}"
        ) from error
    return private, public, _fingerprint(key.public_key())


def sign_run(directory: Path, key: Path) -> str:
    """Sign the evidence of a run and write ``evidence.json.sig``; returns the key's fingerprint.

    Raises
    ------
    UsageError
        When the run is not as its evidence says: nobody shall sign that.
    """
    from genrec_eval.engine.rundir import write_json

    private = _private(key)
    evidence = Evidence.read(directory)
    done = Verification(run=evidence.run, root=evidence.root)
    check_files(directory, evidence, done)
    if done.findings:
        raise UsageError(
            f"{directory} is not as its evidence says, and was not signed: {done.findings[0]};"
            f" see: genrec-eval verify {directory}"
        )
    serialization, _ = _library()
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    made = private.sign((directory / EVIDENCE_FILE).read_bytes())
    text = {
        "schema": SCHEMA,
        "algorithm": "ed25519",
        "signed": EVIDENCE_FILE,
        "public_key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(made).decode(),
    }
    write_json(directory / SIGNATURE_FILE, text)
    return _fingerprint(private.public_key())


def check_signature(directory: Path, key: Path | None, done: Verification) -> None:
    """Check the signature of a run, by ``key`` where one is given, and note what came of it.

    Raises
    ------
    UsageError
        When the key cannot be read, or the library is missing and a key is given.
    """
    path = directory / SIGNATURE_FILE
    wanted = None if key is None else _public(key)
    if not path.exists() and not path.is_symlink():
        if wanted is not None:
            done.findings.append(Finding(file=SIGNATURE_FILE, said="there is none, and a key was given"))
        done.unchecked.append(
            "the run is not signed: the chain shows that it was not changed since it was scored, not by whom"
        )
        return
    path = regular(path)  # refused without the library too
    try:
        _library()
    except UsageError as error:
        done.unchecked.append(f"{SIGNATURE_FILE}: {error}")
        return
    fault, signer = _checked(directory, path)
    if fault is not None:
        done.findings.append(Finding(file=SIGNATURE_FILE, said=fault))
        return
    assert signer is not None
    mark = _fingerprint(signer)
    if wanted is not None and _fingerprint(wanted) != mark:
        said = f"was made by the key {mark}, not by the one in {key} ({_fingerprint(wanted)})"
        done.findings.append(Finding(file=SIGNATURE_FILE, said=said))
    elif wanted is not None:
        done.checked.append(f"{SIGNATURE_FILE}: signed by the key in {key} ({mark})")
    else:
        done.checked.append(f"{SIGNATURE_FILE}: signed by the key {mark}")
        done.unchecked.append("whose key that is: give the public key that you trust with --key")


def _checked(directory: Path, path: Path) -> tuple[str | None, Ed25519PublicKey | None]:
    import orjson
    from cryptography.exceptions import InvalidSignature

    _, ed25519 = _library()
    try:
        if path.stat().st_size > _MOST:
            raise ValueError("too large")
        held = orjson.loads(path.read_bytes())
        if str(held["schema"]) != SCHEMA:
            return f"has the schema '{str(held['schema'])[:60]}'; this version reads '{SCHEMA}'", None
        public = ed25519.Ed25519PublicKey.from_public_bytes(
            base64.b64decode(held["public_key"], validate=True)
        )
        made = base64.b64decode(held["signature"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        return f"cannot be read ({type(error).__name__}: {str(error)[:100]})", None
    try:
        public.verify(made, (directory / EVIDENCE_FILE).read_bytes())
    except InvalidSignature:
        return (
            f"does not fit {EVIDENCE_FILE}, which was changed after it was signed (a redaction or a new"
            " report does that: sign it again), or it is forged"
        ), None
    return None, public


def _fingerprint(public: Ed25519PublicKey) -> str:
    serialization, _ = _library()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{hashlib.sha256(der).hexdigest()}"


def _private(path: Path) -> Ed25519PrivateKey:
    serialization, ed25519 = _library()
    hint = "openssl genpkey -algorithm ed25519, or genrec-eval sign --new-key PREFIX, makes one"
    data = _pem(path)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        raise UsageError(
            f"{path} is protected by a passphrase, which is not asked for; give an unprotected copy"
        ) from None
    except (ValueError, _unsupported()) as error:
        raise UsageError(f"{path} is no private key in PEM form ({str(error)[:80]}); {hint}") from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise UsageError(f"{path} is no ed25519 key; {hint}")
    return key


def _public(path: Path) -> Ed25519PublicKey:
    serialization, ed25519 = _library()
    data = _pem(path)
    if b"PRIVATE KEY" in data:
        raise UsageError(
            f"{path} is a private key, which nobody but its owner needs; --key takes the public one"
        )
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, _unsupported()) as error:
        raise UsageError(f"{path} is no public key in PEM form ({str(error)[:80]})") from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise UsageError(f"{path} is no ed25519 key")
    return key


def _pem(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST)
    except OSError as error:
        raise UsageError(f"cannot read the key {path}: {error.strerror or error}") from error


def _unsupported() -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm


def _library() -> tuple[Any, Any]:
    """The modules of the optional library, or a sentence that says how to get it."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise UsageError(MISSING) from error
    return serialization, ed25519
