"""mappings.yaml -> Mappings, or every one of its faults at once, each with line and column."""

from heapq import nsmallest
from pathlib import Path
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.errors import Fault, MappingsFault, SettingsFault
from connector.mappings.bundles import bundle_faults
from connector.mappings.document import BROKEN, Place, Table, read_document
from connector.mappings.keys import key_faults
from connector.mappings.shape import MappingsShape, allowed_keys
from connector.mappings.text import LARGEST, MOST_FAULTS, Unreadable, readable_text
from connector.mappings.wording import did_you_mean, dotted, quoted, shown, visible
from connector.model import Mappings


def load_mappings(path: Path, given_by: str = "") -> Mappings:
    """Read the file at `path`; `given_by` says where the path came from, as `CONNECTOR_MAPPINGS in .env`.

    Raises SettingsFault where there is no file to read, MappingsFault with all faults of its content.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: no path at all, as one with a NUL in it
        raise _no_file(path, given_by, error) from None
    return parse_mappings(data, str(path))


def parse_mappings(text: bytes, path: str) -> Mappings:
    """Return what `text`, the content of mappings.yaml, says; `path` names the file in messages.

    Raises MappingsFault with all faults, in the order of the file.
    """
    faults: list[Fault] = []
    try:
        root = read_document(readable_text(text), faults)
    except Unreadable as stop:
        raise MappingsFault(path, stop.faults) from None
    if root is None:
        root = Table()
    if not isinstance(root, Table):
        if root is not BROKEN:
            message = f"the file must be a mapping that begins with version: 1, not {shown(root)}"
            faults.append(Fault(1, 1, message))
        raise MappingsFault(path, _first(faults))
    faults += key_faults(root)
    faults += bundle_faults(root)
    try:
        shape = MappingsShape.model_validate(root)
    except ValidationError as refused:
        worded, others = _shape_faults(refused, root)
        raise MappingsFault(path, _first(faults + worded, others)) from None
    if faults:
        raise MappingsFault(path, _first(faults))
    return shape.value()


def _no_file(path: Path, given_by: str, error: OSError | ValueError) -> SettingsFault:
    place = visible(str(path.absolute())) + (f" (from {given_by})" if given_by else "")
    if isinstance(error, FileNotFoundError):
        message = f"There is no mappings file at {place}."
    else:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"The mappings file {place} cannot be read: {reason}."
    return SettingsFault(
        message,
        "Begin one with `connector products` and what it tells you to do, or name another file with "
        "--mappings PATH or CONNECTOR_MAPPINGS; `connector demo` shows one at work.",
    )


def _shape_faults(refused: ValidationError, root: Table) -> tuple[list[Fault], int]:
    """Return the first faults of the shape, as many as may be reported, and the number of the others."""
    errors = [error for error in refused.errors(include_url=False) if error["input"] is not BROKEN]
    first = nsmallest(MOST_FAULTS + 1, errors, key=lambda error: _place(error, root))
    return [Fault(*_place(error, root), _message(error)) for error in first], len(errors) - len(first)


def _place(error: ErrorDetails, root: Table) -> Place:
    *path, last = error["loc"]
    table, above = root, (1, 1)
    for key in path:
        above = table.key_place(str(key))
        table = cast("Table", table[str(key)])
    if error["type"] == "missing":
        return above
    return table.key_place(str(last)) if error["type"] == "extra_forbidden" else table.value_place(str(last))


def _message(error: ErrorDetails) -> str:
    path = tuple(str(key) for key in error["loc"])
    match error["type"]:
        case "missing":
            begin = "; begin the file with version: 1" if path == ("version",) else ""
            return f"{dotted(path)} is missing{begin}"
        case "extra_forbidden":
            *above, key = path
            where = f"{dotted(above)}: " if above else ""
            return f"{where}unknown key {quoted(key)}{did_you_mean(key, allowed_keys(path[:-1]))}"
        case "mappings":
            return f"{dotted(path)}: {error['msg']}"
        case _:
            return f"{dotted(path)}: must be a mapping (lines of `key: value`), not {shown(error['input'])}"


def _first(faults: list[Fault], others: int = 0) -> tuple[Fault, ...]:
    faults.sort()
    rest = len(faults) + others - MOST_FAULTS
    if rest <= 0:
        return tuple(faults)
    cut = faults[MOST_FAULTS]
    more = Fault(cut.line, cut.column, f"{rest} more fault{'s' if rest > 1 else ''} from here on")
    return (*faults[:MOST_FAULTS], more)
