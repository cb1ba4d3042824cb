"""Sophos Central Partner's words: its rows to our values, its errors to ours."""

import json
from collections.abc import Mapping
from decimal import Decimal

from connector.errors import RequestRefused, SignInRefused, VendorError
from connector.model import Firewall, Licence, Tenant, UsageRow, serial_of, tenant_id_of
from connector.vendors.fields import Malformed, Record, name_in, quantity_in, text_in
from connector.vendors.transport import Dialect

SIGNING_IN = "sign in"
"""The right that the token request needs: refused, it is the credentials that are wrong."""

_CREDENTIALS = "Check SOPHOS_CLIENT_ID and SOPHOS_CLIENT_SECRET: they are made in Sophos Central Partner."
_MOST_LICENCES = 50
_LONGEST_SHOWN = 200
_ROLE = (
    "This credential's role may not read {right}; use a Service Principal Super Admin or "
    "Management credential."
)

# Everything that a row says except the contact person (name, e-mail, address): personal data, which
# has no bearing on the bill and must not be kept.
_RECEIVED = (
    "accountId", "accountNumberOrSerialNumber", "accountStatus", "actualQuantity",
    "additionalDiscountPercentage", "assignedAccountIdentifier", "billableQuantity", "billingEndDate",
    "billingStartDate", "distributorAccountName", "externalId", "netPrice", "netPriceCurrency",
    "orderLineItemNumber", "orderNumber", "orderedQuantity", "partnerAccountId", "partnerAccountName",
    "partnerEdiAccountNumber", "priceWithTaxes", "priceWithTaxesCurrency", "productCode",
    "productDescription", "productGroup", "sku", "unitMsrp", "unitMsrpCurrency", "unitPrice",
    "unitPriceCurrency",
)  # fmt: skip


def usage_row(row: Record) -> UsageRow:
    """Return one row of billing usage; raises Malformed, naming the field."""
    quantity = quantity_in(row, "billableQuantity", decimals=6)
    if quantity is None:
        raise Malformed("billableQuantity is missing")
    return UsageRow(
        product_code=name_in(row, "productCode") or name_in(row, "sku") or "",
        quantity=quantity,
        account_id=_tenant_id(row, "accountId"),
        external_id=_tenant_id(row, "externalId"),
        serial=serial_of(name_in(row, "accountNumberOrSerialNumber") or "") or None,
        description=text_in(row, "productDescription"),
        group=text_in(row, "productGroup"),
        received=_received(row),
    )


def tenant(item: Record) -> Tenant:
    """Return one tenant; raises Malformed, naming the field."""
    tenant_id = _tenant_id(item, "id")
    if tenant_id is None:
        raise Malformed("id is missing")
    return Tenant(
        id=tenant_id,
        name=text_in(item, "name"),
        billing_type=name_in(item, "billingType") or "",
        status=name_in(item, "status"),
    )


def firewall(item: Record) -> Firewall:
    """Return one firewall licence record; raises Malformed, naming the field."""
    serial = serial_of(name_in(item, "serialNumber") or "")
    if not serial:
        raise Malformed("serialNumber is missing")
    return Firewall(
        serial=serial,
        model=text_in(item, "model"),
        tenant_id=_tenant_id(item, "tenant/id"),
        billing_tenant_id=_tenant_id(item, "billingTenant/id"),
        last_seen=name_in(item, "lastSeenAt"),
        owner=_shown(item, "owner/type"),
        licences=_licences(item.get("licenses")),
    )


def _licences(listed: object) -> tuple[Licence, ...]:
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return tuple(
        Licence(_shown(each, "product/code"), _shown(each, "product/name"), _shown(each, "type"))
        for each in found[:_MOST_LICENCES]
    )


def _shown(record: Record, path: str) -> str:
    """Return text that people only look at: nothing hangs on it, so nothing stops when it is odd."""
    try:
        return text_in(record, path)[:_LONGEST_SHOWN]
    except Malformed:
        return ""


def _tenant_id(record: Record, path: str) -> str | None:
    text = name_in(record, path)
    return tenant_id_of(text) or None if text else None


def _received(row: Record) -> str:
    kept: dict[str, object] = {}
    for name in _RECEIVED:
        value = row.get(name)
        if isinstance(value, Decimal):
            kept[name] = str(value)  # as text: a JSON number would pass through a float
        elif isinstance(value, str | int):
            kept[name] = value
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


# Errors ------------------------------------------------------------------------------------------


def _words(document: object) -> str:
    if not isinstance(document, dict):
        return ""
    said = [document.get(name) for name in ("error", "errorCode", "message")]
    texts = [text.strip() for text in said if isinstance(text, str) and text.strip()]
    return ": ".join(dict.fromkeys(texts))


def _request_id(headers: Mapping[str, str], document: object) -> str | None:
    del headers  # Sophos says it in the body
    if isinstance(document, dict):
        for name in ("correlationId", "requestId", "trackingId"):
            if isinstance(document.get(name), str) and document[name]:
                return str(document[name])
    return None


def _advice(status: int, words: str, right: str) -> tuple[type[VendorError], str]:
    del words  # texts are not stable, the status is
    if status == 401 or (right == SIGNING_IN and status in {400, 403}):
        return SignInRefused, _CREDENTIALS
    if status == 403:
        return SignInRefused, _ROLE.format(right=right or "this")
    return RequestRefused, "Check SOPHOS_API_URL and SOPHOS_AUTH_URL; they normally need not be set."


DIALECT = Dialect(
    vendor="Sophos",
    words=_words,
    request_id=_request_id,
    passing_500=lambda text: True,  # noqa: ARG005  # every 500 of Sophos may pass
    advice=_advice,
)
