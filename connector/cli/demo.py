"""`demo`: the whole story, told by the real commands against the built-in servers."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from connector.cli.invocation import Common, Json, Verbose
from connector.cli.rehearsal import only_these
from connector.cli.simulate import simulated_settings
from connector.cli.terminal import answer, tell

if TYPE_CHECKING:
    from connector.simulator import Simulator

SEPTEMBER, OCTOBER = date(2026, 9, 28), date(2026, 10, 28)
BUG = 1
GOOD = {0, 3}
"""A step may end with everything done, or with something left for a person; anything else is our fault."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the demo, and what it answered."""

    command: tuple[str, ...]
    exit_code: int
    answer: str


def demo(ctx: typer.Context, as_json: Json = False, verbose: Verbose = False) -> None:
    """Tell the whole story against built-in servers.

    In a scratch folder, without any setting; every line comes from the real commands.
    """
    from connector.reports.document import json_text
    from connector.simulator import Simulator, mappings_text, small_world

    before = ctx.obj if isinstance(ctx.obj, Common) else Common()
    as_json, verbose = as_json or before.json, verbose or before.verbose
    folder = Path(tempfile.mkdtemp(prefix="connector-demo-"))
    world = small_world()
    world.advance(SEPTEMBER)
    (folder / "mappings.yaml").write_text(mappings_text(world), encoding="utf-8", newline="\n")
    with Simulator(world) as simulator:
        shown = _Show(simulator, folder, as_json=as_json, verbose=verbose)
        steps = list(shown.story())
    failed = any(step.exit_code not in GOOD for step in steps)
    if as_json:
        answer(json_text(_document(steps, folder, BUG if failed else 0)))
    raise typer.Exit(BUG if failed else 0)


class _Show:
    """Runs the commands one after the other and says what to look at in between."""

    def __init__(self, simulator: "Simulator", folder: Path, *, as_json: bool, verbose: bool) -> None:
        self._simulator = simulator
        self._folder = folder
        self._as_json = as_json
        self._extra = (("--json",) if as_json else ()) + (("--verbose",) if verbose else ())

    def story(self) -> Iterator[Step]:
        """Play both months, lose the state, and end with where to go from here."""
        world = self._simulator.world
        self._say(
            "A partner with twelve customers. It is 28 September 2026, and Sophos has published September."
        )
        planned = self._run("plan")
        yield planned
        self._say("Nothing was written yet. A person reads the plan; then exactly this plan is applied.")
        digest = re.search(r"[0-9a-f]{12}", planned.answer)
        yield self._run("apply", digest[0] if digest else "none")
        self._say("The same month once more: there is nothing left to write.")
        yield self._run("sync")
        world.advance(OCTOBER)
        self._say(
            "A month later. Sophos has renamed a product, a customer uses less, one is gone, a firewall has "
            "moved and another belongs to nobody."
        )
        yield self._run("sync")
        self._say(
            "Now the state folder is lost. The marks in ConnectWise keep every line from being made twice."
        )
        shutil.rmtree(self._folder / "state")
        lines = len(world.additions)
        yield self._run("sync")
        self._say(f"ConnectWise had {lines} additions before and has {len(world.additions)} now.")
        self._say(
            "What is left needs a person, and each line above says what to do: give the new product and the "
            "new customer a place in mappings.yaml, assign the firewall, say whether the customer has left."
        )
        self._say(
            f"The files are in {self._folder}: mappings.yaml is the map, "
            f"state{os.sep}connector.db the ledger.\nTry next: connector simulate"
        )

    def _say(self, text: str) -> None:
        (tell if self._as_json else answer)(
            f"\n## {text}\n" if not text.startswith("The files") else f"\n{text}"
        )

    def _run(self, *command: str) -> Step:
        """Run a real command as a user would, in the scratch folder."""
        given = (*command, *self._extra)
        if not self._as_json:
            answer(f"$ connector {shlex.join(given)}")
        done = subprocess.run(  # noqa: S603  (our own command, with words of our own)
            [sys.executable, "-m", "connector", *given],
            cwd=self._folder,
            env=only_these(os.environ, simulated_settings(self._simulator, self._folder)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.stderr:
            tell(done.stderr.rstrip())
        if not self._as_json:
            answer(f"{done.stdout.rstrip()}\n(exit code {done.returncode})")
        return Step(given, done.returncode, done.stdout)


def _document(steps: list[Step], folder: Path, exit_code: int) -> dict[str, Any]:
    import json

    return {
        "schema": "connector.demo/1",
        "folder": str(folder),
        "steps": [
            {
                "command": ["connector", *step.command],
                "exit_code": step.exit_code,
                "answer": json.loads(step.answer) if step.answer else None,
            }
            for step in steps
        ],
        "exit_code": exit_code,
    }
