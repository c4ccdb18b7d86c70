#!/usr/bin/env bash
# Play a suite and hold the run to its gate, for any CI: settings come from the environment, the exit code is that
# of genrec-eval and is never swallowed.
#
#   GENREC_EVAL_SUITE         the suite, relative to the repository's root (required)
#   GENREC_EVAL_BASELINE      baseline file or run directory; that of the suite by default
#   GENREC_EVAL_BASE          a commit: it and HEAD are both played, each in a worktree of its own, and HEAD is
#                             held against it; takes the place of a baseline file
#   GENREC_EVAL_INCONCLUSIVE  fail, warn or pass; as the suite says by default
#   GENREC_EVAL_OUT           where runs, report and results go; genrec-eval by default
#   GENREC_EVAL_SETS          overrides for run --set, one a line
#   GENREC_EVAL_SETUP         a command that is run at the root of each tree before it is played
set -uo pipefail

suite=${GENREC_EVAL_SUITE:-}
if [ -z "$suite" ]; then
  echo "error: GENREC_EVAL_SUITE must name the suite, relative to the root of the repository" >&2
  exit 2  # what bash itself would end with, 1, means a broken rule
fi
root=$(git rev-parse --show-toplevel 2> /dev/null || pwd)
out=${GENREC_EVAL_OUT:-genrec-eval}
[[ $out = /* ]] || out=$PWD/$out
mkdir -p "$out" || exit 2

overrides=()
while IFS= read -r line; do
  if [ -n "$line" ]; then overrides+=(--set "$line"); fi
done <<< "${GENREC_EVAL_SETS:-}"

# What decides first: bad usage, a broken rule or claim, an incomplete run, an open question.
worse() {
  local code
  for code in 2 1 3 4; do
    if [ "$1" -eq "$code" ] || [ "$2" -eq "$code" ]; then echo "$code"; return; fi
  done
  if [ "$1" -ne 0 ]; then echo "$1"; else echo "$2"; fi
}

play() { # TREE NAME SUITE [OPTION...]
  (
    cd "$1" || exit 2
    if [ -n "${GENREC_EVAL_SETUP:-}" ]; then bash -c "$GENREC_EVAL_SETUP" || exit 2; fi
    genrec-eval run "$3" --out "$out/$2" "${@:4}" ${overrides[@]+"${overrides[@]}"}
  )
}

scored() { [ "$1" -eq 0 ] || [ "$1" -eq 1 ] || [ "$1" -eq 3 ] || [ "$1" -eq 4 ]; }

trees=''
clean() {
  if [ -n "$trees" ]; then
    git -C "$root" worktree remove --force "$trees/base" 2> /dev/null
    git -C "$root" worktree remove --force "$trees/head" 2> /dev/null
    rm -rf "$trees"
    git -C "$root" worktree prune
  fi
}
trap clean EXIT

gate=(--junit "$out/gate.xml" --markdown "$out/gate.md" --html "$out/gate.html" --json "$out/gate.json")
if [ -n "${GENREC_EVAL_INCONCLUSIVE:-}" ]; then gate+=(--inconclusive "$GENREC_EVAL_INCONCLUSIVE"); fi

tree=$root
if [ -n "${GENREC_EVAL_BASE:-}" ]; then
  trees=$(mktemp -d)
  if ! git -C "$root" worktree add --quiet --detach "$trees/base" "$GENREC_EVAL_BASE"; then
    echo "error: the base commit '$GENREC_EVAL_BASE' is not in this clone; fetch the whole history (fetch-depth: 0)" >&2
    exit 2
  fi
  git -C "$root" worktree add --quiet --detach "$trees/head" HEAD || exit 2
  # The question is that of HEAD, put to the models of both, each with its own code and settings.
  asked=$suite
  models=()
  if [ -f "$trees/base/$suite" ] && ! cmp -s "$trees/base/$suite" "$trees/head/$suite"; then
    if (cd "$trees/base" && genrec-eval validate "$suite" > /dev/null 2>&1); then
      asked=$(dirname "$suite")/genrec-eval-of-head.yaml
      models=(--models-of "$suite")
    else
      echo "warning: the suite of the base is not valid; its models are taken as HEAD describes them" >&2
    fi
  fi
  mkdir -p "$(dirname "$trees/base/$asked")"
  cp "$trees/head/$suite" "$trees/base/$asked" || exit 2
  echo "== base $(git -C "$root" rev-parse --short "$GENREC_EVAL_BASE")"
  base=0
  play "$trees/base" base "$asked" --no-report ${models[@]+"${models[@]}"} || base=$?
  if ! scored "$base"; then
    echo "error: the base could not be played (exit code $base), so that there is nothing to hold HEAD against" >&2
    exit "$base"
  fi
  if [ "$base" -eq 3 ]; then echo "warning: the run of the base is incomplete" >&2; fi
  tree=$trees/head
  gate+=(--baseline "$out/base")
  echo "== head $(git -C "$root" rev-parse --short HEAD)"
elif [ -n "${GENREC_EVAL_BASELINE:-}" ]; then
  gate+=(--baseline "$GENREC_EVAL_BASELINE")
fi

code=0
play "$tree" head "$suite" || code=$?
if scored "$code"; then
  held=0
  # From the tree, so that annotations name the suite as the repository does.
  (cd "$tree" && genrec-eval gate "$out/head" "${gate[@]}") || held=$?
  code=$(worse "$held" "$code")
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  {
    echo "exit-code=$code"
    echo "report=$out/head/report.html"
    echo "folder=$out"
  } >> "$GITHUB_OUTPUT"
fi
exit "$code"
