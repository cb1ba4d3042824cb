"""ConnectWise PSA's words: its records to our values, our changes to its bodies, its errors to ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from connector.errors import RequestRefused, SignInRefused, VendorError
from connector.model import Addition, AdditionPatch, Agreement, CatalogItem, Company, NewAddition
from connector.vendors.connectwise_json import differences, encoded, number, wide_quantity_in
from connector.vendors.failures import Dialect
from connector.vendors.fields import (
    Malformed,
    Record,
    at,
    day_in,
    flag_in,
    id_in,
    label_in,
    lenient_day_in,
    required_id,
    text_in,
)

COMPANY_FIELDS = "id,identifier,name,deletedFlag,status/name"
AGREEMENT_FIELDS = (
    "id,name,company/id,company/identifier,agreementStatus,cancelledFlag,startDate,endDate,"
    "noEndingDateFlag,billStartDate,nextInvoiceDate,type/name,currency/currencyCode,"
    "currency/numberOfDecimals,periodType,billingCycle/name"
)
CATALOG_FIELDS = "id,identifier,description,productClass,inactiveFlag,price"
ADDITION_FIELDS = (
    "id,product/id,quantity,cancelledDate,effectiveDate,serialNumber,billCustomer,"
    "agreementId,lessIncluded,unitPrice,unitCost"
)

_BILLABLE = "Billable"


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """What ConnectWise says of itself."""

    version: str
    cloud: bool = False
    time_zone: str = ""


def system_info(record: Record) -> SystemInfo:
    """Return what /system/info says."""
    return SystemInfo(
        text_in(record, "version"), flag_in(record, "isCloud"), text_in(record, "serverTimeZone")
    )


def company(record: Record) -> Company:
    """Return one company."""
    return Company(
        id=required_id(record, "id"),
        identifier=label_in(record, "identifier"),
        name=text_in(record, "name"),
        deleted=flag_in(record, "deletedFlag"),
        status=_told(record, "status/name"),
    )


def agreement(record: Record) -> Agreement:
    """Return one agreement; its dates are calendar dates, whatever the zone says.

    One whose dates or company cannot be read belongs to nobody or does not bill: it must not be billed on,
    but it must not stop everybody else's month either.
    """
    found = Agreement(
        id=required_id(record, "id"),
        name=label_in(record, "name"),
        company_id=id_in(record, "company/id") or 0,
        company=label_in(record, "company/identifier"),
        status=text_in(record, "agreementStatus"),
        cancelled=flag_in(record, "cancelledFlag"),
        next_invoice=lenient_day_in(record, "nextInvoiceDate"),
        type=_told(record, "type/name"),
        currency=_told(record, "currency/currencyCode").upper(),
        whole=_lenient(record, "currency/numberOfDecimals") == 0,
        ahead=_told(record, "periodType").casefold() == "future",
        cycle=_told(record, "billingCycle/name"),
    )
    try:
        return replace(
            found,
            start=day_in(record, "startDate"),
            end=None if flag_in(record, "noEndingDateFlag") else day_in(record, "endDate"),
            bill_start=day_in(record, "billStartDate"),
        )
    except Malformed as flaw:
        return replace(found, status=f"not readable: {flaw}")


def catalog_item(record: Record) -> CatalogItem:
    """Return one catalog item."""
    return CatalogItem(
        id=required_id(record, "id"),
        identifier=label_in(record, "identifier"),
        description=text_in(record, "description"),
        product_class=text_in(record, "productClass"),
        inactive=flag_in(record, "inactiveFlag"),
        price=_lenient(record, "price"),
    )


def addition(record: Record, agreement_id: int) -> Addition:
    """Return one addition of the agreement that was asked for."""
    said = required_id(record, "agreementId") if at(record, "agreementId") is not None else agreement_id
    if said != agreement_id:
        raise Malformed(f"it belongs to agreement {said}, not {agreement_id}")
    return Addition(
        id=required_id(record, "id"),
        agreement_id=agreement_id,
        item_id=required_id(record, "product/id"),
        quantity=wide_quantity_in(record, "quantity") or Decimal(0),
        cancelled=day_in(record, "cancelledDate"),
        effective=day_in(record, "effectiveDate"),
        serial_number=text_in(record, "serialNumber"),
        bill_customer=text_in(record, "billCustomer"),
        less_included=_lenient(record, "lessIncluded") or Decimal(0),
        unit_price=_lenient(record, "unitPrice"),
        unit_cost=_lenient(record, "unitCost"),
    )


def _lenient(record: Record, path: str) -> Decimal | None:
    """Return a number that no quantity depends on, None where there is none: no month stops for it."""
    try:
        return wide_quantity_in(record, path)
    except Malformed:
        return None


def _told(record: Record, path: str) -> str:
    """Return what is only ever shown to people, or "": no month stops for it."""
    try:
        return label_in(record, path)
    except Malformed:
        return ""


# Writing -----------------------------------------------------------------------------------------


def creation(new: NewAddition) -> bytes:
    """Return the body of a POST: exactly what contract rule 12 names, nothing by default."""
    body: dict[str, object] = {
        "product": {"id": new.item_id},
        "quantity": number(new.quantity),
        "billCustomer": _BILLABLE,
        "effectiveDate": _midnight(new.effective),
    }
    if new.serial_number:
        body["serialNumber"] = new.serial_number
    body |= {path: number(amount) for path, amount in _prices(new).items()}
    return encoded(body)


def operations(patch: AdditionPatch) -> bytes:
    """Return the body of a PATCH: one operation for each field that is set."""
    body: list[dict[str, object]] = []
    if patch.quantity is not None:
        body.append({"op": "replace", "path": "quantity", "value": number(patch.quantity)})
    if patch.cancelled is not None:
        body.append({"op": "replace", "path": "cancelledDate", "value": _midnight(patch.cancelled)})
    if patch.serial_number is not None:
        body.append({"op": "replace", "path": "serialNumber", "value": patch.serial_number})
    for path, amount in _prices(patch).items():
        body.append({"op": "replace", "path": path, "value": number(amount)})
    if not body:
        raise ValueError("a patch that sets nothing")
    return encoded(body)


def creation_differences(record: Record, new: NewAddition) -> tuple[str, ...]:
    """Say what an answer to a POST does not show as it was asked."""
    wanted: dict[str, object] = {
        "product/id": new.item_id,
        "quantity": new.quantity,
        "billCustomer": _BILLABLE,
        "effectiveDate": new.effective,
    }
    if new.serial_number:
        wanted["serialNumber"] = new.serial_number
    return differences(record, wanted | _prices(new))


def patch_differences(record: Record, patch: AdditionPatch) -> tuple[str, ...]:
    """Say what a record does not show as the patch asked; a missing field is not shown."""
    return differences(record, _asked(patch))


def patch_contradictions(record: Record, patch: AdditionPatch) -> tuple[str, ...]:
    """Say what a record shows otherwise than the patch asked; a missing field says nothing."""
    return differences(
        record, {path: value for path, value in _asked(patch).items() if at(record, path) is not None}
    )


def _asked(patch: AdditionPatch) -> dict[str, object]:
    wanted = {
        "quantity": patch.quantity,
        "cancelledDate": patch.cancelled,
        "serialNumber": patch.serial_number,
        **_prices(patch),
    }
    return {path: value for path, value in wanted.items() if value is not None}


def _prices(said: NewAddition | AdditionPatch) -> dict[str, Decimal]:
    """Return the prices that a write sets, where a rule owns them."""
    prices = {"unitPrice": said.unit_price, "unitCost": said.unit_cost}
    return {path: amount for path, amount in prices.items() if amount is not None}


def addition_differences(addition: Addition, patch: AdditionPatch) -> tuple[str, ...]:
    """Say what an addition, freshly read, does not show as the patch asked."""
    pairs = (
        ("quantity", addition.quantity, patch.quantity),
        ("cancelledDate", addition.cancelled, patch.cancelled),
        ("serialNumber", addition.serial_number, patch.serial_number),
        ("unitPrice", addition.unit_price, patch.unit_price),
        ("unitCost", addition.unit_cost, patch.unit_cost),
    )
    return tuple(
        f"{path} is {has}, not {wanted}"
        for path, has, wanted in pairs
        if wanted is not None and has != wanted
    )


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


# Errors ------------------------------------------------------------------------------------------

_KEYS = (
    "Check CONNECTWISE_COMPANY, CONNECTWISE_PUBLIC_KEY, CONNECTWISE_PRIVATE_KEY and CONNECTWISE_CLIENT_ID, "
    "and that CONNECTWISE_URL is your own site."
)
_TIMEOUT = re.compile(r"time-?\s?out", re.IGNORECASE)


def _words(document: object) -> str:
    if not isinstance(document, dict):
        return ""
    said = [_text(document.get("message")) or _text(document.get("code")) or _text(document.get("error"))]
    errors = document.get("errors")
    for error in errors[:10] if isinstance(errors, list) else []:
        if isinstance(error, dict):
            message, field = _text(error.get("message")), _text(error.get("field"))
            said.append(f"{message} (field {field})" if field else message)
    return "; ".join(text for text in said if text)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _request_id(headers: Mapping[str, str], document: object) -> str | None:
    del document  # ConnectWise says it in a header
    return headers.get("x-cw-request-id")


def _advice(status: int, words: str, right: str) -> tuple[type[VendorError], str]:
    if status == 401:
        return SignInRefused, _KEYS
    if status == 403:
        return SignInRefused, f"Give the API member's security role the right {right}."
    if status == 400 and "clientid" in words.lower().replace(" ", ""):
        return SignInRefused, "Check CONNECTWISE_CLIENT_ID: register it at developer.connectwise.com."
    if status == 400 and "cannot route" in words.lower():
        return SignInRefused, "Check CONNECTWISE_URL (its code base) and CONNECTWISE_COMPANY."
    return RequestRefused, "Mend in ConnectWise what it names, then run the same command again."


DIALECT = Dialect(
    vendor="ConnectWise",
    words=_words,
    request_id=_request_id,
    passing_500=lambda text: _TIMEOUT.search(text) is not None,
    advice=_advice,
)
