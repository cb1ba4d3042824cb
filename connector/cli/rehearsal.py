"""Plays a simulated world's acts with the real commands, so that its ledger has a history."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.simulate import simulated_settings

if TYPE_CHECKING:
    from connector.simulator import Act, Simulator, World


def play(simulator: "Simulator", folder: Path) -> None:
    """Let the days of the world's acts come, and run what its MSP ran on each, with the map of that day.

    The map and the state are in `folder`; the last day's map is what is left there.
    """
    for act in simulator.world.acts:
        simulator.world.advance(act.day)
        write_map(simulator.world, folder)
        if act.command:
            _run(act, folder, simulated_settings(simulator, folder))
    simulator.clear_requests()


def write_map(world: "World", folder: Path) -> None:
    """Write the mappings.yaml of this day."""
    from connector.simulator import mappings_text

    (folder / "mappings.yaml").write_text(mappings_text(world), encoding="utf-8", newline="\n")


def _run(act: "Act", folder: Path, settings: Mapping[str, str]) -> None:
    """Run a command as its MSP did; it must end as the world's author knows it to."""
    done = subprocess.run(  # noqa: S603  (our own command, with words of the world)
        [sys.executable, "-m", "connector", *act.command],
        cwd=folder,
        env=only_these(os.environ, settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != act.exit_code:
        raise AssertionError(f"{act} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")


def only_these(mine: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return my environment with only these settings in it: a real customer's must not leak in."""
    ours = ("SOPHOS_", "CONNECTWISE_", "CONNECTOR_")
    kept = {name: value for name, value in mine.items() if not name.upper().startswith(ours)}
    return {**kept, **settings, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
