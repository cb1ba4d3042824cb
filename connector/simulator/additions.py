"""The rules for writing additions (reference/connectwise-api.md, 4 and 6; checklist rows 6 and 7)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from .connectwise_answers import Fault400, InvalidObjectError, NotFoundError
from .connectwise_records import Addition, Agreement, Item, Trace, Write
from .record_writing import (
    Writable,
    apply,
    array,
    day,
    flag,
    number,
    one_of,
    operations,
    record_of,
    required,
    text,
    too_long,
    whole,
    write_body,
)
from .world import World

RESOURCE = "addition"
BEFORE_BILLING = "effectiveDate cannot be less than the agreement billing start date"
INVOICED_PERIOD = (
    "Since this period has already been invoiced there will not be an invoice generated for additional"
    " products for this period. Please prorate the agreement or update the start date to on or after the"
    " Next Invoice Date."
)
WRITABLES = {
    "quantity": Writable("quantity", number),
    "lessIncluded": Writable("less_included", number),
    "unitPrice": Writable("unit_price", number),
    "unitCost": Writable("unit_cost", number),
    "billCustomer": Writable("bill_customer", one_of("BillCustomer", "Billable", "DoNotBill", "NoCharge")),
    "effectiveDate": Writable("effective", day),
    "cancelledDate": Writable("cancelled", day),
    "taxableFlag": Writable("taxable", flag),
    "serialNumber": Writable("serial_number", text),
    "invoiceDescription": Writable("invoice_description", text),
    "purchaseItemFlag": Writable("purchase_item", flag),
    "specialOrderFlag": Writable("special_order", flag),
    "sequenceNumber": Writable("sequence_number", number),
    "prorateCost": Writable("prorate_cost", number),
    "proratePrice": Writable("prorate_price", number),
    "prorateCurrentPeriodFlag": Writable("prorate_current_period", flag),
    "customFields": Writable("custom_fields", array),
}
DERIVED = frozenset(
    {
        "id", "agreementId", "description", "billedQuantity", "uom", "extPrice", "extCost", "margin",
        "extendedProrateCost", "extendedProratePrice", "agreementStatus", "additionStatus", "_info",
        "opportunity", "invoiceGrouping",
    }
)  # fmt: skip
_LIMITS = {"serial_number": ("serialNumber", 50), "invoice_description": ("invoiceDescription", 6000)}


class AdditionRules:
    """Creates, changes and deletes additions of one world as the API member."""

    def __init__(self, world: World) -> None:
        self.world = world

    def create(self, agreement: Agreement, body: Any) -> Addition:
        """Create an addition; what is not said comes from the catalog item (section 6.1)."""
        said = record_of(body)
        item = self._item(said.get("product"))
        addition = self._from_item(0, agreement, item)
        addition.bill_customer = None
        write_body(addition, said, WRITABLES, RESOURCE)
        self._check(addition, agreement, item, is_new=True)
        addition.id = self.world.new_id("addition")
        self._save("POST", None, addition)
        return addition

    def change(self, addition: Addition, body: Any) -> Addition:
        """PATCH: apply all operations as one save, validating the whole stored record (section 4)."""
        strict = self.world.unknown_paths_refused
        writables = {**WRITABLES, "product": Writable("item_id", self._item_id)}
        found = operations(body, writables, DERIVED, RESOURCE, strict=strict)
        changed = replace(addition, trace=replace(addition.trace))
        if any(operation.name == "product" for operation in found):
            # Another product brings its own prices and texts, unless the same PATCH says otherwise.
            product = next(operation.value for operation in found if operation.name == "product")
            item = self._item(product)
            changed.item_id, changed.taxable = item.id, item.taxable
            changed.unit_price, changed.unit_cost = item.price, item.cost
            changed.invoice_description = item.customer_description
        apply(changed, found, writables, RESOURCE)
        agreement = self.world.agreements[addition.agreement_id]
        moved = changed.effective != addition.effective
        self._check(changed, agreement, self.world.items.get(changed.item_id), is_new=moved)
        self._save("PATCH", addition, changed)
        return changed

    def replace(self, addition: Addition, body: Any) -> Addition:
        """PUT: every property that is not said goes back to its default (section 4)."""
        said = record_of(body)
        item = self._item(said.get("product"))
        agreement = self.world.agreements[addition.agreement_id]
        fresh = self._from_item(addition.id, agreement, item)
        fresh.bill_customer, fresh.trace = None, replace(addition.trace)
        write_body(fresh, said, WRITABLES, RESOURCE)
        self._check(fresh, agreement, item, is_new=fresh.effective != addition.effective)
        self._save("PUT", addition, fresh)
        return fresh

    def delete(self, addition: Addition) -> None:
        """DELETE; refused once the line was invoiced, which is only plausible (section 6.3)."""
        agreement = self.world.agreements[addition.agreement_id]
        through = agreement.invoiced_through
        if through is not None and addition.effective is not None and addition.effective <= through:
            raise ConflictError(f"Addition {addition.id} has been invoiced and cannot be deleted.")
        del self.world.additions[addition.id]
        self.world.record_write(Write("DELETE", addition.agreement_id, addition.id, _copy(addition), None))

    def _from_item(self, addition_id: int, agreement: Agreement, item: Item) -> Addition:
        member = self.world.api_member
        now = self.world.stamp()
        return Addition(
            addition_id,
            agreement.id,
            item.id,
            Trace(member, now, member, now),
            unit_price=item.price,
            unit_cost=item.cost,
            taxable=item.taxable,
            effective=self.world.today,
            invoice_description=item.customer_description,
            sequence_number=Decimal(len(self.world.additions.of(agreement.id)) + 1),
        )

    def _item(self, reference: Any) -> Item:
        """Find the item of a reference by id or identifier; a bad reference is a 400 (section 5.1)."""
        if reference is None:
            missing = Fault400("MissingRequiredField", "The product field is required.", "product")
            raise InvalidObjectError(RESOURCE, [missing])
        said: Mapping[str, Any] = record_of(reference, "product")
        if said.get("id") is not None:
            item = self.world.items.get(whole(said["id"], "product.id") or 0)
        else:
            identifier = str(said.get("identifier", "")).casefold()
            item = next(
                (it for it in self.world.items.values() if it.identifier.casefold() == identifier), None
            )
        if item is None:
            name = said.get("id", said.get("identifier"))
            raise InvalidObjectError(
                RESOURCE, [Fault400("NotFound", f"Product {name} not found", "product/id")]
            )
        return item

    def _item_id(self, reference: Any, _path: str) -> int:
        return self._item(reference).id

    def _check(self, addition: Addition, agreement: Agreement, item: Item | None, *, is_new: bool) -> None:
        """Validate the whole record; `is_new` also checks that its first day can still be invoiced."""
        faults = required(addition, {"bill_customer": "billCustomer"}) + too_long(addition, _LIMITS)
        if item is not None and item.product_class == "Bundle":
            faults.append(Fault400("InvalidField", "A bundle cannot be added to an agreement.", "product"))
        if is_new and item is not None and item.inactive and self.world.inactive_items_refused:
            faults.append(Fault400("InvalidField", f"Product {item.identifier} is inactive.", "product"))
        if self.world.ended_agreements_refused and agreement.status_on(self.world.today) != "Active":
            faults.append(Fault400("InvalidField", "The agreement is not active.", "agreementId"))
        billing_start = agreement.bill_start or agreement.start
        if addition.effective is not None and addition.effective < billing_start:
            faults.append(Fault400("InvalidField", BEFORE_BILLING, "effectiveDate"))
        elif is_new and _already_invoiced(addition, agreement):
            faults.append(Fault400("InvalidField", INVOICED_PERIOD, "effectiveDate"))
        if faults:
            raise InvalidObjectError(RESOURCE, faults)

    def _save(self, method: str, before: Addition | None, after: Addition) -> None:
        after.trace.updated_by, after.trace.updated_at = self.world.api_member, self.world.stamp()
        # The object in the world stays the same one, so that a test may keep hold of it.
        old = _copy(before) if before is not None else None
        if before is None:
            self.world.additions[after.id] = after
        else:
            _copy_into(before, after)
            self.world.additions.moved += 1
        self.world.record_write(Write(method, after.agreement_id, after.id, old, _copy(after)))


class ConflictError(Exception):
    """A record in use: 409."""


def addition_of(world: World, agreement_id: int, addition_id: int) -> Addition:
    """Find an addition on its agreement."""
    addition = world.additions.get(addition_id)
    if addition is None or addition.agreement_id != agreement_id:
        raise NotFoundError(f"Addition {addition_id} not found")
    return addition


def _already_invoiced(addition: Addition, agreement: Agreement) -> bool:
    through = agreement.invoiced_through
    if through is None or agreement.prorate or addition.effective is None:
        return False
    return addition.effective <= through


def _copy(addition: Addition) -> Addition:
    return replace(addition, trace=replace(addition.trace))


def _copy_into(target: Addition, source: Addition) -> None:
    for name in Addition.__slots__:
        setattr(target, name, getattr(source, name))
