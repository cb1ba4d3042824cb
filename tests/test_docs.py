"""The README is true: its commands, its help, its transcript, its settings and its exit codes."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(name: str) -> list[str]:
    """Return the fenced texts between two markers."""
    between = README.split(f"<!-- {name} -->")[1].split("<!-- ")[0]
    return [text.strip("\n") for text in re.findall(r"```\n(.*?)```", between, re.DOTALL)]


def connector(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    ours = ("SOPHOS_", "CONNECTWISE_", "CONNECTOR_", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        cwd=folder,
        env={**kept, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_opens_with_three_lines_and_two_commands() -> None:
    opening, *_ = README.split("\n## ")
    paragraphs = [part for part in opening.split("\n\n") if part and not part.startswith(("#", "```"))]
    assert len(paragraphs[0].splitlines()) == 3
    commands = re.findall(r"```\n(.*?)\n```", opening, re.DOTALL)
    assert commands == ["pip install -e . && connector demo", 'pip install -e ".[test]" && pytest']
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_its_help_is_what_the_program_says(tmp_path: Path) -> None:
    told = connector("--help", folder=tmp_path)
    assert [told.stdout.strip("\n")] == block("help:")


def test_its_transcript_is_what_the_demo_says_and_the_demo_succeeds(tmp_path: Path) -> None:
    told = connector("demo", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    blocks = block("demo: plan")
    assert len(blocks) == 4
    for text in blocks:
        assert text in told.stdout
    assert told.stdout.rstrip().endswith("Try next: connector simulate")
    assert "had 23 additions before and has 23 now" in told.stdout


@pytest.mark.parametrize("command", ["plan", "apply", "sync", "doctor", "demo", "simulate", "state"])
def test_every_command_has_help_and_is_in_it(command: str, tmp_path: Path) -> None:
    told = connector(command, "--help", folder=tmp_path)
    assert told.returncode == 0
    assert "--json" in told.stdout or command == "state"
    assert f"  {command} " in block("help:")[0]


def test_every_setting_that_the_code_reads_is_in_it() -> None:
    names = set()
    for source in (ROOT / "connector").rglob("*.py"):
        if "simulator" not in source.parts:
            names |= set(
                re.findall(r'"((?:SOPHOS|CONNECTWISE|CONNECTOR)_[A-Z_]+)"', source.read_text("utf-8"))
            )
    assert len(names) > 10
    assert {name for name in names if f"`{name}`" not in README} == set()


def test_its_exit_codes_are_all_there() -> None:
    table = README.split("## Exit codes")[1].split("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == [*"012345678", "130"]


def test_the_lock_holds_every_dependency_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    locked = {name.replace(".", "-").lower() for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    names = {re.split(r"[>=;\[ ]", line)[0].replace(".", "-").lower() for line in wanted}
    assert names <= locked
    assert "://" not in lock
    for entry in re.split(r"\n(?=[\w.-]+==)", lock)[1:]:
        assert "--hash=sha256:" in entry


def test_only_the_gitignore_of_the_state_folder_is_kept() -> None:
    assert (ROOT / "state" / ".gitignore").read_text(encoding="utf-8") == "*\n!.gitignore\n"
