"""`support-bundle`: a zip for a ticket, without secrets, and without names where they must not leave."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    invocation,
    joined,
    profile_folder,
    who_runs,
)
from connector.cli.terminal import answer, tell

Target = Annotated[Path, typer.Argument(metavar="FILE", help="The zip; a file that does not exist yet.")]
Anonymous = Annotated[
    bool,
    typer.Option(
        "--anonymous",
        help="Put stable aliases in place of names, ids, serials and paths. The key that makes them is "
        "kept in the state folder.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("support-bundle")(support_bundle)


def support_bundle(
    ctx: typer.Context,
    target: Target,
    anonymous: Anonymous = False,
    as_json: Json = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Pack what support needs into a zip.

    Versions, settings without secrets, the map, plans, runs, logs. Asks no vendor, changes nothing, and
    works where the map or the state is at fault.
    """
    from connector.reports.document import json_text
    from connector.reports.escape import printable
    from connector.runs.bundle.sources import Places
    from connector.runs.bundle.support_bundle import make_bundle, write_bundle

    called, faults = _called(ctx, Common(json=as_json, mappings=mappings, state=state))
    path = called.folder / target
    places = Places(
        folder=called.home,
        state=called.state_folder,
        mappings=called.mappings_path,
        who=who_runs(),
        home=_home(),
    )
    bundle = make_bundle(
        places, called.surroundings, os.environ, now=datetime.now(UTC), anonymous=anonymous, faults=faults
    )
    size = write_bundle(path, bundle)
    for fault in bundle.faults:
        tell(f"Left out or at fault: {printable(fault)}")
    if called.json:
        answer(
            json_text(
                {
                    "schema": "connector.support-bundle/1",
                    "path": str(path),
                    "bytes": size,
                    "anonymous": anonymous,
                    "members": [member.name for member in bundle.members],
                    "faults": list(bundle.faults),
                    "exit_code": 0,
                }
            )
        )
        return
    answer(f"{printable(str(path))}: {len(bundle.members)} files, {size} bytes. No secret is in it.")
    answer(
        "Names are replaced by aliases. Comments and logs are free text: look through them first."
        if anonymous
        else "It names your customers. For a ticket that leaves the house, make one with --anonymous."
    )


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # nobody's home is known
        return None


def _called(ctx: typer.Context, given: Common) -> tuple[Invocation, list[str]]:
    """Return the invocation, without `.env` where that is at fault: a bundle is made when things are."""
    from connector.errors import SettingsFault
    from connector.settings import Surroundings

    try:
        return invocation(ctx, given), []
    except SettingsFault as fault:
        folder = Path.cwd()
        nowhere = Surroundings(os.environ, folder / ".env")  # no folder, so it holds no file
        common = joined(ctx, given)
        home = folder if common.profile is None else profile_folder(folder, common.profile)
        called = Invocation(common, f"connector {ctx.info_name}", nowhere, folder, home)
        return called, [fault.message]
