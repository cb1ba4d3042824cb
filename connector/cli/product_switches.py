"""`products unmap`, `on` and `off`: whether a product code is billed."""

from typing import TYPE_CHECKING

import typer

from connector.cli.arguments import Code
from connector.cli.desk import Desk, at_desk
from connector.cli.edits import DryRun, carry_out
from connector.cli.invocation import (
    Common,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)

if TYPE_CHECKING:
    from connector.runs.product_mapping import TurningOff


IN_MAP = "`products:` of mappings.yaml"


def register(group: typer.Typer) -> None:
    """Add the commands to the group."""
    group.command("unmap")(unmap)
    group.command("on")(turn_on)
    group.command("off")(turn_off)


def unmap(
    ctx: typer.Context,
    code: Code,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Take a product code's item out of mappings.yaml, which turns the code off."""
    from connector.mappings.edit import Drop
    from connector.planning.product_codes import known_code
    from connector.runs.product_mapping import LIST

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called) as desk:
        found = known_code(code, desk.file.mappings.products, where=IN_MAP, next_step=LIST)
        edits = [Drop(("products", found, "item"))]
        notes, more = _turning_off(desk).comes_to(found, edits)
        carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more=more)


def turn_off(
    ctx: typer.Context,
    code: Code,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Decide that a product code is not billed; its item stays written down."""
    from connector.planning.product_codes import known_code
    from connector.runs.product_mapping import LIST, SEEN, code_to_turn_off, edits_to_turn_off

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        known = code_to_turn_off(code, desk.file, desk.ledger)
        if known is None:
            names = {each.code: each.name for each in desk.look().survey.products()}
            found = known_code(code, names, where=SEEN, next_step=LIST)
            known = found, names[found]
        edits = edits_to_turn_off(desk.file, *known)
        notes, more = _turning_off(desk).comes_to(known[0], edits)
        carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more=more)


def turn_on(
    ctx: typer.Context,
    code: Code,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Bill a product code again as the item that mappings.yaml names for it."""
    from connector.planning.product_codes import known_code
    from connector.planning.references import code_command
    from connector.runs.product_mapping import edits_to_turn_on

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called) as desk:
        advice = f"Map it first: {code_command('map', code.strip())}"
        found = known_code(code, desk.file.mappings.products, where=IN_MAP, next_step=advice)
        edits = edits_to_turn_on(desk.file, found)
        notes = [f"{found} is billed as {desk.file.mappings.products[found].item} from the next run on."]
        carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more={"code": found})


def _turning_off(desk: Desk) -> "TurningOff":
    from connector.runs.product_mapping import TurningOff

    return TurningOff(desk.file, desk.ledger, desk.connectwise, desk.setup.today, desk.terminal)
