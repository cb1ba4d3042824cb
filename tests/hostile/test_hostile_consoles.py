"""A console that lacks letters, has gone away, is full or is odd: the exit code still tells what happened."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from months.calling import Run, is_ours
from months.msp import ENDPOINT, Msp

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="made with a POSIX shell")


@dataclass(frozen=True)
class Ended:
    """How a process ended, in bytes."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def sound(self) -> bool:
        """Whether it ended without a traceback, and without Python's complaints at its exit."""
        told = self.stdout + self.stderr
        return b"Traceback" not in told and b"Exception ignored" not in told


def started(
    run: Run, arguments: Sequence[str], environment: Mapping[str, str] | None = None, line: str = '"$@"'
) -> Ended:
    """Run a command in the shell line `line`, where `"$@"` stands for it; the exit code is the line's."""
    run.prepare()
    mine = {
        name: value
        for name, value in os.environ.items()
        if not is_ours(name) and name not in {"PYTHONIOENCODING", "PYTHONUTF8", "COLUMNS", "PYTHONWARNINGS"}
    }
    ours = {name: value for name, value in run.environment({}).items() if value is not None}
    command = [sys.executable, "-m", "connector", *arguments]
    if sys.platform != "win32":
        command = ["bash", "-c", line, "bash", *command]
    done = subprocess.run(
        command,
        cwd=run.folder,
        env={**mine, **ours, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def odd(msp: Msp) -> Msp:
    """A customer whose names no Windows console has, in a plan that says everything there is to say."""
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NEW-MSP": 1})
    msp.world.rename_company(alder.company.id, "Bäckerei 🔥 日本", "日本")
    msp.world.rename_agreement(alder.agreement.id, "Łódź ∑")
    alder.entry |= {"company": alder.company.id, "agreement": alder.agreement.id, "name": "日本"}
    msp.world.tenants[alder.tenant].name = "日本 🔥"
    return msp


@pytest.mark.parametrize(
    ("encoding", "command"),
    [("cp1252:strict", "plan"), ("ascii:strict", "sync"), ("cp437", "doctor"), ("utf-16", "plan")],
)
def test_a_console_that_lacks_letters_shows_them_spelled_out(
    odd: Msp, run: Run, encoding: str, command: str
) -> None:
    told = started(run, [command, "--verbose"], {"PYTHONIOENCODING": encoding})

    assert told.sound
    assert told.exit_code == (0 if command == "doctor" else 3)
    text = told.stdout.decode(encoding.partition(":")[0])
    assert ("\\u65e5\\u672c" in text) == (command != "doctor" and encoding != "utf-16")


def test_json_is_ascii_for_whatever_console(odd: Msp, run: Run) -> None:
    assert started(run, ["plan", "--json"], {"PYTHONIOENCODING": "cp1252:strict"}).stdout.isascii()


@posix_only
def test_a_plain_c_locale_is_no_matter(odd: Msp, run: Run) -> None:
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    told = started(run, ["plan", "--verbose"], plain)
    assert told.sound
    assert told.exit_code == 3


CODES = {
    "plan": 3,
    "plan --json": 3,
    "doctor": 0,
    "sync --verbose": 3,
    "--help": 0,
    "plan --help": 0,
    "--version": 0,
}


@posix_only
@pytest.mark.parametrize(
    ("command", "reader"),
    [("plan", "head -1"), ("plan --json", "true"), ("doctor", "head -1"), ("sync --verbose", "true"),
     ("--help", "true"), ("plan --help", "true"), ("--version", "true")],
)  # fmt: skip
def test_a_reader_that_goes_away_changes_nothing(odd: Msp, run: Run, command: str, reader: str) -> None:
    told = started(run, command.split(), line=f'"$@" | {reader}; exit "${{PIPESTATUS[0]}}"')
    assert told.sound, told.stderr
    assert told.exit_code == CODES[command]


@posix_only
def test_a_reader_of_the_story_that_goes_away_changes_nothing(odd: Msp, run: Run) -> None:
    told = started(run, ["sync", "--verbose"], line='"$@" 2>&1 >/dev/null | true; exit "${PIPESTATUS[0]}"')
    assert told.sound
    assert told.exit_code == 3


@posix_only
@pytest.mark.parametrize(
    ("command", "closed"),
    [("sync", "<&-"), ("sync", ">&-"), ("sync", "2>&-"), ("sync", "<&- >&- 2>&-"), ("--version", ">&-")],
)
def test_streams_that_are_closed_change_nothing(odd: Msp, run: Run, command: str, closed: str) -> None:
    told = started(run, [command], line=f'"$@" {closed}')
    assert told.sound, told.stderr
    assert told.exit_code == CODES.get(command, 3)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="made with /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("full", [">/dev/full", "2>/dev/full"])
def test_a_disk_that_is_full_for_the_report_does_not_hide_what_was_done(
    odd: Msp, run: Run, full: str
) -> None:
    told = started(run, ["sync", "--verbose"], line=f'"$@" {full}')
    assert told.sound, told.stderr
    assert told.exit_code == 3
    (line,) = odd.world.live_additions()
    assert odd.world.items[line.item_id].identifier == ENDPOINT


@pytest.mark.parametrize("columns", ["0", "-5", "1", "abc", "", "99999999", "1e3"])
def test_a_width_that_cannot_be_is_no_matter(odd: Msp, run: Run, columns: str) -> None:
    for arguments, code in ((["plan"], 3), (["plan", "--help"], 0), (["plan", "--nonsense"], 2)):
        assert run.text(*arguments, COLUMNS=columns, LINES=columns).exit_code == code


@posix_only
@pytest.mark.parametrize(
    "terminal",
    [
        {"COLUMNS": "1", "LINES": "0", "PYTHONIOENCODING": "cp1252:strict"},
        {"COLUMNS": "0", "TERM": "nonsense", "FORCE_COLOR": "1"},
        {"TERM": "dumb"},
    ],
    ids=str,
)
def test_a_bar_on_an_odd_terminal_ends_as_it_should(odd: Msp, run: Run, terminal: dict[str, str]) -> None:
    pexpect = pytest.importorskip("pexpect")
    run.prepare()
    mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
    ours = {name: value for name, value in run.environment({}).items() if value is not None}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "connector", "plan"],
        cwd=str(run.folder),
        env={**mine, "TERM": "xterm", **ours, **terminal},
        timeout=60,
    )
    told = child.read()
    child.close()
    assert b"Traceback" not in told
    assert child.exitstatus == 3
