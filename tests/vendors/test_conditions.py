"""The conditions language: quoting, and lists that fit into a URL."""

from urllib.parse import quote_plus

import pytest

from connector.vendors.conditions import chunks, containing, equal, one_of, quoted
from connector.vendors.connectwise_choice import conditions_for


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("SOPHOS-MDR", '"SOPHOS-MDR"'),
        ("O'Neil & Sons %", '"O\'Neil & Sons %"'),
        ('19" rack', "'19\" rack'"),
        ("", '""'),
        ("Bäckerei", '"Bäckerei"'),
    ],
)
def test_text_is_put_in_the_quotes_it_does_not_hold(text: str, literal: str) -> None:
    assert quoted(text) == literal


@pytest.mark.parametrize("text", ["both \" and '", "line\nbreak", "tab\t", "\x00", "\ud800", "\x1b"])
def test_text_that_cannot_be_quoted_safely_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="condition"):
        quoted(text)


def test_text_is_looked_for_in_several_places_by_one_condition() -> None:
    assert containing(("identifier", "description"), "O'Neil") == (
        '(identifier contains "O\'Neil") or (description contains "O\'Neil")'
    )
    assert equal("identifier", '19" rack') == "identifier = '19\" rack'"


@pytest.mark.parametrize("text", ["", "a*", "50%", "[a", "a]", "a\\b", "both \" and '", "a\nb"])
def test_text_that_a_server_may_read_as_a_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="condition"):
        containing(("identifier",), text)
    with pytest.raises(ValueError, match="condition"):
        equal("identifier", text)


def test_a_list_of_values_is_one_condition() -> None:
    assert one_of("id", [3, 2, 4]) == "id in (3,2,4)"
    assert one_of("identifier", ["A", 'B"']) == 'identifier in ("A",\'B"\')'


def test_values_come_in_groups_of_at_most_150() -> None:
    groups = list(chunks(list(range(1, 400))))

    assert [len(group) for group in groups] == [150, 150, 99]
    assert [value for group in groups for value in group] == list(range(1, 400))


def test_groups_of_text_fit_into_a_url_as_encoded() -> None:
    texts = [f"SOPHOS ÄÖÜ & {number}" for number in range(120)]
    groups = list(chunks(texts))

    assert len(groups) > 1
    assert [text for group in groups for text in group] == texts
    assert all(len(quote_plus(one_of("identifier", group))) < 1760 for group in groups)


def test_no_values_are_no_groups_and_no_conditions() -> None:
    assert list(chunks(list[int]())) == []
    assert conditions_for(()) == ()


def test_ids_and_identifiers_share_a_request_where_they_fit() -> None:
    wishes = (("id", [48, 7]), ("identifier", ["B", "A", "A"]))
    assert conditions_for(wishes) == ('(id in (7,48)) or (identifier in ("A","B"))',)


def test_many_references_take_several_requests() -> None:
    texts = [f"SOPHOS-ITEM-{n:03d}" for n in range(50)]
    found = conditions_for((("id", range(10_000_000, 10_000_150)), ("identifier", texts)))

    assert found[0].startswith("id in (")
    assert found[-1].startswith("identifier in (")
    assert all(len(quote_plus(conditions)) < 1760 for conditions in found)
