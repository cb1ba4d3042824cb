"""Sheets on disk: read whole, and written whole or not at all."""

import secrets
from contextlib import suppress
from pathlib import Path

from connector.errors import CommandFault
from connector.mappings.tenant_sheet import LARGEST


def read_sheet_file(path: Path) -> bytes:
    """Return the content of a sheet, cut a little above the largest one allowed; raises CommandFault."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise CommandFault(
            f"{path} could not be read: {_reason(error)}. mappings.yaml was not changed.",
            "Check the path. Make a sheet to fill in with: connector tenants export FILE",
        ) from error


def write_sheet_file(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a new sheet, or replace one if asked to; raises CommandFault."""
    try:
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unsaved") if overwrite else path
        with made.open("xb") as file:
            try:
                file.write(data)
                file.close()
                made.replace(path)
            except BaseException:
                file.close()
                with suppress(OSError):
                    made.unlink()
                raise
    except FileExistsError:
        raise CommandFault(
            f"{path} is there already; it was left as it is.",
            "Name another file, or replace it with --overwrite.",
        ) from None
    except (OSError, ValueError) as error:
        raise CommandFault(
            f"{path} could not be written: {_reason(error)}.",
            "Close it in other programs, and see that the folder is there and may be written to.",
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
