"""What the classes of a diagnosis, directions and outcomes are called in a report for people."""

from collections.abc import Mapping

DIRECTION_WORDS: Mapping[str, str] = {
    "under": "billed too little",
    "over": "billed too much",
    "either": "to be settled",
}

OUTCOME_WORDS: Mapping[str, str] = {
    "done": "done",
    "failed": "failed",
    "unclear": "unclear",
    "held": "held for a person",
    "not_tried": "not tried",
    "planned": "not sent",
    "sending": "not answered",
}

_CLASSES: Mapping[str, str] = {
    "UNDER_BILLED": "Billed less than used",
    "NO_ADDITION": "Used, and on no line",
    "OVER_BILLED": "Billed more than used",
    "ORPHAN_ADDITION": "Billed without any usage",
    "DUPLICATE_ADDITIONS": "Several lines for one item",
    "OFF_STILL_BILLING": "Switched off, and still billing",
    "ENDED_BY_HAND": "Line ended by hand",
    "HAND_EDITED": "Line changed by hand",
    "UNMAPPED_PRODUCT": "Product not mapped",
    "UNMAPPED_TENANT": "Customer not mapped",
    "SUSPECTED_SUCCESSOR": "Product may have a new code",
    "FIREWALL_UNASSIGNED": "Firewall of nobody",
    "PERIOD_CLOSED": "Invoice is out already",
    "AGREEMENT_INACTIVE": "Agreement is not active",
    "RESTATED": "Restated since it was billed",
    "CURRENCY_MISMATCH": "Two currencies",
    "MARGIN_NEGATIVE": "Sold below cost",
    "PRICE_ZERO": "Sold for nothing",
    "RENAMED": "Renamed",
    "NOT_CHECKED": "Not checked",
    "NEEDS_ADOPTION": "A line that people made",
    "DISTRIBUTOR_DIFFERS": "Distributor says otherwise",
}


def class_words(code: str) -> str:
    """Return what people call a class; one that has no words of its own is read off its code."""
    return _CLASSES.get(code) or code.replace("_", " ").capitalize()
