"""Adds up what the crash and fault suites did, in all processes that ran them; prints it at the end."""

import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

FOLDER = "SUITE_FIGURES"
"""The environment variable that tells pytest's worker processes where the sums are kept."""
MADE_BY = "SUITE_FIGURES_MADE_BY"
COUNTED = {
    "crash suite": ("kill points tried", "runs killed", "duplicates", "lost"),
    "fault suite": ("runs", "faults injected", "duplicates", "lost"),
}
_figures: Counter[str] = Counter()


def note(suite: str, **counted: int) -> None:
    """Count what a test did; on the disk at once, so that a worker that dies takes nothing with it."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    _figures.update({f"{suite}: {name.replace('_', ' ')}": figure for name, figure in counted.items()})
    Path(folder, f"{os.getpid()}.json").write_text(json.dumps(_figures), encoding="utf-8")


def begin() -> None:
    """Make a place for the sums, in the process that is asked first."""
    if FOLDER not in os.environ:
        os.environ[FOLDER], os.environ[MADE_BY] = tempfile.mkdtemp(prefix="suite-figures-"), f"{os.getpid()}"


def total() -> Counter[str]:
    """Return the sums over all processes."""
    found: Counter[str] = Counter()
    for file in Path(os.environ[FOLDER]).glob("*.json"):
        found.update(json.loads(file.read_text(encoding="utf-8")))
    return found


def tell(reporter: pytest.TerminalReporter) -> None:
    """Print the sums once, if there are any, and tidy up."""
    if os.environ.get(MADE_BY) != f"{os.getpid()}":
        return
    sums = total()
    for suite, names in COUNTED.items():
        if any(name.startswith(suite) for name in sums):
            told = ", ".join(f"{name}: {sums[f'{suite}: {name}']}" for name in names)
            reporter.write_line(f"{suite}: {told}")
    shutil.rmtree(os.environ.pop(FOLDER))
    del os.environ[MADE_BY]
