"""`usage`: the numbers themselves: a month by tenant and product, what is stored, comparisons, sums."""

import re
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from connector.cli import usage_import
from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, Verbose, invocation
from connector.cli.listing import AsCsv, period_of
from connector.cli.terminal import answer, tell
from connector.cli.usage_desk import Overwrite, Xlsx, offer, opened, origin_of, shown_terminal
from connector.reports.escape import printable

DIFFERENT = 7
"""What `--exit-code` says of two sides that differ, as it does of a plan with changes to make."""


class UsageGroup(TyperGroup):
    """Takes a month in place of a command: `usage 2026-10` means `usage show 2026-10`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command that is meant in front of its options."""
        given = args if ctx.resilient_parsing else self._with_command(args)
        return super().parse_args(ctx, given)

    def _with_command(self, args: list[str]) -> list[str]:
        options = [option for command in self.commands.values() for option in command.params]
        with_value = {
            name for option in options if not getattr(option, "is_flag", True) for name in option.opts
        }
        for at, word in enumerate(args):
            if word.startswith("-") or (at and args[at - 1] in with_value):
                continue
            if word in self.commands:
                return [word, *args[:at], *args[at + 1 :]]
            # What looks like no month is a command that there is not: its error says which there are.
            return ["show", *args] if re.search(r"\d", word) else args[at:]
        return args if "--help" in args else ["show", *args]


group = typer.Typer(cls=UsageGroup, subcommand_metavar="[PERIOD] | COMMAND [ARGS]...", rich_markup_mode=None)

MonthText = Annotated[
    str | None,
    typer.Argument(
        metavar="[PERIOD]",
        help="YYYY-MM, or a snapshot's number; left out, the newest month that Sophos has published.",
    ),
]
PullText = Annotated[
    str | None,
    typer.Argument(metavar="[PERIOD]", help="YYYY-MM; left out, the newest month that Sophos has published."),
]
_SIDE = "A month (2026-09), a source of one (2026-10:file), or a snapshot's number."
SideA = Annotated[str, typer.Argument(metavar="A", help=_SIDE)]
SideB = Annotated[str, typer.Argument(metavar="B", help="What it is compared with, written alike.")]
Source = Annotated[
    Literal["api", "file", "live"] | None,
    typer.Option("--source", help="Which source to show; else the one that was stored last."),
]
By = Annotated[
    Literal["product", "tenant", "firewall"] | None,
    typer.Option("--by", help="Product by product, one line for each tenant, or for each serial number."),
]
Raw = Annotated[bool, typer.Option("--raw", help="The rows as they were received, with all their fields.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit 7 when there is any difference.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    usage_import.register(group)
    app.add_typer(group, name="usage")


@group.callback()
def usage() -> None:
    """See months of usage: stored, fetched, imported, compared.

    Without a command: the month by tenant and product, as `usage show` does.
    """


@group.command("show")
def show(
    ctx: typer.Context,
    period: MonthText = None,
    by: By = None,
    raw: Raw = False,
    source: Source = None,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Show a month by tenant and product, with quantities, cost and list value."""
    from connector.errors import CommandFault
    from connector.planning.usage_views import amounts_of, usage_lines
    from connector.reports.usage import (
        amounts_text,
        raw_document,
        raw_table,
        usage_document,
        usage_table,
    )

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    if raw and by is not None:
        raise CommandFault("--raw shows rows as they are, --by adds them up.", "Give one of the two.")
    with opened(called) as desk:
        month = desk.named(period, source)
    origin, whole = origin_of(month), amounts_of(month.rows)
    if raw:
        document = raw_document(origin, month.rows, whole)
        columns, rows = raw_table(month.rows)
    else:
        view = by or "pair"
        lines = usage_lines(month.rows, month.finder, month.names, view)
        document = usage_document(origin, view, lines, whole)
        columns, rows = usage_table(view, lines)
    tell(f"Usage of {printable(origin.told())}.")
    offer(called, document, columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite)
    tell(f"{amounts_text(whole)}.")


@group.command("months")
def months(
    ctx: typer.Context,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """List what is stored: from where, when, restated or not, and which runs applied it."""
    from connector.reports.months import months_document, months_table

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with opened(called) as desk:
        stored = desk.every
    columns, rows = months_table(stored)
    offer(called, months_document(stored), columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite)
    if not stored:
        tell("No month is stored yet. Fetch one: connector usage pull")


@group.command("pull")
def pull(
    ctx: typer.Context,
    period: PullText = None,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Read a month of Sophos and store it; ConnectWise is left alone."""
    from dataclasses import replace

    from connector.cli.setup import make_setup
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings
    from connector.planning.findings import Options
    from connector.reports.document import json_text
    from connector.reports.months import months_table, pull_document, pull_text
    from connector.runs.session import begun
    from connector.runs.usage_pull import pull as pull_month

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    month = period_of(period)
    terminal = shown_terminal(called)
    setup = make_setup(called, Mappings(), terminal)
    setup = replace(setup, mappings=read_mappings_file(called.mappings_path, create=True).mappings)
    with begun(setup, "pull", Options()) as pipeline, terminal.shown():
        pulled = pull_month(pipeline, month)
        pipeline.finish(0)
    if as_csv or xlsx is not None:
        document, (columns, rows) = pull_document(pulled), months_table((pulled.snapshot,))
        offer(called, document, columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite)
    else:
        answer(json_text(pull_document(pulled)) if called.json else pull_text(pulled))


@group.command("compare")
def compare(
    ctx: typer.Context,
    a: SideA,
    b: SideB,
    exit_code: ExitCode = False,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Compare two months, or two sources of one month: every difference, its kind and its money."""
    from connector.planning.usage_comparison import Side
    from connector.planning.usage_comparison import compare as compare_sides
    from connector.reports.usage import comparison_document, comparison_lines, comparison_table

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with opened(called) as desk:
        one, other = desk.named(a), desk.named(b)
    found = compare_sides(Side(one.rows, one.finder), Side(other.rows, other.finder))
    names = {**one.names, **other.names}
    document = comparison_document(origin_of(one), origin_of(other), found, names)
    columns, rows = comparison_table(found, names)
    tell(f"A: {printable(origin_of(one).told())}.")
    tell(f"B: {printable(origin_of(other).told())}.")
    offer(called, document, columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite)
    for line in comparison_lines(found):
        tell(line)
    raise typer.Exit(DIFFERENT if exit_code and found.differences else 0)


@group.command("totals")
def totals(
    ctx: typer.Context,
    period: MonthText = None,
    source: Source = None,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Add up each product over all tenants, with its price band, as Sophos does for the invoice."""
    from connector.planning.usage_views import amounts_of, product_totals
    from connector.reports.usage import amounts_text, totals_document, totals_table

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with opened(called) as desk:
        month = desk.named(period, source)
    origin, whole = origin_of(month), amounts_of(month.rows)
    found = product_totals(month.rows, month.finder)
    columns, rows = totals_table(found)
    tell(f"Usage of {printable(origin.told())}.")
    document = totals_document(origin, found, whole)
    offer(called, document, columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite)
    tell(f"{amounts_text(whole)}.")
