"""A zip for a ticket. Each part is gathered by itself, so that one at fault keeps out only itself."""

import io
import json
import re
import secrets
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from connector import __version__
from connector.errors import CommandFault, ConnectorError
from connector.planning.aliases import Aliases
from connector.reports.document import json_text
from connector.runs.bundle.aliases import alias_key, aliased_map, learn_map, owners_alone
from connector.runs.bundle.settings import secrets_of
from connector.runs.bundle.sources import (
    MOST_PLANS,
    MOST_RUNS,
    SOURCES,
    Gathered,
    Member,
    Places,
    Request,
    users_of,
)
from connector.runs.bundle.text import NoText
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
logs/               the ends of the last logs; what they are called is in logs.json
manifest.json       what is here, and what is not and why

{names}
"""
_ALIASED = """\
Names of tenants, companies, agreements, users, hosts and files, ids and serial numbers are replaced by
aliases: the same name has the same alias in every bundle of this installation. Comments of mappings.yaml
and logs are free text: look through them before this leaves the house."""
_NAMED = "It names customers and users. Make one without: connector support-bundle FILE --anonymous"


Redact = Callable[[str], str]
_USER_INFO = re.compile(r"://[^\s/@\"'<>]{1,300}@")
"""User and password of a URL, such as that of a proxy."""


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
        except (ConnectorError, OSError, ValueError, RecursionError) as error:
            found.faults.append(_told(error))
    redacts = Redactor(secrets_of(surroundings, environment, places.folder))
    redact = cache(lambda text: _USER_INFO.sub("://***@", redacts(text)))  # a text comes a thousand times
    aliases = _aliases(places, found) if anonymous else None
    members = [packed for member in found.members if (packed := _packed(member, redact, aliases, found))]
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
    partial = target.with_name(f".{secrets.token_hex(8)}.part")  # of ours alone, wherever it stands
    try:
        if target.exists():
            raise CommandFault(
                f"{target} exists already.", "Name a file that does not: a bundle replaces nothing."
            )
        try:
            with open(partial, "xb", opener=owners_alone) as opened:
                opened.write(file.getvalue())
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
    _learn_documents(aliases, found)
    for sort, name in users_of(places.who):
        aliases.learn(sort, name)
    return aliases


def _learn_documents(aliases: Aliases, found: Gathered) -> None:
    for member in tuple(found.members):
        if member.kind != "document":
            continue
        try:
            aliases.learn_from(member.content)
        except RecursionError:
            found.members.remove(member)
            found.faults.append(f"{member.name} was left out: it is nested too deep")


def _packed(member: Member, redact: Redact, aliases: Aliases | None, found: Gathered) -> Packed | None:
    """Return a member fit to leave the house, or None and a fault: none keeps the others out."""
    try:
        if member.kind == "map":
            text = redact(_map_text(member.content, aliases))
        elif member.kind == "log":
            lines = member.content.splitlines()
            text = "\n".join(_log_line(line, redact, aliases) for line in lines)
        else:
            content = member.content
            if aliases is not None:
                content = (
                    _quoting(content, aliases) if member.kind == "quoting" else aliases.document(content)
                )
                content = _sentences(content, aliases)
            text = json_text(_redacted(content, redact))
        return Packed(member.name, text.encode("utf-8", "replace"))
    except NoText as reason:
        found.faults.append(f"{member.name} was left out: {reason}")
    except Exception as error:  # noqa: BLE001  (whatever it is, a ticket is made of the rest; its words may hold names)
        found.faults.append(f"{member.name} was left out: it could not be packed ({type(error).__name__})")
    return None


def _map_text(text: str, aliases: Aliases | None) -> str:
    """Return mappings.yaml, anonymous where asked for; raises NoText where nobody knows its names."""
    if aliases is None:
        return text
    if not learn_map(aliases, text):
        raise NoText("it is no YAML, or no mapping of keys, so nobody knows which words are names")
    try:
        return aliased_map(aliases, text)
    except yaml.YAMLError:
        raise NoText("with aliases it would be no YAML") from None


def _log_line(line: str, redact: Redact, aliases: Aliases | None) -> str:
    """Return a line of a log; one that is JSON is taken apart, because it may write letters as escapes."""
    if aliases is not None:
        try:
            said = json.loads(line)
            aliases.learn_from(said)
            line = json.dumps(aliases.document(said, foreign=True))
        except (ValueError, RecursionError):
            line = aliases.text(line)
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
