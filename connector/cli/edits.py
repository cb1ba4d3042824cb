"""Shows an edit of mappings.yaml as a diff and makes it, for every command that edits the map."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.invocation import Invocation
from connector.cli.terminal import answer, tell

if TYPE_CHECKING:
    from connector.mappings.edit import Edit
    from connector.mappings.file import MappingsFile

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")]


def carry_out(
    called: Invocation,
    file: "MappingsFile",
    edits: "Sequence[Edit]",
    *,
    dry_run: bool,
    notes: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write the edits unless it is a dry run; the answer is the diff, with `notes` for people below it.

    Raises MappingsFault where the file would not be valid any more, MappingsMoved where it changed meanwhile.
    """
    from connector.mappings.file import edit_file, save
    from connector.reports.document import json_text
    from connector.reports.escape import lines, printable

    edited = edit_file(file, edits)
    changed = edited.data != file.data
    if changed and not dry_run:
        save(edited)
    path = printable(str(file.path))
    if called.json:
        document = {
            "schema": "connector.edit/1",
            "path": str(file.path),
            "changed": changed,
            "dry_run": dry_run,
            "diff": edited.diff,
            "notes": list(notes),
            **(more or {}),
        }
        answer(json_text(document))
        return
    if edited.diff:
        answer("\n".join(printable(line) for line in edited.diff.splitlines()))
    for note in notes:
        answer(lines(note))
    if not changed:
        tell(f"{path} says so already; it was not changed.")
    elif dry_run:
        tell(f"{path} was not changed (--dry-run).")
    else:
        made = "changed" if file.exists else "made"
        tell(f"{path} was {made}. See what it does with: connector plan")
