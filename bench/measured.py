"""Runs a command and writes down what it cost: python -m bench.measured RESULT.json COMMAND ...

A process of its own, because Linux counts the memory of whoever starts a command as the command's: this one
is small, and the bench, which holds a world, is not.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost; None is what this system does not tell."""

    exit_code: int
    wall_seconds: float
    cpu_seconds: float | None
    peak_mib: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that has ended: its cost and its words."""

    cost: Cost
    stdout: str
    stderr: str


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Measured:
    """Run a Python module with its arguments in a folder, with this code and no other on its path."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        result, out, err = (Path(scratch) / name for name in ("result.json", "out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            subprocess.run(  # noqa: S603  our own modules
                [sys.executable, "-m", "bench.measured", str(result), sys.executable, "-m", *command],
                cwd=folder,
                env={**environment, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                check=True,
            )
        cost = Cost(**json.loads(result.read_text(encoding="utf-8")))
        return Measured(cost, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


def _run(command: Sequence[str]) -> Cost:
    began = perf_counter()
    process = subprocess.Popen(command)  # noqa: S603  our own modules
    if sys.platform == "win32":
        exit_code = process.wait()
        return Cost(exit_code, perf_counter() - began, None, None)
    _, status, used = os.wait4(process.pid, 0)
    wall = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
    return Cost(process.returncode, wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asdict(_run(sys.argv[2:]))), encoding="utf-8")
