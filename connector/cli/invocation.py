"""The options that every command takes, and what they and the environment come to."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.logging_options import Logging
from connector.cli.terminal import tell
from connector.reports.escape import printable

if TYPE_CHECKING:
    from connector.settings import Surroundings

PROFILES = "profiles"

Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help=f"Work in {PROFILES}/NAME: its .env, map and state."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell each request on stderr; secrets are left out.")
]
MappingsPath = Annotated[
    Path | None,
    typer.Option("--mappings", metavar="PATH", help="The map. [CONNECTOR_MAPPINGS, else mappings.yaml]"),
]
StateFolder = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="The state folder. [CONNECTOR_STATE, else state]"),
]


@dataclass(frozen=True, slots=True)
class Common:
    """The options given before the command, which count unless the command says otherwise."""

    json: bool = False
    verbose: bool = False
    mappings: Path | None = None
    state: Path | None = None
    profile: str | None = None
    logging: Logging | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command, with everything it may know of the world outside.

    Paths that a person types begin in `folder`; settings, and what they name, are at `home`, which is the
    same but for a profile.
    """

    common: Common
    command: str
    surroundings: "Surroundings"
    folder: Path
    home: Path

    @property
    def json(self) -> bool:
        """Whether the answer is JSON."""
        return self.common.json

    @property
    def mappings_path(self) -> Path:
        """Where mappings.yaml is."""
        return self._path(self.common.mappings, "CONNECTOR_MAPPINGS", "mappings.yaml")

    @property
    def state_folder(self) -> Path:
        """Where connector.db is."""
        return self._path(self.common.state, "CONNECTOR_STATE", "state")

    def today(self) -> date:
        """Return the date to take for today."""
        from connector.settings import read_today

        return read_today(self.surroundings) or local_today()

    def _path(self, given: Path | None, name: str, default: str) -> Path:
        if given is not None:
            return self.folder / given
        return self.home / (self.surroundings.get(name) or default)


def local_today() -> date:
    """Return the date on the wall where the connector runs: a month begins when it begins there."""
    return datetime.now(UTC).astimezone().date()


def joined(ctx: typer.Context, given: Common) -> Common:
    """Join what was said before a command and after it."""
    before = ctx.obj if isinstance(ctx.obj, Common) else Common()
    return Common(
        json=given.json or before.json,
        verbose=given.verbose or before.verbose,
        mappings=given.mappings or before.mappings,
        state=given.state or before.state,
        profile=before.profile,
        logging=before.logging,
    )


def invocation(ctx: typer.Context, given: Common) -> Invocation:
    """Join what was said before the command, after it, and in the environment."""
    from connector.settings import Surroundings

    common = joined(ctx, given)
    folder = Path.cwd()
    home = profile_folder(folder, common.profile) if common.profile is not None else folder
    surroundings = Surroundings(os.environ, home, alone=common.profile is not None)
    called = Invocation(
        common=common,
        command=f"connector {ctx.info_name}",
        surroundings=surroundings,
        folder=folder,
        home=home,
    )
    if common.logging is not None:
        common.logging.begin(surroundings.get, folder, home, called.state_folder)
    for warning in surroundings.warnings:
        tell(f"Warning: {printable(warning)}")
    return called


def profile_folder(folder: Path, name: str) -> Path:
    """Return the folder of a profile; raises CommandFault where there is none."""
    from connector.errors import CommandFault

    known = profile_names(folder)
    if name not in known:
        listed = f" There are: {', '.join(printable(each) for each in known)}." if known else ""
        raise CommandFault(
            f"There is no profile {printable(name)!r} in {printable(str(folder / PROFILES))}.{listed}",
            f"Make a folder {PROFILES}{os.sep}NAME with a .env and a mappings.yaml of that partner in it.",
        )
    return folder / PROFILES / name


def profile_names(folder: Path) -> tuple[str, ...]:
    """Return the profiles that there are, in order: folders whose name hides nothing."""
    try:
        found = [each.name for each in (folder / PROFILES).iterdir() if each.is_dir()]
    except OSError:
        return ()
    return tuple(sorted(name for name in found if not name.startswith(".")))


def who_runs() -> str:
    """Return user@host, for the ledger and for whoever finds the folder locked."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
