"""What mappings.yaml may say, and what it then means."""

from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import SettingsFault
from connector.mappings import load_mappings, parse_mappings
from connector.model import (
    Defaults,
    GuardLimits,
    Mappings,
    ProductEntry,
    ProductException,
    TenantEntry,
)

ACCEPTED = Path(__file__).parent / "accepted"


def said(text: str) -> Mappings:
    return parse_mappings(f"version: 1\n{text}".encode(), "mappings.yaml")


def test_the_file_of_the_contract_says_what_its_comments_say() -> None:
    assert load_mappings(ACCEPTED / "contract.yaml") == Mappings(
        products={
            "CIXA-MSP": ProductEntry(name="Sophos Endpoint - User", item="SOPHOS-ENDPOINT"),
            "CPHISH-MSP": ProductEntry(sync=False),
        },
        tenants={
            "223c98b5-d39e-4c60-afde-892a53de496c": TenantEntry(
                name="Alder Dental Group",
                company="AlderDental",
                agreement="Managed Security",
                products={
                    "CIXA-MSP": ProductException(item="ALDER-EDR"),
                    "CDE-MSP": ProductException(sync=False),
                },
            )
        },
        firewalls={"X11001JYCGB4J30": "223c98b5-d39e-4c60-afde-892a53de496c"},
    )


def test_every_key_can_be_said() -> None:
    assert load_mappings(ACCEPTED / "everything_said.yaml") == Mappings(
        defaults=Defaults(absent="end", effective="next_invoice", adopt="never", mark=False),
        guards=GuardLimits(
            removals=Decimal(1),
            decrease=Decimal("0.05"),
            at_least=0,
            increase_factor=Decimal(25),
            increase_units=Decimal("7.5"),
        ),
        products={
            "CIXA-MSP": ProductEntry(
                name="3 Endpoint",
                item=48,
                per=3,
                rounding="down",
                aggregate="max",
                minimum=Decimal("7.5"),
            ),
            "1E5": ProductEntry(name="365", item="48"),
            "0123": ProductEntry(name="2.50", item=123),
            "MDR": ProductEntry(item="NO"),
            "NDR": ProductEntry(item="yes"),
        },
        tenants={
            "223c98b5-d39e-4c60-afde-892a53de496c": TenantEntry(
                name="Alder Dental Group",
                company=19,
                agreement='Managed "Security"',
                sync=False,
                products={
                    "CIXA-MSP": ProductException(item=49, agreement=118, sync=True, minimum=Decimal(0)),
                    "1E5": ProductException(agreement="Workplace"),
                },
            )
        },
        firewalls={
            "X11001JYCGB4J30": "223c98b5-d39e-4c60-afde-892a53de496c",
            "4010020030": "223c98b5-d39e-4c60-afde-892a53de496c",
        },
    )


def test_what_is_left_empty_is_off_or_left_for_resolving_to_report() -> None:
    mappings = load_mappings(ACCEPTED / "nothing_said.yaml")

    assert mappings == Mappings(
        products={"CIXA-MSP": ProductEntry(), "CDE-MSP": ProductEntry(), "MDR": ProductEntry()},
        tenants={"223c98b5": TenantEntry(), "5f2a11aa": TenantEntry(), "77aa31bc": TenantEntry()},
    )
    assert not any(product.on for product in mappings.products.values())


def test_only_the_version_is_required() -> None:
    assert said("") == Mappings()


def test_what_looks_like_a_truth_a_time_or_a_number_of_another_age_is_text() -> None:
    mappings = load_mappings(ACCEPTED / "looks_like_something_else.yaml")

    items = {code: entry.item for code, entry in mappings.products.items()}
    assert items == {
        "NO": "NO",
        "Yes": "yes",
        "on": "off",
        "null": "true",
        "n": "y",
        "A": "12:30:00",
        "B": "190:20:30",
        "C": "1.2.3",
        "D": "0x1F",
        "E": "3M",
        "F": "-",
        "G": "+",
        "H": ".",
        "I": "Über & Söhne €",
        "J": "1e",
        "K": "12",
        "L": 12,
        "M": "13",
        "N": "it's #1",
        "O": "~x",
    }


