"""Reads a command line as the connector would, and runs nothing."""

import shlex
from typing import Any

from typer.main import get_command

from connector.cli.app import app
from connector.planning.codes import checked_force

CONNECTOR = get_command(app)


def parsed(line: str) -> dict[str, Any]:
    """Return the parameters of a command line's command; raises what wrong usage raises."""
    first, *words = shlex.split(line)
    assert first == "connector", line
    command: Any = CONNECTOR
    name: str | None = first
    context = None
    while hasattr(command, "resolve_command"):
        context = command.make_context(name, list(words), parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:  # a group that is a command by itself
            return dict(context.params)
        name, command, words = command.resolve_command(context, rest)
    parameters: dict[str, Any] = command.make_context(name, list(words), parent=context).params
    checked_force(parameters.get("force") or [])
    return parameters
