"""Prints a list the way it was asked for: a table, CSV for a spreadsheet, or one JSON document."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.invocation import Invocation
from connector.cli.terminal import answer, tell

if TYPE_CHECKING:
    from connector.model import Period
    from connector.planning.sources import Source
    from connector.planning.states import State
    from connector.reports.table import Column

PeriodOption = Annotated[
    str | None,
    typer.Option("--period", metavar="YYYY-MM", help="The month; else the newest that Sophos has published."),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")]


def show_list(
    called: Invocation,
    document: Mapping[str, Any],
    columns: "Sequence[Column]",
    rows: Sequence[Sequence[str]],
    *,
    as_csv: bool,
) -> None:
    """Print rows as a table, or as what was asked for instead."""
    from connector.reports.document import json_text
    from connector.reports.sheet import csv_text
    from connector.reports.table import table

    if called.json:
        answer(json_text(document))
    elif as_csv:
        text = csv_text([column.title for column in columns], rows)
        answer(text.replace("\r\n", "\n").rstrip("\n"))  # a text stream writes the line ends of its system
    else:
        width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
        answer(table(columns, rows, width))


def tell_month(period: "Period | None") -> None:
    """Say on stderr which month a list is of."""
    told = "Sophos has published no month yet" if period is None else f"Usage of {period}"
    tell(f"{told}.")


def period_of(text: str | None) -> "Period | None":
    """Return the month that a person named; raises CommandFault."""
    from connector.errors import CommandFault
    from connector.model import Period

    if text is None:
        return None
    try:
        return Period.parse(text)
    except ValueError as error:
        raise CommandFault(f"PERIOD: {error}.", "Write the month as YYYY-MM, such as 2026-10.") from None


def source_of(name: str) -> "Source":
    """Return the source that a person named; raises CommandFault."""
    from connector.errors import CommandFault
    from connector.planning.sources import OPTIONS

    if name not in OPTIONS:
        raise CommandFault(
            f"--source {name}: there is no such source.", f"The sources are {', '.join(OPTIONS)}."
        )
    return OPTIONS[name]


def states_of(text: str | None) -> "frozenset[State]":
    """Return the states that a person asked for; raises CommandFault."""
    from connector.errors import CommandFault
    from connector.planning.states import STATES

    if text is None:
        return frozenset(STATES)
    said = {each.strip().casefold() for each in text.split(",")}
    unknown = sorted(said.difference(STATES))
    if unknown:
        raise CommandFault(
            f"--state {text!r}: {unknown[0]!r} is none of {', '.join(STATES)}.",
            "For the state folder, give --state before the command, or CONNECTOR_STATE.",
        )
    return frozenset(state for state in STATES if state in said)
