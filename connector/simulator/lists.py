"""ConnectWise lists: shapes of records, fields, order, paging and `Link` (connectwise-api.md, section 2)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Response, request

from .conditions import ConditionError, Lookup, Path, Test, parse
from .connectwise_answers import BadRequestError, connectwise_json
from .world import World

R = TypeVar("R")
LARGEST_PAGE = 1000
USUAL_PAGE = 25
_AS_THEY_COME = {"id", "id asc"}


class Shape(Generic[R]):
    """How one kind of record is written out: each property, and how to get it."""

    def __init__(
        self,
        name: str,
        properties: Mapping[str, Callable[[R], Any]],
        filterable: Mapping[str, Callable[[R], Any]] | None = None,
        child: str | None = None,
        below: Mapping[Path, Callable[[R], Any]] | None = None,
    ) -> None:
        self.name = name
        self.properties = properties
        self.child = child
        """The array that `childConditions` are about."""
        # Some properties can be filtered by although they are not at the top of the answer.
        self._by_folded_name = {key.casefold(): (key, get) for key, get in properties.items()}
        self._by_folded_name |= {key.casefold(): (key, get) for key, get in (filterable or {}).items()}
        # What thousands of records are filtered by is had without writing a reference out for each.
        self._getters: dict[Path, Callable[[R], Any]] = dict(below or {})
        self._chosen: dict[str, dict[str, list[str]]] = {}

    def written(self, record: R, fields: str | None = None) -> dict[str, Any]:
        """Write out a record, whole or as `fields` asks; what is null is left out (section 6.1)."""
        if fields is None:
            return _without_nulls((name, get(record)) for name, get in self.properties.items())
        if fields.strip() == "*":
            return {"id": self.properties["id"](record)}  # so since 2018.4 (section 2)
        if fields not in self._chosen:
            self._chosen[fields] = self._choice(fields)
        return _without_nulls(
            (name, _part(self.properties[name](record), below))
            for name, below in self._chosen[fields].items()
        )

    def _choice(self, fields: str) -> dict[str, list[str]]:
        """Return the properties that `fields` names, and the paths below each."""
        chosen: dict[str, list[str]] = {}
        for path in fields.split(","):
            top, _, below = path.strip().partition("/")
            name, _ = self._by_folded_name.get(top.casefold(), ("", None))
            if name in self.properties:
                chosen.setdefault(name, []).append(below.casefold())
        return chosen

    def value(self, record: R, path: Path) -> Any:
        """Return what a condition or an order means by a path; names in any case."""
        if path not in self._getters:
            self._getters[path] = self._getter(path)
        return self._getters[path](record)

    def _getter(self, path: Path) -> Callable[[R], Any]:
        if path[0].casefold() not in self._by_folded_name:
            raise ConditionError(f"{self.name} has no property {path[0]!r}")
        top, get = self._by_folded_name[path[0].casefold()]
        return get if len(path) == 1 else lambda record: _below(top, get(record), path)


def count_answer(world: World, shape: Shape[R], records: Sequence[R]) -> Response:
    """Answer `{"count": n}` of what the conditions leave."""
    return connectwise_json({"count": len(matching(world, shape, records))})


def list_answer(world: World, shape: Shape[R], records: Sequence[R]) -> Response:
    """Answer one page of records, which come by id, as a bare array in either paging mode."""
    found = matching(world, shape, records)
    size = page_size(world)
    fields = request.args.get("fields")
    link: str | None
    if request.headers.get("pagination-type", "").casefold() == "forward-only":
        page, link = _forward_page(shape, found, size)
    else:
        page, link = _numbered_page(_ordered(world, shape, found), size)
    response = connectwise_json([shape.written(record, fields) for record in page])
    if link is not None:
        response.headers["Link"] = link
    return response


def matching(world: World, shape: Shape[R], records: Sequence[R]) -> Sequence[R]:
    """Return the records that the conditions of the query leave."""
    text = request.args.get("conditions", "").strip()
    if text:
        for refused in world.refused_conditions:
            if refused.casefold() in text.casefold():
                raise BadRequestError(f"{refused} cannot be used in conditions")
        test = parse(text)
        records = [record for record in records if test(partial(shape.value, record))]
    for parameter, array in (("childConditions", shape.child), ("customFieldConditions", "customFields")):
        text = request.args.get(parameter, "").strip()
        if text and array is not None and array in shape.properties:
            # Child paths begin with the array's name; those of custom fields do not.
            prefix = array if parameter == "childConditions" else None
            child_test = parse(text, lists_allowed=False)
            elements = shape.properties[array]
            records = [it for it in records if _any_matches(elements(it) or (), prefix, child_test)]
    return records


def page_size(world: World) -> int:
    """Read `pageSize`: 25 unless asked, 1000 at most; what happens above is a switch (section 11)."""
    size = _number("pageSize", USUAL_PAGE)
    if size > LARGEST_PAGE and world.oversize_pages_refused:
        raise BadRequestError("pageSize must not be above 1000")
    return min(size, LARGEST_PAGE)


def page_number() -> int:
    """Read `page`, from 1."""
    return _number("page", 1)


def own_url() -> str:
    """Return this server's own view of the API's base: it names the current code base (section 2)."""
    codebase = request.environ.get("simulator.codebase", "v4_6_release")
    return f"{request.host_url}{codebase}/apis/3.0"


def _number(name: str, usual: int) -> int:
    text = request.args.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise BadRequestError(f"{name} must be a positive number")
    return int(text)


def _ordered(world: World, shape: Shape[R], records: Sequence[R]) -> Sequence[R]:
    """Sort as `orderBy` says; without it the order is not promised, and a switch shuffles it."""
    text = request.args.get("orderBy", "").strip()
    if not text and (world.shuffle_unordered or request.environ.get("simulator.shuffle")):
        records = list(records)
        world.chance.shuffle(records)
    if not text or text.casefold() in _AS_THEY_COME:
        return records
    for part in reversed(text.split(",")):
        name, _, direction = part.strip().partition(" ")
        if direction.strip().casefold() not in {"", "asc", "desc"}:
            raise BadRequestError(f"orderBy {part!r} cannot be read")
        path = tuple(name.split("/"))
        descending = direction.strip().casefold() == "desc"
        records = sorted(records, key=partial(_sort_key, shape, path), reverse=descending)
    return records


def _sort_key(shape: Shape[R], path: Path, record: R) -> tuple[bool, Any]:
    value = shape.value(record, path)
    if isinstance(value, dict | list):
        raise BadRequestError(f"cannot sort by {'/'.join(path)}")
    # Null sorts first, as on SQL Server, and text without regard to case.
    return (value is not None, value.casefold() if isinstance(value, str) else value or 0)


def _numbered_page(records: Sequence[R], size: int) -> tuple[Sequence[R], str | None]:
    page = page_number()
    last = max(1, -(-len(records) // size))
    relations = {"first": 1} if page > 1 else {}
    if page > 1:
        relations["prev"] = page - 1
    if page < last:
        relations |= {"next": page + 1, "last": last}
    links = [_link(rel, page=str(number), pageSize=str(size)) for rel, number in relations.items()]
    return records[(page - 1) * size : page * size], ", ".join(links) or None


def _forward_page(shape: Shape[R], records: Sequence[R], size: int) -> tuple[Sequence[R], str]:
    """Return the records after `pageId`, by id: `page` is ignored and `orderBy` refused (section 2)."""
    if request.args.get("orderBy"):
        raise BadRequestError("orderBy cannot be used with forward-only pagination")
    after = request.args.get("pageId", "0")
    if not re.fullmatch(r"[0-9]{1,9}", after):
        raise BadRequestError("pageId must be a number")
    identify = shape.properties["id"]
    rest = sorted((record for record in records if identify(record) > int(after)), key=identify)
    page = rest[:size]
    # At the end the header is there and empty, as one client observed.
    if len(rest) <= size:
        return page, ""
    return page, _link("next", pageId=str(identify(page[-1])), pageSize=str(size))


def _link(relation: str, **changed: str) -> str:
    path = request.environ.get("simulator.route", request.path)
    query = {name: value for name, value in request.args.items() if name not in {"page", "pageId"}}
    return f'<{own_url()}{path}?{urlencode(query | changed)}>; rel="{relation}"'


def _any_matches(elements: Sequence[Mapping[str, Any]], prefix: str | None, test: Test) -> bool:
    """Return whether one element of an array passes the test."""

    def lookup_in(element: Mapping[str, Any]) -> Lookup:
        folded = {name.casefold(): value for name, value in element.items()}

        def lookup(path: Path) -> Any:
            if prefix is not None and path[0].casefold() != prefix.casefold():
                raise ConditionError(f"no array {path[0]!r}")
            names = path[1:] if prefix is not None else path
            if len(names) != 1:
                raise ConditionError(f"{'/'.join(path)!r} is no path")
            return folded.get(names[0].casefold())

        return lookup

    return any(test(lookup_in(element)) for element in elements)


def _below(top: str, value: Any, path: Path) -> Any:
    """Return what a path names within the value of the property at its top."""
    for name in path[1:]:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ConditionError(f"{'/'.join(path)!r} is no path")
        # Mostly it is written as the record has it, so nothing is folded for each record.
        known = name if name in value else _as_written(value, name)
        if known is None:
            raise ConditionError(f"{top} has no property {name!r}")
        value = value[known]
    return value


def _as_written(names: Iterable[str], name: str) -> str | None:
    return next((known for known in names if known.casefold() == name.casefold()), None)


def _part(value: Any, below: list[str]) -> Any:
    """Keep of a reference what the paths below it name; its `_info` stays (section 2)."""
    if "" in below or not isinstance(value, dict):
        return value
    wanted = {path.partition("/")[0] for path in below}
    return {name: inner for name, inner in value.items() if name.casefold() in wanted or name == "_info"}


def _without_nulls(pairs: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if value is not None}
