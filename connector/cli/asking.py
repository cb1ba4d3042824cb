"""Asking a person on a terminal. stdout is the answer, so every question goes to stderr.

Where nobody can be asked, nobody is: the answer is then "none", "no" or what the caller takes by default.
Ctrl-C and Ctrl-D end the command, as they do elsewhere.
"""

import sys
from collections.abc import Sequence

import typer

from connector.cli.terminal import tell
from connector.reports.escape import lines, printable

_MOST_DIGITS = 9
_YES, _NO = ("y", "yes"), ("n", "no")


def can_ask() -> bool:
    """Whether a person sees what is asked and can answer."""
    return all(_is_terminal(stream) for stream in (sys.stdin, sys.stderr))


def choose(question: str, options: Sequence[str], *, default: int | None = None) -> int | None:
    """Let a person choose from a numbered list; return the index, or None for none of them.

    Enter takes `default`, an index, where there is one. Where nobody can be asked nothing is chosen.
    """
    if not options or not can_ask():
        return None
    none = "Enter for none" if default is None else f"0 for none, Enter for {default + 1}"
    width = len(str(len(options)))
    while True:
        tell(lines(question))
        for number, option in enumerate(options, start=1):
            tell(f"  {number:>{width}}  {printable(option)}")
        said = _asked(f"Number ({none}): ")
        if not said:
            return default
        if said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS and int(said) <= len(options):
            return int(said) - 1 if int(said) else None
        tell(f"Please type a number from 1 to {len(options)}, not {printable(said, width=40)}.")


def ask_text(question: str, default: str = "") -> str:
    """Let a person type one line, trimmed; Enter, or nobody to ask, takes `default`."""
    if not can_ask():
        return default
    shown = f" [{printable(default)}]" if default else ""
    while True:
        said = _asked(f"{lines(question)}{shown}: ")
        if said == printable(said):
            return said or default
        tell("That holds characters that cannot be seen; please type it again.")


def confirm(question: str, default: bool = False) -> bool:
    """Let a person say yes or no; Enter, or nobody to ask, takes `default`."""
    if not can_ask():
        return default
    while True:
        said = _asked(f"{lines(question)} [{'Y/n' if default else 'y/N'}]: ").casefold()
        if not said:
            return default
        if said in _YES + _NO:
            return said in _YES
        tell("Please type y or n.")


def _asked(prompt: str) -> str:
    """Show a prompt and return the line typed, trimmed; raises typer.Abort when the person leaves."""
    try:
        # Not input(): it writes its prompt to stdout.
        typer.echo(prompt, err=True, nl=False)
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        return "\N{REPLACEMENT CHARACTER}\0"  # no answer to any question, so it is asked again
    except (KeyboardInterrupt, OSError):
        line = ""
    if not line:
        tell("")
        raise typer.Abort
    return line.strip()


def _is_terminal(stream: object) -> bool:
    try:
        return bool(getattr(stream, "isatty", bool)())
    except ValueError:  # closed
        return False
