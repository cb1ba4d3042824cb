"""A person at a terminal: runs commands on a pseudo-terminal and answers what they ask."""

import os
import re
import sys
from typing import Any

import pytest
from months.calling import Run, is_ours


class Person:
    """Runs a command on a terminal and answers its questions."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.children: list[Any] = []

    def __call__(self, command: str, *answers: tuple[str, str]) -> tuple[int, str]:
        """Type each answer at its prompt; return the exit code and all that was shown."""
        pexpect = pytest.importorskip("pexpect")
        mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
        ours = {name: value for name, value in self.run.environment({}).items() if value is not None}
        child = pexpect.spawn(
            sys.executable,
            ["-m", "connector", *(word.replace("_", " ") for word in command.split())],
            cwd=str(self.run.folder),
            env={**mine, "TERM": "xterm", **ours},
            timeout=60,
            encoding="utf-8",
            dimensions=(40, 200),
        )
        self.children.append(child)
        shown = ""
        for prompt, said in answers:
            child.expect_exact(prompt)
            shown += child.before + child.after
            child.send(said)
        shown += child.read()
        child.close()
        # The progress bar steers the terminal; what it wrote is not the question here.
        return int(child.exitstatus), re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", shown)

    def end(self) -> None:
        """End whatever still runs."""
        for child in self.children:
            child.close(force=True)
