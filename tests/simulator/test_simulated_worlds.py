"""The two worlds that come with the simulator, and the words in which a test changes one."""

from collections import Counter
from dataclasses import asdict
from datetime import date
from decimal import Decimal

from connector.simulator import World, generated_world, mappings_text, small_world

ALDER, ELM = "223c98b5-d39e-4c60-afde-892a53de496c", "aed9a6a2-22c5-4840-a1b5-150677a31aa3"
SEPTEMBER, OCTOBER = (2026, 9), (2026, 10)


def totals(world: World, period: tuple[int, int]) -> Counter[tuple[str | None, str]]:
    """Units by tenant (or serial) and product."""
    found: Counter[tuple[str | None, str]] = Counter()
    for row in world.usage[period]:
        found[row.account_id or row.external_id or row.serial_or_account, row.product.code] += row.quantity
    return found


def test_the_small_world_repeats_itself() -> None:
    first, second = small_world(), small_world()
    assert [asdict(row) for row in first.usage[OCTOBER]] == [asdict(row) for row in second.usage[OCTOBER]]
    assert first.additions.data == second.additions.data
    assert first.tenants == second.tenants


def test_what_changes_from_september_to_october() -> None:
    world = small_world()
    before, after = totals(world, SEPTEMBER), totals(world, OCTOBER)
    changed = {key: (before[key], after[key]) for key in before | after if before[key] != after[key]}
    names = {tenant.id: tenant.name.split(" ", maxsplit=1)[0] for tenant in world.tenants.values()}
    assert {(names.get(who or "", who), code): change for (who, code), change in changed.items()} == {
        ("Bäckerei", "CIXA-MSP"): (35, 37),
        ("Birch", "CIXAMTR-ADV-MSP"): (42, 38),
        ("Birch", "CPHISH-MSP"): (42, 38),
        ("Alder", "CDE-MSP"): (12, 0),
        ("Elm", "CEMA-MSP"): (0, 7),
        ("Kapok", "CIXA-MSP"): (5, 6),
        ("da0857f9-2f04-4d16-ae76-03781ae0ba6c", "CIXA-MSP"): (3, 0),
    }


def test_october_begins_on_its_first_day() -> None:
    world = small_world()
    firewall = world.firewalls["X1A7DEMOALDER01"]
    assert (firewall.tenant, firewall.billing_tenant, world.tenants[ELM].status) == (
        ALDER,
        ALDER,
        "suspended",
    )
    world.advance(date(2026, 10, 1))
    assert (firewall.tenant, firewall.billing_tenant, world.tenants[ELM].status) == (ALDER, ELM, "active")


def test_setting_today_is_advancing() -> None:
    world = small_world()
    world.today = date(2026, 12, 24)
    assert world.firewalls["X1A7DEMOALDER01"].billing_tenant == ELM


def test_events_happen_once_in_order_of_their_days() -> None:
    world, seen = World(today=date(2026, 1, 1)), []
    world.on(date(2026, 3, 1), lambda: seen.append("March"))
    world.on(date(2026, 2, 1), lambda: seen.append("February"))
    world.on(date(2025, 12, 1), lambda: seen.append("past"))
    assert seen == ["past"]
    world.today = date(2026, 4, 1)
    world.today = date(2026, 5, 1)
    assert seen == ["past", "February", "March"]


def test_october_s_product_is_renamed_with_the_same_code() -> None:
    world = small_world()
    renamed = world.rows("2026-10", product_code="CIXA-MSP")
    assert {row.description is not None for row in renamed} == {True}
    assert {row.description for row in world.rows("2026-09", product_code="CIXA-MSP")} == {None}


def test_the_small_world_s_catalog_and_agreements_have_their_traps() -> None:
    world = small_world()
    assert [item.identifier for item in world.items.values() if item.product_class == "Bundle"] == [
        "SECURITY-BUNDLE"
    ]
    assert [item.identifier for item in world.items.values() if item.inactive] == ["SOPHOS-LEGACY"]
    larch = world.company_named("LarchAccounting")
    of_larch = [it for it in world.agreements.values() if it.company_id == larch.id]
    assert sorted((it.name, it.status_on(world.today)) for it in of_larch) == [
        ("Managed Security", "Active"),
        ("Managed Security", "Expired"),
    ]
    by_hand = world.live_additions(item_id=world.item_named("SOPHOS-ENDPOINT").id)
    assert [it.agreement_id for it in by_hand] == [world.agreement_named("LarchAccounting").id]
    assert [it.quantity for it in by_hand] == [Decimal(12)]
    assert {it.made_by for it in world.additions.values()} == {"mbarker"}


def test_a_generated_world_repeats_itself_and_differs_by_seed() -> None:
    assert totals(generated_world(20, seed=7), OCTOBER) == totals(generated_world(20, seed=7), OCTOBER)
    assert totals(generated_world(20, seed=7), OCTOBER) != totals(generated_world(20, seed=8), OCTOBER)
    assert mappings_text(generated_world(20, seed=7)) == mappings_text(generated_world(20, seed=7))


def test_a_generated_world_is_all_mapped_and_assigned() -> None:
    world = generated_world(40, seed=7)
    assert (len(world.tenants), len(world.companies), len(world.agreements)) == (40, 40, 40)
    assert set(world.decisions.tenants) == set(world.tenants)
    assert {row.product.code for row in world.usage[OCTOBER]} <= set(world.decisions.products)
    assert all(firewall.billing_tenant in world.tenants for firewall in world.firewalls.values())
    assert len({company.identifier for company in world.companies.values()}) == 40
    assert all(len(company.identifier) <= 30 for company in world.companies.values())
    assert 6 * 40 <= len(world.usage[OCTOBER]) <= 10 * 40
    assert len(world.usage[SEPTEMBER]) == len(world.usage[OCTOBER])
    assert len(world.additions) == 20
    mapped = {decision.item for decision in world.decisions.products.values()}
    assert not any(world.items[it.item_id].identifier in mapped for it in world.additions.values())


def test_usage_is_changed_in_the_business_s_words() -> None:
    world = World(today=date(2026, 10, 28))
    tenant = world.add_tenant("Walnut Works")
    world.use("2026-10", tenant.id, "CIXA-MSP", 5)
    world.use(period="2026-10", tenant_id=tenant.id, product_code="CEMA-MSP", quantity=7)
    firewall = world.use(
        period=OCTOBER,
        tenant_id=tenant.id,
        product_code="XGS",
        quantity=1,
        serial="X1",
        account=False,
        external_id="other",
    )
    assert (firewall.account_id, firewall.external_id, firewall.serial_or_account) == (None, "other", "X1")
    world.rows("2026-10", tenant.id, "CIXA-MSP")[0].quantity = 6
    world.stop_using("2026-10", tenant.id, "CEMA-MSP")
    assert totals(world, OCTOBER) == {(tenant.id, "CIXA-MSP"): 6, ("other", "XGS"): 1}
    world.remove_tenant(tenant.id)
    assert world.use("2026-10", tenant.id, "CIXA-MSP", 1).account_id == tenant.id


def test_additions_of_an_agreement_are_found_after_any_change() -> None:
    world = small_world()
    line = world.add_addition(101, 41, Decimal("2.5"))
    assert line in world.live_additions(101)
    line.cancelled = world.today
    assert line not in world.live_additions(101)
    del world.additions[line.id]
    assert line not in world.additions.of(101)
