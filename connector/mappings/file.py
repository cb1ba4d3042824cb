"""mappings.yaml on disk: read once, edited, and written whole or not at all."""

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from connector.errors import CommandFault, MappingsMoved
from connector.mappings.difference import new_file_diff, unified_diff
from connector.mappings.edit import Edit, change
from connector.mappings.load import load_mappings, parse_mappings
from connector.mappings.text import LARGEST, readable_text
from connector.mappings.wording import visible
from connector.model import Mappings

_PATIENCE = 10.0
_ANYBODY_WRITES = 0o222
_NEW = b"""\
# yaml-language-server: $schema=mappings.schema.json
# Who is billed for what: Sophos usage on the left, ConnectWise PSA on the right.
# What is not listed here is never billed: a new product or tenant is reported until you decide about it.

version: 1
"""


@dataclass(frozen=True, slots=True)
class MappingsFile:
    """mappings.yaml as it was read once; where it does not exist, as it would begin."""

    path: Path
    data: bytes
    mappings: Mappings
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Edited:
    """What edits make of the `file`; nothing is written yet."""

    file: MappingsFile
    data: bytes
    mappings: Mappings
    diff: str


def read_mappings_file(path: Path, *, create: bool = False, given_by: str = "") -> MappingsFile:
    """Read the file at `path` to edit it; with `create`, one that is not there counts as one without entries.

    Raises what load_mappings raises.
    """
    try:
        data = _content(path)
    except (OSError, ValueError) as error:
        if create and isinstance(error, FileNotFoundError):
            return MappingsFile(path, _NEW, parse_mappings(_NEW, str(path)), exists=False)
        load_mappings(path, given_by)  # says why it cannot be read, in the words of every other command
        raise
    return MappingsFile(path, data, parse_mappings(data, str(path)))


def edit_file(file: MappingsFile, edits: Sequence[Edit]) -> Edited:
    """Return what the edits make of the file, and the diff; writes nothing. Raises what `edited` raises."""
    made = change(file.data, edits, str(file.path))
    if made.data == file.data:
        diff = ""
    elif file.exists:
        diff = unified_diff(made.before, made.splices, str(file.path))
    else:
        diff = new_file_diff(readable_text(made.data), str(file.path))
    return Edited(file, made.data, made.mappings, diff)


def save(edited: Edited) -> None:
    """Write the file whole, or leave it as it is.

    Raises MappingsMoved where it is not the file that was read, CommandFault where it cannot be written.
    """
    if edited.data == edited.file.data:
        return
    target = Path(os.path.realpath(edited.file.path))  # through a link, so that it stays one
    try:
        with _alone(target):
            _check_unmoved(edited.file, target)
            _replace(target, edited.data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandFault(
            f"{_name(edited.file)} could not be written: {visible(str(reason))}. It is unchanged.",
            "Close it in other programs, see that you may write to it and that the disk has room, and run "
            "the same command again.",
        ) from error


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep our other processes from the file while it is compared and replaced.

    The lock lies in the system's temporary folder, where it is no litter, under a name of this user's: nobody
    else could open it. Against people's editors there is none; the comparison is all there can be.
    """
    # A name is the same file in any case on Windows; folding it elsewhere only makes two files share a lock.
    name = sha256(os.path.normcase(target).encode(errors="surrogatepass")).hexdigest()[:16]
    user = getattr(os, "getuid", lambda: "")()
    lock = FileLock(Path(tempfile.gettempdir()) / f"connector-mappings-{user}-{name}.lock", timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise MappingsMoved(
            f"Another command is writing {visible(str(target))}; it was left as it is.",
            "Run the same command again when the other one has ended.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _check_unmoved(file: MappingsFile, target: Path) -> None:
    try:
        now = _content(target)
    except FileNotFoundError:
        if not file.exists:
            return
        raise _moved(file, "is no longer there") from None
    if not file.exists:
        raise _moved(file, "has been made by someone else meanwhile")
    if now != file.data:
        raise _moved(file, "was changed by someone else meanwhile")


def _replace(target: Path, data: bytes) -> None:
    """Put `data` in the place of the file in one step: whoever looks finds the old one or the new one."""
    old = target.stat() if target.exists() else None
    if old and (not old.st_mode & _ANYBODY_WRITES or not os.access(target, os.W_OK)):
        raise PermissionError(errno.EACCES, "it is read-only")
    unsaved = target.with_name(f"{target.name}.{secrets.token_hex(4)}.unsaved-by-connector")
    mode = old.st_mode & 0o7777 if old else 0o666
    try:
        with open(unsaved, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if old:
            with suppress(OSError, AttributeError):  # not for everybody to give away; Windows knows no owners
                os.chown(unsaved, old.st_uid, old.st_gid)
            unsaved.chmod(mode)
        unsaved.replace(target)
    except BaseException:
        with suppress(OSError):
            unsaved.unlink()
        raise
    with suppress(OSError):  # the name, too, is to outlast a power cut; Windows does that by itself
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _moved(file: MappingsFile, what: str) -> MappingsMoved:
    return MappingsMoved(
        f"{_name(file)} {what}, after this command had read it. It was left as it is.",
        "Run the same command again: it reads the file anew.",
    )


def _name(file: MappingsFile) -> str:
    return visible(str(file.path))
