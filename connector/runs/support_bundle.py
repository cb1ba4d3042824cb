"""A zip for a ticket. Each part is gathered by itself, so that one at fault keeps out only itself."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from connector import __version__
from connector.errors import CommandFault, ConnectorError
from connector.planning.aliases import Aliases
from connector.reports.document import json_text
from connector.runs.aliases import alias_key, aliased_map, learn_map
from connector.runs.bundle_settings import secrets_of
from connector.runs.bundle_sources import (
    MOST_PLANS,
    MOST_RUNS,
    SOURCES,
    Gathered,
    Member,
    Places,
    Request,
    users_of,
)
from connector.settings import Surroundings
from connector.vendors.redaction import Redactor

README = """\
What support needs to see, gathered by `connector support-bundle` on {made}.

versions.json       the connector, Python, the system, and the libraries
settings.json       which settings are set and where; of secrets never the value
mappings.yaml       the map; its faults, if any, are in mappings-faults.json
runs.json           the last {runs} runs with their changes and outcomes
plans/              the last {plans} plans
snapshots.json      which months of usage are stored, without their rows
ledger-check.json   whether the ledger's file is whole
logs/               the ends of the last logs
manifest.json       what is here, and what is not and why

{names}
"""
_ALIASED = """\
Names of tenants, companies, agreements, users, hosts and files, ids and serial numbers are replaced by
aliases: the same name has the same alias in every bundle of this installation. Comments of mappings.yaml
and logs are free text: look through them before this leaves the house."""
_NAMED = "It names customers and users. Make one without: connector support-bundle FILE --anonymous"


Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes into the zip, as bytes, and what was left out or found at fault."""

    members: tuple["Packed", ...]
    faults: tuple[str, ...]
    made: datetime


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of the zip, fit to leave the house."""

    name: str
    data: bytes


def make_bundle(
    places: Places,
    surroundings: Surroundings,
    environment: Mapping[str, str],
    *,
    now: datetime,
    anonymous: bool,
    faults: Iterable[str] = (),
) -> Bundle:
    """Gather everything; what cannot be had is told in the bundle and stops nothing."""
    request = Request(places, surroundings, environment)
    found = Gathered(faults=list(faults))
    for source in SOURCES:
        try:
            source(request, found)
        except (ConnectorError, OSError, ValueError) as error:
            found.faults.append(_told(error))
    redact = cache(Redactor(secrets_of(surroundings, places.folder)))  # a text comes a thousand times
    aliases = _aliases(places, found) if anonymous else None
    members = [packed for member in found.members for packed in _packed(member, redact, aliases, found)]
    faults_told = [_clean(fault, redact, aliases) for fault in dict.fromkeys(found.faults)]
    made = now.astimezone(UTC).isoformat(timespec="seconds")
    readme = README.format(
        made=made, runs=MOST_RUNS, plans=MOST_PLANS, names=_NAMED if aliases is None else _ALIASED
    )
    manifest = {
        "schema": "connector.support-bundle/1",
        "made_at": made,
        "version": __version__,
        "anonymous": anonymous,
        "members": ["README.txt", "manifest.json", *(member.name for member in members)],
        "faults": faults_told,
    }
    whole = (
        Packed("README.txt", readme.encode()),
        Packed("manifest.json", json_text(manifest).encode()),
        *members,
    )
    return Bundle(whole, tuple(map(redact, dict.fromkeys(found.faults))), now)


def write_bundle(target: Path, bundle: Bundle) -> int:
    """Write the zip whole or not at all, and return its size; raises CommandFault, and replaces nothing."""
    stamp = bundle.made.astimezone(UTC).timetuple()[:6]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in bundle.members:
            entry = zipfile.ZipInfo(member.name, max(stamp, (1980, 1, 1, 0, 0, 0)))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, member.data)
    partial = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            raise CommandFault(
                f"{target} exists already.", "Name a file that does not: a bundle replaces nothing."
            )
        partial.touch(mode=0o600)
        try:
            partial.write_bytes(file.getvalue())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandFault(
            f"{target} could not be written: {reason}.", "See that the folder is there and may be written to."
        ) from error
    return len(file.getvalue())


def _aliases(places: Places, found: Gathered) -> Aliases:
    """Return aliases that know every name which anything gathered holds."""
    key, why = alias_key(places.state)
    if why:
        found.faults.append(why)
    aliases = Aliases(key)
    aliases.keep(found.kept)
    for path in (places.state, places.mappings, places.folder, places.home):
        if path is not None and len(str(path)) > 1:
            aliases.learn("path", str(path))
    for text in found.maps:
        learn_map(aliases, text)
    for sort, name in found.names:
        if sort == "id":
            aliases.learn_tenant_id(name)
        else:
            aliases.learn(sort, name)
    for member in found.members:
        if member.kind == "document":
            aliases.learn_from(member.content)
    for sort, name in users_of(places.who):
        aliases.learn(sort, name)
    return aliases


def _packed(member: Member, redact: Redact, aliases: Aliases | None, found: Gathered) -> Iterator[Packed]:
    """Yield a member with every secret redacted and, where asked for, every name replaced."""
    name = member.name if aliases is None else _aliased_name(member.name, aliases)
    if member.kind == "map":
        text = member.content
        if aliases is not None:
            if not learn_map(aliases, text):
                found.faults.append(
                    "mappings.yaml is no YAML, so nobody knows which words are names: left out"
                )
                return
            text = aliased_map(aliases, text)
        yield Packed(name, redact(text).encode("utf-8", "replace"))
    elif member.kind == "log":
        lines = member.content.splitlines()
        yield Packed(
            name, "\n".join(_log_line(line, redact, aliases) for line in lines).encode("utf-8", "replace")
        )
    else:
        content = member.content
        if aliases is not None:
            content = _quoting(content, aliases) if member.kind == "quoting" else aliases.document(content)
            content = _sentences(content, aliases)
        yield Packed(name, json_text(_redacted(content, redact)).encode())


def _aliased_name(name: str, aliases: Aliases) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{aliases.text(file)}"


def _log_line(line: str, redact: Redact, aliases: Aliases | None) -> str:
    """Return a line of a log; one that is JSON is taken apart, because it may write letters as escapes."""
    if aliases is not None:
        try:
            said = json.loads(line)
        except ValueError:
            line = aliases.text(line)
        else:
            aliases.learn_from(said)
            line = json.dumps(aliases.document(said))
    return redact(line)


def _sentences(content: Any, aliases: Aliases) -> Any:
    """Return a document whose messages hold no quoted name either that is nowhere else."""
    if isinstance(content, Mapping):
        return {
            name: aliases.sentence(value)
            if name in {"message", "because", "next", "error"} and isinstance(value, str)
            else _sentences(value, aliases)
            for name, value in content.items()
        }
    return [_sentences(each, aliases) for each in content] if isinstance(content, list) else content


def _quoting(content: Any, aliases: Aliases) -> Any:
    """Return a document whose texts quote what is at fault, without what they quote."""
    if isinstance(content, Mapping):
        return {name: _quoting(value, aliases) for name, value in content.items()}
    if isinstance(content, list):
        return [_quoting(each, aliases) for each in content]
    if not isinstance(content, str):
        return content
    return re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", aliases.text(content))


def _redacted(content: Any, redact: Redact) -> Any:
    if isinstance(content, Mapping):
        return {name: _redacted(value, redact) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_redacted(each, redact) for each in content]
    return redact(content) if isinstance(content, str) else content


def _clean(text: str, redact: Redact, aliases: Aliases | None) -> str:
    return redact(text if aliases is None else aliases.sentence(text))


def _told(error: Exception) -> str:
    if isinstance(error, ConnectorError):
        return error.message
    return str(getattr(error, "strerror", None) or error)
