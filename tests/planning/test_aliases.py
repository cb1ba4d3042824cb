"""Names give way to aliases, in documents and in free text, and nothing else does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.planning.aliases import Aliases, Sort

KEY = b"k" * 32
ALDER_ID = "223c98b5-d39e-4c60-afde-892a53de496c"


@pytest.fixture
def aliases() -> Aliases:
    return Aliases(KEY)


def test_one_name_has_one_alias_in_any_case_and_under_one_key_alone(aliases: Aliases) -> None:
    alias = aliases.learn("tenant", "Alder Dental")

    assert re.fullmatch(r"tenant-[0-9a-f]{10}", alias)
    assert Aliases(KEY).learn("tenant", " ALDER dental ") == alias
    assert Aliases(b"another").learn("tenant", "Alder Dental") != alias
    assert aliases.learn("company", "alder dental") == alias


def test_nothing_is_no_name(aliases: Aliases) -> None:
    assert (aliases.learn("tenant", None), aliases.learn("tenant", "  ")) == ("", "")
    aliases.learn_tenant_id(None)
    assert aliases.text("nothing at all") == "nothing at all"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Alder", "Alder's bill, of ALDER; (alder)"),
        ("Birch & Söhne", "for BIRCH & SÖHNE: 5"),
        ("@Home Ltd", "to @Home Ltd."),
        ("株式会社アルダー", "請求先は株式会社アルダーです"),
        ("X1A7", "serial x1a7, twice X1A7"),
        ("A+", "the A+ plan"),
    ],
)
def test_a_name_is_replaced_wherever_it_stands(aliases: Aliases, name: str, text: str) -> None:
    alias = aliases.learn("tenant", name)

    shown = aliases.text(text)

    assert alias in shown
    assert name.casefold() not in shown.casefold()


def test_longer_words_and_numbers_are_no_names(aliases: Aliases) -> None:
    aliases.learn("tenant", "Alder")
    aliases.learn("company", "43")
    aliases.learn("company", "!!")
    aliases.learn("company", "Alder D")

    text = "AlderDental and Alderman bill 43!!"
    assert aliases.text(text) == text
    assert aliases.text("Alder Dental").endswith(" Dental")
    assert aliases.document({"company": "43"}) == {"company": aliases.learn("company", "43")}


def test_the_longest_name_wins(aliases: Aliases) -> None:
    aliases.learn("tenant", "Alder")
    longer = aliases.learn("tenant", "Alder Dental")

    assert aliases.text("Alder Dental pays") == f"{longer} pays"


def test_a_tenants_id_is_known_by_its_first_eight_letters_too(aliases: Aliases) -> None:
    aliases.learn_tenant_id(ALDER_ID)

    alias = aliases.learn("id", ALDER_ID)
    assert aliases.text(f"({ALDER_ID[:8]}) is {ALDER_ID}") == f"({alias}) is {alias}"


@pytest.mark.parametrize(
    "text",
    [
        "96e1d3a8-54f7-4b20-a9c6-3f7b80d2e415",
        "ada.quill@alder-dental.example",
        "/home/ada/connector/state",
        r"C:\Users\ada\state",
        r"\\server\share\ada",
    ],
)
def test_what_looks_like_an_id_an_address_or_a_path_is_replaced_unknown(aliases: Aliases, text: str) -> None:
    shown = aliases.text(f"see {text}, please")

    assert re.fullmatch(r"see (id|mail|path)-[0-9a-f]{10}, please", shown)


@pytest.mark.parametrize("text", ["and/or", "https://api.example/apis/3.0", "12/10 of 3/4", "a: /"])
def test_what_is_no_path_stays(aliases: Aliases, text: str) -> None:
    assert aliases.text(text) == text


def test_fields_and_our_own_sentences_make_names_known(aliases: Aliases) -> None:
    aliases.learn_from(
        {
            "tenant_id": ALDER_ID,
            "changes": [{"company": "AlderDental", "agreement": "Rundum", "serials": ["X1A7"], "after": "3"}],
            "message": (
                'SOPHOS-ENDPOINT on "Gold" (118) of BirchLegal: people made addition 9; '
                'agreement "Silver" (3) is over; company "CedarCo" is gone'
            ),
            "warning": "agreement 'x' is not among those of company ElmFoundry",
            "renamed": 'item "A" is called "B-Ware" in ConnectWise now',
            "kind": "update",
            "count": 3,
        }
    )

    shown = aliases.text("AlderDental Rundum X1A7 Gold BirchLegal Silver CedarCo ElmFoundry B-Ware update")

    assert re.fullmatch(r"(?:(?:company|agreement|serial|name)-[0-9a-f]{10} ){9}update", shown)


def test_our_own_words_and_numbers_of_a_document_stay(aliases: Aliases) -> None:
    aliases.learn("tenant", "update")
    document = {"kind": "update", "after": "43", "count": 43, "held": None, "list": ("update",)}

    assert aliases.document(document) == {**document, "list": [aliases.learn("tenant", "update")]}


def test_what_a_message_quotes_is_a_name_unless_it_is_a_product(aliases: Aliases) -> None:
    aliases.keep(["SOPHOS-ENDPOINT"])
    aliases.learn("tenant", "Alder")

    shown = aliases.sentence('"SOPHOS-ENDPOINT" of "Alder" and "Nobody Knows"')

    assert re.fullmatch(r'"SOPHOS-ENDPOINT" of "tenant-[0-9a-f]{10}" and "name-[0-9a-f]{10}"', shown)


@given(
    st.text(min_size=3).filter(lambda text: re.search(r"[^\W\d]{2}", text)),
    st.sampled_from(["tenant", "company"]),
)
def test_no_known_name_survives_between_blanks(name: str, sort: Sort) -> None:
    aliases = Aliases(KEY)
    alias = aliases.learn(sort, name)

    assert aliases.text(f"x {name.strip()} x") == f"x {alias} x"
