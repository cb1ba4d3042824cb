"""The JSON Schema that editors complete and check with is the shape that the loader accepts."""

from typing import Any, cast

import pytest

from connector.errors import MappingsFault
from connector.mappings import mappings_schema, parse_mappings
from connector.mappings.shape import allowed_keys

SCHEMA = cast("dict[str, Any]", mappings_schema())
SHAPES = SCHEMA["$defs"]
OBJECTS = {"MappingsShape": SCHEMA, **SHAPES}
PATHS = {
    "MappingsShape": (),
    "DefaultsShape": ("defaults",),
    "GuardsShape": ("guards",),
    "ProductShape": ("products", "A"),
    "TenantShape": ("tenants", "t"),
    "ExceptionShape": ("tenants", "t", "products", "A"),
    "PricingShape": ("defaults", "pricing"),
    "ImportShape": ("import",),
    "ColumnsShape": ("import", "columns"),
    "ScheduleShape": ("schedule",),
    "UnattendedShape": ("unattended",),
    "AllowanceShape": ("unattended", "increase"),
    "NotifyShape": ("notify",),
    "TicketShape": ("notify", "ticket"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_is_closed_and_every_key_is_explained(name: str) -> None:
    shape = OBJECTS[name]

    assert shape["additionalProperties"] is False
    assert shape["description"]
    assert tuple(shape["properties"]) == allowed_keys(PATHS[name])
    for key, published in shape["properties"].items():
        assert published["description"], key


def test_rounding_needs_something_to_round() -> None:
    assert SHAPES["ProductShape"]["dependentRequired"] == {"round": ["per"]}
    assert SHAPES["ProductShape"]["properties"]["per"]["minimum"] == 1


def test_only_the_version_is_required() -> None:
    assert SCHEMA["required"] == ["version"]
    assert {name: shape["required"] for name, shape in SHAPES.items() if "required" in shape} == {
        "TicketShape": ["company"]
    }


def test_how_far_a_quantity_may_move_is_true_false_or_a_mapping() -> None:
    increase = SHAPES["UnattendedShape"]["properties"]["increase"]
    assert increase["anyOf"] == [{"$ref": "#/$defs/AllowanceShape"}, {"type": "boolean"}]
    assert increase["default"] is True


def test_defaults_are_published_as_they_would_be_written() -> None:
    properties = SHAPES["GuardsShape"]["properties"]
    guards = {key: published["default"] for key, published in properties.items() if "default" in published}

    assert guards == {
        "removals": 0.3,
        "decrease": 0.5,
        "at_least": 10,
        "increase_factor": 10,
        "increase_units": 50,
    }
    assert SHAPES["DefaultsShape"]["properties"]["absent"]["default"] == "zero"
    assert "default" not in SHAPES["ExceptionShape"]["properties"]["item"]


@pytest.mark.parametrize(("section", "name"), [("defaults", "DefaultsShape"), ("guards", "GuardsShape")])
def test_the_loader_accepts_every_choice_and_every_bound_that_the_schema_names(
    section: str, name: str
) -> None:
    for key, published in SHAPES[name]["properties"].items():
        if key in {"pricing", "money"}:  # no choice and no bound: accepted/prices.yaml has them
            continue
        values = published.get("enum") or (
            ["true", "false"]
            if published["type"] == "boolean"
            else [published["minimum"], published["maximum"]]
        )
        for value in values:
            parse_mappings(f"version: 1\n{section}: {{{key}: {value}}}".encode(), "mappings.yaml")
        with pytest.raises(MappingsFault):
            parse_mappings(f"version: 1\n{section}: {{{key}: -1}}".encode(), "mappings.yaml")
