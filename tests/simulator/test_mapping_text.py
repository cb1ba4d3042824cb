"""The mappings.yaml that is written for a world, and the one in this repository."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.simulator import World, generated_world, mappings_text, small_world
from connector.simulator.mapping_text import Exceptional, ProductDecision, TenantDecision, yaml_text

ROOT = Path(__file__).parents[2]


def read(text: str) -> Any:
    return yaml.safe_load(text)


def read_as_yaml_1_2(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def meant(world: World) -> dict[str, Any]:
    """What the world's decisions are in the words of the contract."""

    def said(**words: object) -> dict[str, object]:
        return {name: value for name, value in words.items() if value not in (None, {})}

    decisions = world.decisions
    return {
        "products": {
            code: said(name=it.name, item=it.item, sync=it.sync) for code, it in decisions.products.items()
        },
        "tenants": {
            tenant: said(
                name=it.name,
                company=it.company,
                agreement=it.agreement,
                sync=it.sync,
                products={
                    code: said(item=e.item, agreement=e.agreement, sync=e.sync)
                    for code, e in it.products.items()
                },
            )
            for tenant, it in decisions.tenants.items()
        },
        **({"firewalls": decisions.firewalls} if decisions.firewalls else {}),
    }


def test_the_file_in_this_repository_is_the_demo_s() -> None:
    text = (ROOT / "mappings.yaml").read_bytes()
    assert text == mappings_text(small_world()).encode()
    assert b"\r" not in text


@pytest.mark.parametrize("world", [small_world(), generated_world(25, seed=3)], ids=["small", "generated"])
def test_the_text_means_what_the_world_decided(world: World) -> None:
    text = mappings_text(world)
    for reader in (read, read_as_yaml_1_2):
        found = reader(text)
        assert {name: found[name] for name in meant(world)} == meant(world)
        assert found["version"] == 1
        assert not set(found) - {"version", "defaults", "guards", "products", "tenants", "firewalls"}


def test_the_defaults_are_written_out() -> None:
    found = read(mappings_text(small_world()))
    assert found["defaults"] == {"absent": "zero", "effective": "period_start", "adopt": "ask", "mark": True}
    assert found["guards"] == {
        "removals": 0.30,
        "decrease": 0.50,
        "at_least": 10,
        "increase_factor": 10,
        "increase_units": 50,
    }


def test_every_reference_of_the_small_world_finds_its_record() -> None:
    world = small_world()
    companies = {company.identifier: company.id for company in world.companies.values()}
    items = {item.identifier for item in world.items.values()} | set(world.items)
    for product in world.decisions.products.values():
        assert product.item in items or product.sync is False
    for tenant in world.decisions.tenants.values():
        agreements = [
            it for it in world.agreements.values() if it.company_id == companies[str(tenant.company)]
        ]
        assert tenant.agreement in {it.name for it in agreements} | {it.id for it in agreements}
        assert all(exception.item in items for exception in tenant.products.values())


def test_what_the_small_world_leaves_undecided() -> None:
    world = small_world()
    used = {row.product.code for rows in world.usage.values() for row in rows}
    assert used - set(world.decisions.products) == {"NDR-MSP"}
    billed = {tenant.id for tenant in world.tenants.values() if tenant.billing_type == "usage"}
    assert [world.tenants[it].name for it in billed - set(world.decisions.tenants)] == ["Kapok Studios"]
    assert [code for code, it in world.decisions.products.items() if it.sync is False] == ["CPHISH-MSP"]
    assert [it.name for it in world.decisions.tenants.values() if it.sync is False] == [
        "Juniper Schools Trust"
    ]


def test_names_that_yaml_could_misread_are_quoted() -> None:
    world = World()
    world.decisions.products = {"1e3": ProductDecision("yes", "4711"), "NO": ProductDecision("on", 4711)}
    exception = {"0x1F": Exceptional(item="a, b", agreement="{x}", sync=True)}
    world.decisions.tenants = {
        "12e03": TenantDecision("# no comment", "null", "2026-10-01", products=exception),
    }
    world.decisions.firewalls = {"00123": "12e03"}
    text = mappings_text(world)
    for reader in (read, read_as_yaml_1_2):
        found = reader(text)
        assert {name: found[name] for name in meant(world)} == meant(world)


def test_a_world_without_decisions_has_a_file_too() -> None:
    assert read(mappings_text(World()))["tenants"] == {}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn", "Zl", "Zp"]), min_size=1))
def test_any_text_survives_both_readers(text: str) -> None:
    for document in (f"key: {yaml_text(text)}\n", f"{{key: {yaml_text(text)}}}\n"):
        assert read(document) == {"key": text}
        assert read_as_yaml_1_2(document) == {"key": text}
