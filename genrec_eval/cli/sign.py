"""``genrec-eval sign``: a signature beside the evidence of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.cli.console import say
from genrec_eval.core.errors import UsageError


def sign(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Run directory; not needed to make keys.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="PRIVATE.pem", help="Private ed25519 key to sign with.")
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option(metavar="PREFIX", help="Make a pair of keys: PREFIX.private.pem and PREFIX.public.pem."),
    ] = None,
) -> None:
    """Sign the evidence of a run, so that others can tell that it is the one you have seen.

    The run is hashed first, and is not signed when it differs from its evidence. A redaction or a new report
    changes the evidence: sign it again after that. Keep the private key, and give the public one to whoever
    verifies, by another way than the run.

    \b
    genrec-eval sign --new-key keys/audit
    genrec-eval sign runs/quickstart --key keys/audit.private.pem
    genrec-eval verify runs/quickstart --key keys/audit.public.pem
    """
    from genrec_eval.audit.chain.evidence import SIGNATURE_FILE
    from genrec_eval.audit.chain.signature import new_key as make_key
    from genrec_eval.audit.chain.signature import sign_run
    from genrec_eval.engine.rundir import RunDirectory

    lines = []
    if new_key is not None:
        if key is not None:
            raise UsageError("--new-key makes a key and --key names one; give one of them")
        if run is not None and run.resolve() in new_key.resolve().parents:
            raise UsageError(f"{new_key} lies in the run, which is given to others; put keys elsewhere")
        key, public, mark = make_key(new_key)
        lines += [f"private key: {key} (keep it)", f"public key:  {public}", f"fingerprint: {mark}"]
    if run is not None:
        if key is None:
            raise UsageError(
                "say which key to sign with: --key PRIVATE.pem, or make one with --new-key PREFIX"
            )
        directory = RunDirectory.open(run)
        with directory.locked():
            mark = sign_run(run, key)
        lines.append(f"{run / SIGNATURE_FILE}: signed by the key {mark}")
    elif new_key is None:
        raise UsageError("say which run to sign, or make keys with --new-key PREFIX")
    for line in lines:
        say(line)
