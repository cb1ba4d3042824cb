"""ConnectWise's records as they are written out (reference/connectwise-api.md, sections 6.1 and 7)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from .conditions import Path
from .connectwise_records import Addition, Agreement, Company, Item, Lookup, Trace, named
from .lists import Shape
from .world import World

_CYCLES = {"Monthly": 2, "Quarterly": 3, "Annual": 5}


def date_text(day: date | None) -> str | None:
    """Write a calendar date as midnight UTC (section 6.2)."""
    return f"{day:%Y-%m-%d}T00:00:00Z" if day is not None else None


def company_shape(world: World, url: str) -> Shape[Company]:
    """Companies (section 7.3)."""
    tables = world.tables

    def types(company: Company) -> list[dict[str, Any]]:
        rows = (named(tables.company_types, type_id) for type_id in company.type_ids)
        return [_reference(row, f"{url}/company/companies/types", "type_href") for row in rows if row]

    def info(company: Company) -> dict[str, str]:
        agreements = f"{url}/finance/agreements?conditions=company/id={company.id}"
        return _info(company.trace, agreements_href=agreements) | {
            "dateEntered": company.trace.made_at,
            "enteredBy": company.trace.made_by,
        }

    def status(company: Company) -> dict[str, Any] | None:
        row = named(tables.company_statuses, company.status_id)
        return _reference(row, f"{url}/company/companies/statuses", "status_href") if row else None

    properties: dict[str, Callable[[Company], Any]] = {
        "id": lambda c: c.id,
        "identifier": lambda c: c.identifier,
        "name": lambda c: c.name,
        "status": status,
        "types": types,
        "deletedFlag": lambda c: c.deleted,
        "isVendorFlag": lambda c: 3 in c.type_ids,
        "currency": lambda _: {"id": 7, "currencyCode": "USD", "numberOfDecimals": 2, "name": "US Dollars"},
        "customFields": lambda c: c.custom_fields or None,
        "_info": info,
    }
    return Shape("company", properties, {"lastUpdated": lambda c: c.trace.updated_at}, child="types")


def agreement_shape(world: World, url: str) -> Shape[Agreement]:
    """Agreements (section 7.1); `endDate` is absent when there is no end."""

    def company(agreement: Agreement) -> dict[str, Any] | None:
        return _company_reference(world, url, agreement.company_id)

    def kind(agreement: Agreement) -> dict[str, Any] | None:
        row = named(world.tables.agreement_types, agreement.type_id)
        return _reference(row, f"{url}/finance/agreements/types", "type_href") if row else None

    def parent(agreement: Agreement) -> dict[str, Any] | None:
        above = world.agreements.get(agreement.parent_id or 0)
        return {"id": above.id, "name": above.name, "chargeFirmFlag": False} if above else None

    def info(agreement: Agreement) -> dict[str, str]:
        return _info(agreement.trace, additions_href=f"{url}/finance/agreements/{agreement.id}/additions")

    properties: dict[str, Callable[[Agreement], Any]] = {
        "id": lambda a: a.id,
        "name": lambda a: a.name,
        "type": kind,
        "company": company,
        "contact": lambda a: {"id": a.company_id + 10_000, "name": "Accounts Payable"},
        "parentAgreement": parent,
        "startDate": lambda a: date_text(a.start),
        "endDate": lambda a: date_text(a.end),
        "noEndingDateFlag": lambda a: a.end is None,
        "cancelledFlag": lambda a: a.cancelled,
        "dateCancelled": lambda a: date_text(a.cancelled_on),
        "applicationUnits": lambda _: "Amount",
        "applicationCycle": lambda _: "CalendarMonth",
        "billingCycle": lambda a: {"id": _CYCLES[a.billing_cycle], "name": a.billing_cycle},
        "billOneTimeFlag": lambda _: False,
        "invoicingCycle": lambda _: "CalendarYear",
        "billToCompany": company,
        "billAmount": lambda _: Decimal(0),
        "taxable": lambda _: True,
        "billStartDate": lambda a: date_text(a.bill_start),
        "prorateFlag": lambda a: a.prorate,
        "invoiceProratedAdditionsFlag": lambda _: False,
        "billTime": lambda _: "Billable",
        "billExpenses": lambda _: "Billable",
        "billProducts": lambda _: "Billable",
        "currency": lambda a: {
            "id": 7,
            "currencyCode": a.currency,
            "numberOfDecimals": 0 if a.currency in {"ISK", "JPY"} else 2,
        },
        "periodType": lambda a: a.period_type,
        "autoInvoiceFlag": lambda _: False,
        "nextInvoiceDate": lambda a: date_text(next_invoice_day(world, a)),
        "agreementStatus": lambda a: a.status_on(world.today),
        "_info": info,
    }
    below: dict[Path, Callable[[Agreement], Any]] = {
        ("company", "id"): lambda a: a.company_id if a.company_id in world.companies else None
    }
    return Shape("agreement", properties, {"lastUpdated": lambda a: a.trace.updated_at}, below=below)


def recap_shape(world: World) -> Shape[Agreement]:
    """Write the invoicing state of agreements (section 7.1); dates as strings."""

    def amount(agreement: Agreement) -> Decimal:
        live = (it for it in world.additions.of(agreement.id) if it.live_on(world.today))
        return sum((_times(it.quantity, it.unit_price) for it in live), Decimal(0))

    properties: dict[str, Callable[[Agreement], Any]] = {
        "id": lambda a: a.id,
        "lastInvoiceDate": lambda a: date_text(a.invoiced_through),
        "nextInvoiceDate": lambda a: date_text(next_invoice_day(world, a)),
        "nextInvoiceAmount": amount,
        "unbilledPeriods": lambda _: 1,
    }
    return Shape("agreementRecap", properties)


def next_invoice_day(world: World, agreement: Agreement) -> date:
    """Return the first of the month after the invoiced one; of this month where none is invoiced."""
    last = agreement.invoiced_through
    if last is None:
        return world.today.replace(day=1)
    return date(last.year + last.month // 12, last.month % 12 + 1, 1)


def addition_shape(world: World, url: str) -> Shape[Addition]:
    """Additions with their derived properties (section 6.1)."""

    def item(addition: Addition) -> Item | None:
        return world.items.get(addition.item_id)

    def product(addition: Addition) -> dict[str, Any]:
        known = item(addition)
        href = {"catalog_href": f"{url}/procurement/catalog/{addition.item_id}"}
        if known is None:
            return {"id": addition.item_id, "_info": href}
        return {
            "id": known.id,
            "identifier": known.identifier,
            "serializedFlag": known.serialized,
            "_info": href,
        }

    def unit(addition: Addition) -> str | None:
        known = item(addition)
        row = named(world.tables.units, known.unit_id) if known else None
        return row.name if row else None

    def agreement_status(addition: Addition) -> str | None:
        above = world.agreements.get(addition.agreement_id)
        return above.status_on(world.today) if above else None

    properties: dict[str, Callable[[Addition], Any]] = {
        "id": lambda a: a.id,
        "product": product,
        "quantity": lambda a: a.quantity,
        "lessIncluded": lambda a: a.less_included,
        "unitPrice": lambda a: a.unit_price,
        "unitCost": lambda a: a.unit_cost,
        "billCustomer": lambda a: a.bill_customer,
        "effectiveDate": lambda a: date_text(a.effective),
        "cancelledDate": lambda a: date_text(a.cancelled),
        "taxableFlag": lambda a: a.taxable,
        "serialNumber": lambda a: a.serial_number,
        "invoiceDescription": lambda a: a.invoice_description,
        "purchaseItemFlag": lambda a: a.purchase_item,
        "specialOrderFlag": lambda a: a.special_order,
        "agreementId": lambda a: a.agreement_id,
        "description": lambda a: known.description if (known := item(a)) else None,
        "billedQuantity": lambda a: max((a.quantity or Decimal(0)) - (a.less_included or 0), Decimal(0)),
        "uom": unit,
        "extPrice": lambda a: _times(a.quantity, a.unit_price),
        "extCost": lambda a: _times(a.quantity, a.unit_cost),
        "sequenceNumber": lambda a: a.sequence_number,
        "margin": lambda a: _times(a.quantity, a.unit_price) - _times(a.quantity, a.unit_cost),
        "prorateCost": lambda a: a.prorate_cost,
        "proratePrice": lambda a: a.prorate_price,
        "extendedProrateCost": lambda a: _times(a.quantity, a.prorate_cost),
        "extendedProratePrice": lambda a: _times(a.quantity, a.prorate_price),
        "prorateCurrentPeriodFlag": lambda a: a.prorate_current_period,
        "agreementStatus": agreement_status,
        "additionStatus": lambda a: a.status_on(world.today),
        "customFields": lambda a: a.custom_fields,
        "_info": lambda a: _info(a.trace),
    }
    if not world.addition_status_shown:
        del properties["additionStatus"]
    return Shape("addition", properties)


def item_shape(world: World, url: str) -> Shape[Item]:
    """Catalog items (section 7.2); the category follows the subcategory."""
    tables = world.tables

    def subcategory(item: Item) -> Lookup | None:
        return named(tables.subcategories, item.subcategory_id)

    def category(item: Item) -> dict[str, Any] | None:
        below = subcategory(item)
        row = named(tables.categories, dict(below.more)["category"]) if below else None
        return _reference(row, f"{url}/procurement/categories", "category_href") if row else None

    def reference(row: Lookup | None, route: str, href: str) -> dict[str, Any] | None:
        return _reference(row, f"{url}/procurement/{route}", href) if row else None

    properties: dict[str, Callable[[Item], Any]] = {
        "id": lambda i: i.id,
        "identifier": lambda i: i.identifier,
        "description": lambda i: i.description,
        "inactiveFlag": lambda i: i.inactive,
        "subcategory": lambda i: reference(subcategory(i), "subcategories", "subcategory_href"),
        "type": lambda i: reference(named(tables.product_types, i.type_id), "types", "type_href"),
        "productClass": lambda i: i.product_class,
        "serializedFlag": lambda i: i.serialized,
        "unitOfMeasure": lambda i: reference(named(tables.units, i.unit_id), "unitOfMeasures", "uom_href"),
        "price": lambda i: i.price,
        "cost": lambda i: i.cost,
        "taxableFlag": lambda i: i.taxable,
        "customerDescription": lambda i: i.customer_description,
        "manufacturerPartNumber": lambda i: i.manufacturer_part_number,
        "vendorSku": lambda i: i.vendor_sku,
        "notes": lambda i: i.notes,
        "integrationXRef": lambda i: i.integration_xref,
        "recurringFlag": lambda _: False,
        "category": category,
        "billableOption": lambda _: "Billable",
        "_info": lambda i: _info(i.trace),
    }
    return Shape("catalogItem", properties, {"lastUpdated": lambda i: i.trace.updated_at})


def lookup_shape(name: str, world: World, url: str) -> Shape[Lookup]:
    """Rows of a setup table (section 7.4)."""

    def more(key: str) -> Callable[[Lookup], Any]:
        return lambda row: dict(row.more).get(key)

    def category(row: Lookup) -> dict[str, Any] | None:
        above = named(world.tables.categories, dict(row.more).get("category", 0))
        return _reference(above, f"{url}/procurement/categories", "category_href") if above else None

    properties: dict[str, Callable[[Lookup], Any]] = {"id": lambda row: row.id, "name": lambda row: row.name}
    for key in ("defaultFlag", "inactiveFlag", "vendorFlag", "prorateFlag", "integrationXref", "typeXref"):
        properties[key] = more(key)
    properties["category"] = category
    return Shape(name, properties)


def _times(quantity: Decimal | None, amount: Decimal | None) -> Decimal:
    return (quantity or Decimal(0)) * (amount or Decimal(0))


def _info(trace: Trace, **hrefs: str) -> dict[str, str]:
    return {"lastUpdated": trace.updated_at, "updatedBy": trace.updated_by, **hrefs}


def _reference(row: Lookup, url: str, href: str) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "_info": {href: f"{url}/{row.id}"}}


def _company_reference(world: World, url: str, company_id: int) -> dict[str, Any] | None:
    company = world.companies.get(company_id)
    if company is None:
        return None
    href = f"{url}/company/companies/{company.id}"
    return {
        "id": company.id,
        "identifier": company.identifier,
        "name": company.name,
        "_info": {"company_href": href},
    }