@pytest.mark.parametrize("text", ["0x1F", "0o17", "1_000", "2026-10-01", "2026-10-01T00:00:00Z", "+-1"])
def test_only_decimal_digits_make_a_number(text: str) -> None:
    assert said(f"products: {{A: {{item: {text}}}}}").products["A"].item == text


@pytest.mark.parametrize(
    ("text", "item"), [("12", 12), ("+12", 12), ("0012", 12), ('"12"', "12"), ("'12'", "12")]
)
def test_a_whole_number_is_an_id_and_quotes_make_it_a_name(text: str, item: int | str) -> None:
    assert said(f"products: {{A: {{item: {text}}}}}").products["A"].item == item


def test_a_file_from_windows_reads_like_any_other() -> None:
    mappings = load_mappings(ACCEPTED / "from_windows.yaml")

    assert mappings.products == {"CIXA": ProductEntry(name="Sophos Endpoint", item="SOPHOS- ENDPOINT")}


def test_keys_are_what_was_typed_even_where_they_look_like_numbers() -> None:
    mappings = said(
        "products: {1.50: , 0x1F: , 1e3: , 007: , true: , 2026-10-01: }\nfirewalls: {0042: t, 1E3: u}"
    )

    assert list(mappings.products) == ["1.50", "0x1F", "1e3", "007", "true", "2026-10-01"]
    assert mappings.firewalls == {"0042": "t", "1E3": "u"}


def test_product_codes_are_trimmed_and_differ_by_case() -> None:
    assert list(said("products: {' CIXA ': , cixa: }").products) == ["CIXA", "cixa"]


def test_a_firewall_may_belong_to_a_tenant_without_an_entry() -> None:
    assert said("firewalls: {x11: ABC}").firewalls == {"X11": "ABC"}
    upper = "223C98B5-D39E-4C60-AFDE-892A53DE496C"
    assert said(f"firewalls: {{x11: {upper}}}").firewalls == {"X11": upper.lower()}


@pytest.mark.parametrize(
    "text", ["0.1", "0.30", "1", "0", "0.10000000000000000000000000000000001", "3e-1", "-0.0"]
)
def test_a_share_is_exactly_what_was_typed(text: str) -> None:
    share = said(f"guards: {{removals: {text}}}").guards.removals

    assert type(share) is Decimal
    assert str(share) == str(Decimal(text).copy_abs())


def test_an_anchor_that_nothing_refers_to_does_no_harm() -> None:
    assert said("products: &all {A: &one {item: &two B}}").products == {"A": ProductEntry(item="B")}


@pytest.mark.parametrize("text", ["!!float 1", "!!float 1.0", '!!float "1"'])
def test_tags_of_the_core_schema_are_understood(text: str) -> None:
    assert said(
        f"guards: !!map {{removals: {text}, at_least: !!int 3}}\nproducts: !!null"
    ).guards == GuardLimits(removals=Decimal(1), at_least=3)


def test_a_missing_file_is_named_with_its_whole_path_and_the_way_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsFault) as caught:
        load_mappings(Path("conf/mappings.yaml"), "CONNECTOR_MAPPINGS in .env")

    place = tmp_path / "conf" / "mappings.yaml"
    assert caught.value.message == f"There is no mappings file at {place} (from CONNECTOR_MAPPINGS in .env)."
    assert "--mappings PATH" in caught.value.next_step
    assert "connector demo" in caught.value.next_step
    assert caught.value.exit_code == 2


def test_what_cannot_be_read_as_a_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in [
        (tmp_path, str(tmp_path)),
        (tmp_path / "file" / "x", "x"),
        (Path("a\0b"), "a\\x00b"),
    ]:
        with pytest.raises(SettingsFault) as caught:
            load_mappings(path)
        assert caught.value.message.startswith("The mappings file ")
        assert f"{reason} cannot be read: " in caught.value.message
