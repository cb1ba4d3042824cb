"""The help of a command, before anything else: to check options that nobody gave, typer loads pydantic."""

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup


def help_asked_for(group: TyperGroup, given: Sequence[str], program: str | None) -> str | None:
    """Return the help of a command where a command line names one and asks for nothing else, else None."""
    if program is None or len(given) < 2 or given[-1] != "--help":
        return None
    command: Any = group
    context = command.context_class(command, info_name=program)
    for word in given[:-1]:
        command = command.get_command(context, word) if isinstance(command, TyperGroup) else None
        if command is None:
            return None  # what is wrong with it is said where command lines are read
        context = command.context_class(command, info_name=word, parent=context, **command.context_settings)
    return str(command.get_help(context))
