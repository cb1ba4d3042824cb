"""What each command loads: help costs next to nothing, and no command loads what it has no use for."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from months.calling import COMMANDS, Run, is_ours
from months.msp import Msp

ROOT = Path(__file__).parent.parent

# What a dependency is imported as, where that is not its name.
IMPORTED = {"pyyaml": "yaml"}
LIGHT = {"typer", "tzdata"}
"""The command line itself, and time zones for systems that have none."""
BROUGHT = {"tenacity", "werkzeug", "ruamel", "openpyxl", "waitress"}
"""What comes with others, or must never come."""

# To check the options of a command, typer itself loads pydantic.
TYPER = {"pydantic"}
LEDGER = TYPER | {"sqlite_utils", "filelock"}
MAP = LEDGER | {"yaml"}
VENDORS = MAP | {"requests", "urllib3", "stamina", "tenacity"}

MAY_LOAD: dict[str, set[str]] = {
    "runs": LEDGER,
    "runs show 1": LEDGER,
    "status": MAP,
    "state check": TYPER,
    "state backup copy.db": TYPER,
    "state prune --dry-run": LEDGER,
    "schedule print cron": TYPER | {"filelock", "yaml"},
    "usage months": VENDORS,  # what is not stored is asked for
    "usage show": VENDORS,
    "usage compare 2026-10 2026-10": VENDORS,
    "usage import nothing.csv": VENDORS | {"rapidfuzz"},
    "mappings check": VENDORS,
    "mappings schema": MAP,
    "mappings diff": VENDORS,
    "support-bundle ticket.zip": MAP,
    "plan": VENDORS,
    "sync": VENDORS,
    "nightly": VENDORS,
    "doctor": VENDORS,
    "adopt": VENDORS,
    "explain 'Alder Ltd'": VENDORS,
    "diagnose": VENDORS,
    "shadow": VENDORS,
    "products": VENDORS,
    "tenants": VENDORS,
    "firewalls": VENDORS,
    "state rebuild": VENDORS,
    "usage pull": VENDORS,
    "report --html month.html": VENDORS | {"jinja2", "markupsafe"},
    "report --xlsx month.xlsx": VENDORS | {"xlsxwriter"},
    "tenants search Alder": VENDORS | {"rapidfuzz"},
    "fleet status": LEDGER,
    "--metrics month.prom sync": VENDORS | {"prometheus_client"},
}
"""Command line -> the libraries that it may load, out of those that take their time."""

RIGHT = {"usage import nothing.csv": {2}, "fleet status": {0, 2, 3, 5}}
"""How a command may end here, where it is not well."""

PROBE = """
import json, sys, traceback
from pathlib import Path

watched, told, *lines = json.loads(sys.argv[1])
found = {}


class Watch:
    line = ""

    def find_spec(self, name, path=None, target=None):
        library = name.partition(".")[0]
        if library in watched and library not in found:
            ours = [each for each in traceback.extract_stack() if "connector" in Path(each.filename).parts]
            where = f"{ours[-1].filename}:{ours[-1].lineno}" if ours else "nothing of ours"
            found[library] = [self.line, where]
        return None


watch = Watch()
sys.meta_path.insert(0, watch)
from connector.cli.app import app

codes = {}
for line in lines:
    watch.line = " ".join(line)
    try:
        app(line, prog_name="connector")
    except SystemExit as left:
        codes[watch.line] = left.code
before = ["", "before anything was watched"]
loaded = {each: found.get(each, before) for each in watched if each in sys.modules}
Path(told).write_text(json.dumps([codes, loaded]), encoding="utf-8")
"""


def watched() -> set[str]:
    """Return what every dependency is imported as, but for those that are light."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=;\s]", each)[0].lower() for each in project["dependencies"]} - LIGHT
    return {IMPORTED.get(name, name.replace("-", "_")) for name in names} | BROUGHT


def loads(
    *lines: Sequence[str], folder: Path, environment: dict[str, str | None] | None = None
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Run command lines in a process of their own; return their exit codes, and who loaded what first."""
    told = folder / "loaded.json"
    kept = {name: value for name, value in os.environ.items() if not is_ours(name)}
    given = {name: value for name, value in (environment or {}).items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps([sorted(watched()), str(told), *lines])],
        cwd=folder,
        env={**kept, **given, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes, loaded = json.loads(told.read_text(encoding="utf-8"))
    return codes, loaded


def too_much(loaded: dict[str, list[str]], allowed: set[str]) -> list[str]:
    """Say which command loads what it may not, and through which module."""
    return [
        f"`connector {line}` loads {library} through {where}: import it where it is used"
        for library, (line, where) in sorted(loaded.items())
        if library not in allowed
    ]


def every_command(command: Any = COMMANDS, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, each in getattr(command, "commands", {}).items():
        yield from every_command(each, (*words, name))


def test_every_dependency_is_watched() -> None:
    assert {"requests", "flask", "pydantic", "yaml", "sqlite_utils", "python_calamine"} <= watched()


def test_help_loads_none_of_the_libraries_that_take_their_time(tmp_path: Path) -> None:
    lines = [[*words, "--help"] for words in every_command()]
    assert len(lines) > 50
    codes, loaded = loads(*lines, ["--version"], folder=tmp_path)
    assert set(codes.values()) == {0}
    assert too_much(loaded, set()) == []


def test_help_says_the_same_before_and_after_the_options_are_read(run: Run) -> None:
    for words in every_command():
        if words:
            straight, read = run.text(*words, "--help"), run.text("--verbose", *words, "--help")
            assert straight.stdout == read.stdout, words
            assert (straight.exit_code, straight.stderr) == (0, "")


@pytest.mark.parametrize("line", MAY_LOAD)
def test_a_command_loads_what_it_needs_and_nothing_more(line: str, msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    (run.folder / "profiles" / "partner").mkdir(parents=True)
    codes, loaded = loads(shlex.split(line), folder=run.folder, environment=run.environment({}))
    assert set(codes.values()) <= RIGHT.get(line, {0})
    assert too_much(loaded, MAY_LOAD[line]) == []


def test_completing_a_word_asks_the_ledger_s_file_and_nothing_else(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    asked = {"_CONNECTOR_COMPLETE": "complete_bash", "COMP_WORDS": "connector explain ", "COMP_CWORD": "2"}
    _, loaded = loads([], folder=run.folder, environment={**run.environment({}), **asked})
    assert too_much(loaded, TYPER) == []


def test_a_library_that_is_loaded_too_soon_is_told_with_its_command_and_the_way_it_came() -> None:
    (told,) = too_much({"requests": ["plan --help", "connector/cli/plan.py:3"], "yaml": ["x", "y"]}, {"yaml"})
    assert told == (
        "`connector plan --help` loads requests through connector/cli/plan.py:3: import it where it is used"
    )
