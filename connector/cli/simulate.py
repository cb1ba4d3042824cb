"""`simulate`."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connector.cli.invocation import Common, Json, Verbose
from connector.cli.terminal import answer, tell
from connector.reports.escape import printable

if TYPE_CHECKING:
    from connector.simulator import Simulator, World

# Both months of the built-in worlds are published by then.
TODAY = date(2026, 10, 28)

Tenants = Annotated[
    int | None,
    typer.Option(
        "--tenants", metavar="N", min=1, max=20000, help="A made-up world of N tenants. [the demo's world]"
    ),
]
Named = Literal["small", "discrepancies"]
WorldName = Annotated[
    Named | None,
    typer.Option(
        "--world",
        help="small: the demo's. discrepancies: a month billed, and since then one of each thing that can be "
        "wrong, for connector diagnose. [small]",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="The same seed gives the same world.")]
Port = Annotated[int, typer.Option("--port", metavar="P", min=0, max=65535, help="0 takes a free one.")]
Latency = Annotated[
    int,
    typer.Option(
        "--latency",
        metavar="MS",
        min=0,
        max=60_000,
        help="Milliseconds that each request takes; several can be on their way at once.",
    ),
]
Limits = Annotated[
    bool,
    typer.Option(
        "--limits/--no-limits",
        help="Answer 429 to more requests than the vendors allow: Sophos 10 a second, 100 a minute and 1,000 "
        "an hour; ConnectWise about 1,000 a minute and 8 at once.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate)


def simulate(
    ctx: typer.Context,
    world: WorldName = None,
    tenants: Tenants = None,
    seed: Seed = 0,
    port: Port = 0,
    latency: Latency = 0,
    limits: Limits = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Serve a made-up Sophos and ConnectWise on this machine.

    To try the other commands on: prints the settings as NAME=value lines, then an empty line, and serves
    until stopped. The map and the state folder that it names are its own and go when it stops.
    """
    from connector.cli.rehearsal import play, write_map
    from connector.reports.document import json_text

    before = ctx.obj if isinstance(ctx.obj, Common) else Common()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    built = _built(world, tenants, seed)
    with (
        tempfile.TemporaryDirectory(prefix="connector-simulate-") as made,
        _served(built, port) as simulator,
    ):
        folder = Path(made)
        write_map(built, folder)
        if built.acts:
            tell("Billing the months that have passed; this takes a few seconds.")
            play(simulator, folder)
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        # From here on: the history was made as quickly as this machine can.
        simulator.latency = latency / 1000
        built.sophos_limits = built.connectwise_limits = limits
        settings = simulated_settings(simulator, folder)
        if as_json or before.json:
            answer(json_text({"schema": "connector.simulator/1", "settings": settings}))
        else:
            answer("".join(f"{name}={value}\n" for name, value in settings.items()))
        tell(_story(built, simulator))
        while not stop.wait(1.0):  # in steps, because Windows delivers Ctrl-C only between them
            if verbose or before.verbose:
                _tell_new(simulator)
    tell("Stopped.")


def simulated_settings(simulator: "Simulator", folder: Path) -> dict[str, str]:
    """Return all settings of contract section 1 for a simulator whose map and state are in `folder`."""
    return {
        **simulator.settings(),
        "CONNECTOR_MAPPINGS": str(folder / "mappings.yaml"),
        "CONNECTOR_STATE": str(folder / "state"),
    }


def _built(name: Named | None, tenants: int | None, seed: int) -> "World":
    """Return the world that was asked for; raises CommandFault where it was asked for in two ways."""
    from connector.errors import CommandFault
    from connector.simulator import discrepancies_world, generated_world, small_world

    if name is not None and tenants is not None:
        raise CommandFault("--tenants makes a world of its own.", "Leave out --world, or --tenants.")
    if name == "discrepancies":
        return discrepancies_world(seed)
    world = small_world(seed) if tenants is None else generated_world(tenants, seed)
    world.advance(max(TODAY, world.today))
    return world


@contextmanager
def _served(world: "World", port: int) -> "Iterator[Simulator]":
    """Serve while the block runs; raises CommandFault where another program listens already."""
    from connector.errors import CommandFault
    from connector.simulator import Simulator

    with ExitStack() as stack:
        try:
            simulator = stack.enter_context(Simulator(world, port=port))
        except OSError as error:
            raise CommandFault(
                f"Port {port} cannot be used: {error.strerror}.", "Take another --port, or leave it out."
            ) from error
        yield simulator


def _story(world: "World", simulator: "Simulator") -> str:
    where = f"Sophos and ConnectWise are simulated on {simulator.url}; today is {world.today} there.\n"
    lines_above = "Put the lines above into a file named .env in another folder, and run there: "
    if not world.acts:
        return f"{where}{lines_above}connector doctor, then connector plan. Ctrl-C stops."
    return (
        f"{where}"
        "September and October 2026 were billed by connector sync, and October once more on the 30th, when "
        "Sophos had corrected it.\nSince then people were at work in ConnectWise and in the map, and Sophos "
        f"has corrected a row again: {len(world.wrong)} things are wrong, each of another kind, and all else "
        f"is right.\n{lines_above}connector diagnose. Ctrl-C stops."
    )


def _tell_new(simulator: "Simulator") -> None:
    for request in simulator.requests:
        tell(f"  {request.vendor} {request.method} {printable(request.path)} {request.status}")
    simulator.clear_requests()
