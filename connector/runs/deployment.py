"""Where the nightly job will run, worked out from this machine or told; and its files, written."""

import getpass
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from connector import __version__
from connector.errors import CommandFault
from connector.reports.deployment.files import KINDS
from connector.reports.deployment.job import PROFILES, Job, JobFile
from connector.runs.sheet_file import write_sheet_file
from connector.settings import SECRETS, Surroundings

_USER = {
    "systemd": r"[A-Za-z_][A-Za-z0-9_.-]*\$?",
    "cron": r"[A-Za-z_][A-Za-z0-9_.@-]*\$?",
    # What Windows allows in a name, after a domain or without one.
    "windows": r"""[^"/:;|=,+*?<>\[\]\x00-\x1f]+""",
}
_USUAL_SECRETS = tuple(sorted(name for name in SECRETS if not name.startswith("CONNECTOR_")))
_MEANT_FOR = {
    "--image": ("kubernetes",),
    "--timezone": ("systemd", "kubernetes"),
    "--user": tuple(_USER),
    "--folder": tuple(_USER),
    "--program": tuple(_USER),
    "--mappings": tuple(_USER),
    "--state": tuple(_USER),
    "--metrics": tuple(_USER),
    "--log-file": tuple(_USER),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said of the job; what they left out is worked out."""

    at: str = "03:15"
    user: str | None = None
    folder: str | None = None
    program: str | None = None
    secrets: str | None = None
    image: str | None = None
    timezone: str | None = None
    mappings: str | None = None
    state: str | None = None
    fleet: bool = False
    target: Path | None = None
    """The folder that the files are written to."""
    profile: str | None = None
    metrics: str | None = None
    log_file: str | None = None
    log_format: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a person asks: paths that they type begin `here`, the settings are at `home`."""

    here: Path
    home: Path
    surroundings: Surroundings


def job_of(kind: str, asked: Asked, desk: Desk) -> Job:
    """Return the job for one of the KINDS; raises CommandFault for what cannot be."""
    _check(kind, asked)
    if kind == "kubernetes":
        return Job(
            at=asked.at,
            image=asked.image or f"connector:{__version__}",
            timezone=asked.timezone or "Etc/UTC",
            secrets=_secrets(desk.here / asked.secrets) if asked.secrets else _USUAL_SECRETS,
        )
    user = asked.user or _who_asks()
    if not re.fullmatch(_USER[kind], user):
        raise CommandFault(f"{user!r} is no name of a user.", "Name the one who runs the job: --user NAME")
    return _job_here(asked, desk, user) if _is_here(kind) else _job_elsewhere(kind, asked, user)


def what_is_missing(kind: str, job: Job) -> str:
    """Say what the job will lack, as far as this machine shows it; nothing if all is well."""
    if not job.folder or job.fleet or not _is_here(kind):
        return ""
    home = Path(job.folder, PROFILES, job.profile) if job.profile else Path(job.folder)
    if (home / ".env").is_file():
        return ""
    return (
        f"There is no .env in {home}. A job sees no setting of your shell's: what is not secret, "
        "such as CONNECTWISE_URL, has to stand there."
    )


def write_job_files(files: Sequence[JobFile], folder: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write all files into a folder, or none where one is there already; raises CommandFault."""
    paths = tuple(folder / file.name for file in files)
    there = [path for path in paths if os.path.lexists(path)]
    if there and not overwrite:
        raise CommandFault(
            f"{there[0]} is there already; nothing was written.",
            "Name another folder, or replace it with --overwrite.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFault(
            f"The folder {folder} could not be made: {error.strerror or error}.", "Name another folder."
        ) from None
    for file, path in zip(files, paths, strict=True):
        write_sheet_file(path, file.data, overwrite=overwrite)
    return paths


def _check(kind: str, asked: Asked) -> None:
    if kind not in KINDS:
        raise CommandFault(
            f"{kind!r} is nothing that a job can be made for.", f"Choose one of: {', '.join(KINDS)}."
        )
    for option, kinds in _MEANT_FOR.items():
        said = getattr(asked, option.removeprefix("--").replace("-", "_"))
        if said is not None and kind not in kinds:
            raise CommandFault(f"{option} means nothing for {kind}.", "Leave it out.")
    if asked.fleet and (kind not in _USER or asked.mappings or asked.state or asked.secrets):
        raise CommandFault(
            "Each profile of a fleet has a map, a state and secrets of its own, on a machine's own disk.",
            "Leave out --mappings, --state and --secrets; print kubernetes for each profile.",
        )
    if asked.fleet and (asked.profile or asked.metrics or asked.log_file):
        raise CommandFault(
            "A fleet runs every profile, each with a log file and metrics of its own.",
            "Leave out --profile, --metrics and --log-file; a profile's .env names its files.",
        )
    for option, value, form, example in (
        ("--time", asked.at, r"(?:[01]\d|2[0-3]):[0-5]\d", "03:15"),
        ("--timezone", asked.timezone, r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", "Europe/Dublin"),
        ("--image", asked.image, r"[A-Za-z0-9][\w.:/@-]*", "registry.example.com/connector:1.0"),
    ):
        if value is not None and not re.fullmatch(form, value, re.ASCII):
            raise CommandFault(f"{option} is {value!r}.", f"Write it like this: {option} {example}")


def _is_here(kind: str) -> bool:
    """Whether this machine is of the kind that the job is for."""
    return (kind == "windows") == (os.name == "nt")


def _who_asks() -> str:
    """Return whose job it is; root gives it to a user of its own, which must not be able to do more."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "root"
    if os.name == "nt":
        return f"{os.environ.get('USERDOMAIN', '.')}\\{name}"
    return "connector" if name == "root" else name


def _job_here(asked: Asked, desk: Desk, user: str) -> Job:
    here, home, surroundings = desk.here, desk.home, desk.surroundings
    folder = here if asked.profile else home
    if asked.folder is not None:
        folder = _absolute(here / asked.folder)
        home = folder / PROFILES / asked.profile if asked.profile else folder
        surroundings = Surroundings(os.environ, home, alone=bool(asked.profile))

    def place(given: str | None, name: str, default: str) -> str:
        path = here / given if given is not None else home / (surroundings.get(name) or default)
        return str(_absolute(path))

    secrets = _absolute(here / asked.secrets) if asked.secrets else None
    written = {
        option: _absolute(here / path)
        for option, path in (("--log-file", asked.log_file), ("--metrics", asked.metrics))
        if path is not None
    }
    return Job(
        at=asked.at,
        program=(str(_absolute(here / asked.program)),) if asked.program else _this_program(),
        folder=str(folder),
        mappings=place(asked.mappings, "CONNECTOR_MAPPINGS", "mappings.yaml"),
        state=place(asked.state, "CONNECTOR_STATE", "state"),
        user=user,
        scripts=str(_absolute(here / asked.target) if asked.target else folder),
        secrets_folder=str(secrets or ""),
        secrets=_secrets(secrets) if secrets else (),
        timezone=asked.timezone or "",
        fleet=asked.fleet,
        profile=asked.profile or "",
        logging=_logging(asked, written),
        beside=tuple(dict.fromkeys(str(path.parent) for path in written.values())),
    )


def _job_elsewhere(kind: str, asked: Asked, user: str) -> Job:
    """Return a job for a machine of the other kind, whose paths only a person can know."""
    flavour: type[PurePath] = PureWindowsPath if kind == "windows" else PurePosixPath
    folder, program = flavour(asked.folder or ""), flavour(asked.program or "")
    secrets = flavour(asked.secrets) if asked.secrets else None
    if not all(path.is_absolute() for path in (folder, program, secrets or folder)):
        example = ("C:\\connector", ".exe") if kind == "windows" else ("/srv/connector", "")
        raise CommandFault(
            f"The paths are those of another machine, one with {kind}; they have to be given, from the root.",
            f"Name them: --folder {example[0]} --program PATH{example[1]}",
        )
    home = folder / PROFILES / asked.profile if asked.profile else folder
    written = {
        option: folder / path
        for option, path in (("--log-file", asked.log_file), ("--metrics", asked.metrics))
        if path is not None
    }
    return Job(
        at=asked.at,
        program=(str(program),),
        folder=str(folder),
        mappings=str(home / (asked.mappings or "mappings.yaml")),
        state=str(home / (asked.state or "state")),
        user=user,
        scripts=str(folder),
        secrets_folder=str(secrets or ""),
        secrets=_USUAL_SECRETS if secrets else (),
        timezone=asked.timezone or "",
        fleet=asked.fleet,
        profile=asked.profile or "",
        logging=_logging(asked, written),
        beside=tuple(dict.fromkeys(str(path.parent) for path in written.values())),
    )


def _logging(asked: Asked, written: Mapping[str, PurePath]) -> tuple[str, ...]:
    """Return what the job's command line says of its log and its metrics."""
    form = ("--log-format", asked.log_format) if asked.log_format is not None and not asked.fleet else ()
    return (*form, *(word for option, path in written.items() for word in (option, str(path))))


def _this_program() -> tuple[str, ...]:
    """Return the program that is running: the script beside Python where there is one."""
    script = Path(sys.executable).with_name("connector.exe" if os.name == "nt" else "connector")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "connector")


def _secrets(folder: Path) -> tuple[str, ...]:
    """Return the settings that files of a folder hold; all usual ones where the folder is not there yet."""
    try:
        found = tuple(sorted(each.name for each in folder.iterdir() if each.name in SECRETS))
    except FileNotFoundError:
        return _USUAL_SECRETS
    except OSError as error:
        raise CommandFault(
            f"The folder {folder} could not be read: {error.strerror or error}.",
            "Name a folder that you may read, or run this as one who may.",
        ) from None
    if not found:
        raise CommandFault(
            f"The folder {folder} holds none of the secrets.",
            f"Put each into a file of its name: {', '.join(_USUAL_SECRETS)}.",
        )
    return found


def _absolute(path: Path) -> Path:
    # Not resolved: a link that a person made to move things later stays one.
    return Path(os.path.normpath(path))
