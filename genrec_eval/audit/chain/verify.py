"""Verify a run: hash everything again, make every number again, and name what differs."""

from __future__ import annotations

import itertools
from pathlib import Path

from genrec_eval.audit.chain.evidence import CHAIN_FILE, EVIDENCE_FILE, SIGNATURE_FILE, Evidence
from genrec_eval.audit.chain.files import is_name, order_of, pages
from genrec_eval.audit.chain.findings import Finding, Verification
from genrec_eval.audit.chain.hashes import MOST, check_files, check_pages
from genrec_eval.audit.chain.signature import check_signature
from genrec_eval.audit.results import ESTIMATES_FILE
from genrec_eval.audit.score import SCORES_FILE
from genrec_eval.core.errors import GenrecError, IncompleteError
from genrec_eval.engine.rundir import RunDirectory

_MADE = {SCORES_FILE, ESTIMATES_FILE}
_NOT_PART = {
    "journal.sqlite": "it is the source of resume, and no number is read from it",
    "spare": "it keeps records that no number of this run is made of",
}
_OWN = (EVIDENCE_FILE, CHAIN_FILE, SIGNATURE_FILE, "lock")


def verify_run(
    path: Path, *, key: Path | None = None, recompute: bool = True, every: bool = True
) -> Verification:
    """Check a run against its evidence; nothing is written into it.

    Parameters
    ----------
    path
        The run directory.
    key
        The public key (PEM) that its signature must be of.
    recompute
        Also score the records again. That runs the code of scenarios and metrics that the suite names.
    every
        Score again even where what the scores are made of differs already.

    Raises
    ------
    UsageError
        When the run has no evidence, or what is to be checked cannot be read.
    IncompleteError
        When the run was not played to its end.
    """
    directory = RunDirectory.open(path)
    if directory.run.get("state") != "played":
        raise IncompleteError(
            f"{path} was interrupted while it was played: run the suite again to finish it, then verify"
        )
    evidence = Evidence.read(path)
    done = Verification(run=evidence.run, root=evidence.root)
    check_files(path, evidence, done)
    edited = {finding.file for finding in done.findings}
    if not recompute:
        done.unchecked.append("scores and estimates were not made again from the records, as was asked")
    elif "run.json" in edited:
        done.unchecked.append(
            "scores and estimates were not made again from the records: run.json, which names the code,"
            " was edited"
        )
    elif not every and edited - _MADE:
        done.unchecked.append(
            f"scores and estimates were not made again: {min(edited - _MADE, key=_place)} differs already;"
            " --all makes them"
        )
    else:
        _recompute(directory, evidence, done)
    check_pages(path, evidence, done)
    check_signature(path, key, done)
    done.findings.sort(key=lambda finding: _place(finding.file))
    known = {one.name.partition("/")[0] for one in evidence.files} | {*_OWN, *pages(path)}
    for name in sorted(one.name for one in path.iterdir()):
        if name not in known:
            done.unchecked.append(f"{name}: {_NOT_PART.get(name, 'it is no part of the evidence')}")
    return done


def _place(file: str) -> tuple[int, tuple[int, str]]:
    """Evidence first, then the run in the order in which it was made, then what was made of it."""
    if file in (EVIDENCE_FILE, CHAIN_FILE, SIGNATURE_FILE):
        return 0, (0, file)
    return (1 if is_name(file) else 2), order_of(file)


def _recompute(directory: RunDirectory, evidence: Evidence, done: Verification) -> None:
    from genrec_eval.audit.chain.recomputed import recompute

    try:
        made = recompute(directory, evidence)
    except Exception as error:  # stored tables that were tampered with may break anything
        said = str(error) if isinstance(error, GenrecError) else f"{type(error).__name__}: {error}"
        done.failed = (
            f"scores and estimates could not be made again from the records: {said.splitlines()[0][:300]}"
        )
        done.unchecked.append(done.failed)
        return
    by_file = {
        file: list(found)
        for file, found in itertools.groupby(made.findings, key=lambda finding: finding.file)
    }
    hashed = {finding.file for finding in done.findings}
    for file, found in by_file.items():
        # a value that was computed says more than a hash that does not fit
        done.findings = [one for one in done.findings if one.file != file or file not in hashed]
        done.findings += found[:MOST]
        if len(found) > MOST:
            done.findings.append(Finding(file=file, said=f"{len(found) - MOST:,} more values differ"))
    then = ", ".join(
        f"{name} {a or 'none'} then and {b or 'none'} now" for name, (a, b) in made.versions.items()
    )
    if not made.findings:
        kept = sum(made.kept.values())
        done.checked.append(
            f"{made.scores - kept:,} scores and {made.figures:,} estimates and verdicts, made again"
            f" from the {'recorded scores' if evidence.redactions else 'records'}: the same"
            + (f" but for the last digits of {made.rounded:,}" if made.rounded else "")
        )
    elif then:
        done.notes.append(f"the run was scored by other versions, which may give other numbers: {then}")
    for (model, scenario), n in made.kept.items():
        if n:
            done.unchecked.append(
                f"{n:,} scores of {model} in {scenario}: they depend on redacted texts, and stand as recorded"
            )
    if made.worded:
        done.notes.append(
            f"{made.worded:,} reasons and definitions are worded otherwise by this version of genrec-eval"
        )
    if made.rounded:
        done.notes.append(
            f"{made.rounded:,} numbers differ by at most {made.most:.1e} of their value: rounding by other"
            f" versions ({then})"
        )
