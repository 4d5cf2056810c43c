#!/usr/bin/env python3
"""Faults put into the rules about labels on purpose, one at a time: the tests of the pipeline have to catch each.

  tests/system/mutants.py            applies each to a scratch copy, builds pipeline_test, runs it; by hand, 1 min each
  tests/system/mutants.py NAME ...   those alone
  tests/system/mutants.py --check    each still applies, which is what CI looks at

The random histories (tests/pipeline/history_test.cc) are to catch each by themselves, so they are run alone first; what
they miss a named unit test has to catch. A mutant that nothing catches is a rule without a test.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "build" / "mutants"
SETTLER = "lib/settle/settler.cc"
LEDGER = "lib/join/ledger_labels.cc"
FRAMES = "lib/pipeline/ingest_frames.cc"

# What it does, in words with dashes; where; what is replaced, which occurs once; by what.
MUTANTS = {
    "labels-of-a-frame-that-are-refused-are-used-all-the-same": (
        SETTLER, "  if (refused != work.refused_labels.end()) {", "  if (false) {"),
    "refused-labels-stay-remembered": (
        SETTLER, "    if (accepted || !inserted) {", "    if (accepted || inserted) {"),
    "a-refusal-is-forgotten-before-ingest-hears-of-it": (
        SETTLER, "entry.second.cut <= moment.refusals_known;", "entry.second.cut <= moment.cut;"),
    "a-refusal-is-known-to-ingest-before-it-hears-of-it": (
        "lib/pipeline/ingest.cc", "  cut_->taken = now;\n", "  cut_->taken = now;\n  cut_->refusals_known = refusals_known_;\n"),
    "accepted-labels-are-not-remembered-in-the-place-of-refused-ones": (
        SETTLER, "  if (accepted) {\n    refusal.stands = key;", "  if (false) {\n    refusal.stands = key;"),
    "frames-that-ingest-judged-are-not-kept": (
        SETTLER, "  if (ledger_.Keeps(standing == nullptr ? arrival.final : standing->final)) {", "  if (standing == nullptr) {"),
    "late-labels-wait": (
        "lib/join/revision.cc", "== question.was_here;", "== (question.was_here && question.meets);"),
    "the-same-revision-of-another-source-is-a-repeat": (
        LEDGER, "labels.source == known.source && labels.content_hash", "labels.content_hash"),
    "a-lower-revision-corrects": (
        LEDGER, "labels.revision < known.revision ? Against::kLower", "labels.revision < known.revision ? Against::kHigher"),
    "revisions-start-to-wait-anew": (
        LEDGER, "PutLabels(frame, kLabels, *labels, rows.labels->since);", "PutLabels(frame, kLabels, *labels, now);"),
    "corrected-labels-do-not-serve-slower-models": (
        LEDGER, "  if (lingering != nullptr) {\n    Linger(frame, labels, lingering->since);\n  } else", "  if (lingering == nullptr)"),
    "frames-judged-by-labels-nobody-has-stay-correctable": (
        LEDGER, "      if (!rows.judged.empty()) {", "      if (false) {"),
    "frames-let-go-of-leave-no-marker": (
        LEDGER, "  MarkGone(frame, now);", "  (void)now;"),
    "kept-labels-do-not-serve-slow-models": (
        "lib/join/ledger.cc", "  if (totals_.kept_bytes > 0) {\n    if (const auto value = store_.Get(RowKey(frame, kJudgedBy)))",
        "  if (false) {\n    if (const auto value = store_.Get(RowKey(frame, kJudgedBy)))"),
    "a-correction-counts-today": (
        "lib/settle/settler_judge.cc", "cells::QuantumAt(held.since, quantum_)", "cells::QuantumAt(work.moment.taken, quantum_)"),
    "a-refusal-does-not-outlive-the-process": (
        "lib/pipeline/state_write.cc", "      join::Seen::PutBack(changes, refused.key, refused.before);", ""),
    "predictions-seen-before-are-met-by-the-labels-with-them": (
        FRAMES, "const bool follow = !seen_predictions_.Find(key).has_value();", "const bool follow = key == key;"),
    "predictions-with-other-content-are-a-repeat": (
        FRAMES, "    if (*content == predictions.content_hash) {", "    if (true) {"),
    "labels-that-are-not-expected-are-waited-for": (
        FRAMES, "  if (half.waits) {", "  half.waits = true;\n  if (half.waits) {"),
}


def edited(text, name):
    path, old, new = MUTANTS[name]
    if text.count(old) != 1:
        sys.exit(f"{name}: occurs {text.count(old)} times in {path}, not once:\n{old}")
    return text.replace(old, new)


def check():
    for name, (path, _, _) in MUTANTS.items():
        edited((ROOT / path).read_text(), name)
    print(f"{len(MUTANTS)} mutants apply")


def copy():
    """The tracked files, in place, so that what was built there before is built no more than it has to be."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, SCRATCH / name
        if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(source.stat().st_mode)


def build():
    environment = dict(os.environ, CCACHE_NOHASHDIR="1", CCACHE_BASEDIR=str(SCRATCH))
    steps = [["ninja", "-C", "build/release", f"-j{os.cpu_count()}", "pipeline_test"]]
    if not (SCRATCH / "build/release/build.ninja").is_file():
        steps.insert(0, ["cmake", "--preset", "release", "-DDETWATCH_TESTS=ON"])
    for step in steps:
        done = subprocess.run(["nice", *step], cwd=SCRATCH, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            return done.stdout + done.stderr
    return ""


def failures(pattern):
    """Names of the tests that fail; a crash or a test without an end is one, too."""
    command = [SCRATCH / "build/release/tests/pipeline_test", "--gtest_brief=1", f"--gtest_filter={pattern}"]
    try:
        done = subprocess.run(command, cwd=SCRATCH, capture_output=True, text=True, errors="replace", timeout=600)
    except subprocess.TimeoutExpired:
        return ["(no end)"]
    failed = re.findall(r"^\[  FAILED  \] (\w+\.\w+)", done.stdout, re.MULTILINE)
    return sorted(set(failed)) or ([f"(exit code {done.returncode})"] if done.returncode != 0 else [])


def main():
    if sys.argv[1:] == ["--check"]:
        check()
        return
    copy()
    problem = build()
    if problem or failures("*"):
        sys.exit(problem or f"without a mutant: {failures('*')}")
    missed = []
    for name in sys.argv[1:] or MUTANTS:
        path = SCRATCH / MUTANTS[name][0]
        before = path.read_text()
        path.write_text(edited(before, name))
        try:
            problem = build()
            if problem:
                sys.exit(f"{name}: does not compile:\n{problem}")
            histories, others = failures("HistoryTest.*"), failures("-HistoryTest.*")
        finally:
            path.write_text(before)
        word = "caught" if histories or others else "MISSED"
        missed += [name] * (word == "MISSED")
        print(f"{word}  {name}: histories {'yes' if histories else 'no'}, others: {' '.join(others) or 'none'}", flush=True)
    sys.exit(f"missed: {' '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
