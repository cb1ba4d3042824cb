"""`schedule print`: the files with which a scheduler runs the nightly job."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, invocation
from connector.cli.terminal import answer, tell

Kind = Annotated[str, typer.Argument(metavar="KIND", help="systemd, cron, windows or kubernetes.")]
Time = Annotated[str, typer.Option("--time", metavar="HH:MM", help="When it starts, each night.")]
User = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="Who runs it. [you; for root: connector]")
]
Folder = Annotated[
    str | None, typer.Option("--folder", metavar="DIR", help="The folder with its .env. [this one]")
]
Program = Annotated[
    str | None, typer.Option("--program", metavar="PATH", help="The connector's program. [the one running]")
]
Secrets = Annotated[
    str | None,
    typer.Option("--secrets", metavar="DIR", help="A folder with a file for each secret, of its name."),
]
Fleet = Annotated[
    bool, typer.Option("--fleet", help="Run all profiles of the folder: `connector fleet nightly`.")
]
Image = Annotated[str | None, typer.Option("--image", metavar="NAME", help="kubernetes: the image to run.")]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="NAME",
        help="systemd, kubernetes: whose time it is. [the machine's; kubernetes: UTC]",
    ),
]
Write = Annotated[
    Path | None, typer.Option("--write", metavar="DIR", help="Write the files into a folder instead.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="With --write: replace files that are there.")]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="schedule")


@group.callback()
def show_help(ctx: typer.Context) -> None:
    """Have the nightly job run by systemd, cron, Windows or Kubernetes."""
    if ctx.invoked_subcommand is None:
        answer(ctx.get_help())


@group.command("print")
def print_files(
    ctx: typer.Context,
    kind: Kind,
    at: Time = "03:15",
    user: User = None,
    folder: Folder = None,
    program: Program = None,
    secrets: Secrets = None,
    fleet: Fleet = False,
    image: Image = None,
    timezone: Timezone = None,
    write: Write = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Print the files that run `connector nightly` each night, with your paths filled in.

    Starts nothing by itself; deploy/README.md says where each file goes. What is said before `schedule`
    (--profile, --log-file, --metrics) holds for the job as well.
    """
    from connector.reports.deployment.files import files_document, files_text, job_files
    from connector.reports.document import json_text
    from connector.reports.escape import printable
    from connector.runs.deployment import Asked, Desk, job_of, what_is_missing, write_job_files

    called = invocation(ctx, Common(json=as_json, mappings=mappings, state=state))
    logging = called.common.logging
    job = job_of(
        kind,
        Asked(
            at=at,
            user=user,
            folder=folder,
            program=program,
            secrets=secrets,
            image=image,
            timezone=timezone,
            mappings=_said(called.common.mappings),
            state=_said(called.common.state),
            fleet=fleet,
            target=write,
            profile=called.common.profile,
            metrics=_said(logging.metrics) if logging is not None else None,
            log_file=_said(logging.file) if logging is not None else None,
            log_format=logging.format if logging is not None else None,
        ),
        Desk(called.folder, called.home, called.surroundings),
    )
    files = job_files(kind, job)
    paths: list[str] = []
    if write is not None:
        written = write_job_files(files, called.folder / write, overwrite=overwrite)
        paths = [str(path) for path in written]
    missing = what_is_missing(kind, job)
    if missing:
        tell(f"Warning: {printable(missing)}")
    if called.json:
        answer(json_text(files_document(kind, files, paths)))
    else:
        answer("\n".join(f"{printable(path)} was written." for path in paths) or files_text(files))


def _said(path: Path | None) -> str | None:
    return None if path is None else str(path)
