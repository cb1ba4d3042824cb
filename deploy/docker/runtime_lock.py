"""Prints what a run needs of requirements.lock, hashes and all; what only the tests need stays out."""  # noqa: INP001

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

_OURSELVES = "connector (pyproject.toml)"


def runtime_lock(lock: str, dependencies: Iterable[str]) -> str:
    """Return the entries of a lock that dependencies lead to; raises SystemExit if one is missing."""
    entries = {
        entry.split("==")[0]: entry for entry in re.split(r"^(?=[\w.-]+==)", lock, flags=re.MULTILINE)[1:]
    }
    wanted = {re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0].lower() for line in dependencies}
    if wanted - entries.keys():
        raise SystemExit(f"requirements.lock lacks: {', '.join(sorted(wanted - entries.keys()))}")
    asked_by = {name: _asked_by(entry) - {_OURSELVES} for name, entry in entries.items()}
    while more := {name for name, others in asked_by.items() if others & wanted} - wanted:
        wanted |= more
    return "".join(entry for name, entry in entries.items() if name in wanted)


def _asked_by(entry: str) -> set[str]:
    """Return who an entry is there for, as the lock's own comments say it."""
    comments = re.findall(r"^ +# +(?:via +)?(.+)$", entry, flags=re.MULTILINE)
    return {comment.strip() for comment in comments if comment.strip() != "via"}


if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    sys.stdout.write(
        runtime_lock(Path("requirements.lock").read_text(encoding="utf-8"), project["dependencies"])
    )
