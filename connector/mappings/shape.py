"""The shape of mappings.yaml (contract section 2): what is allowed where, and as a JSON Schema for editors.

Defaults come from the model.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from connector.mappings.import_shape import ColumnsShape, ImportShape
from connector.mappings.nightly_shape import (
    AllowanceShape,
    NotifyShape,
    ScheduleShape,
    TicketShape,
    UnattendedShape,
)
from connector.mappings.prices import MoneyValue, PriceShape, PricingShape, pricing_of
from connector.mappings.values import (
    AbsentValue,
    AdoptValue,
    AggregateValue,
    CountValue,
    EffectiveValue,
    FactorValue,
    FlagValue,
    MaybeFlag,
    MaybeMinimum,
    MaybePer,
    MaybeReference,
    NameValue,
    ReferenceValue,
    RoundingValue,
    ShareValue,
    TenantIdValue,
    UnitsValue,
    VersionValue,
    says_something,
)
from connector.model import (
    Defaults,
    GuardLimits,
    Mappings,
    ProductEntry,
    ProductException,
    TenantEntry,
    serial_of,
    tenant_id_of,
)

_DEFAULTS = Defaults()
_PRODUCT = ProductEntry()
_GUARDS = GuardLimits()


class _Shape(BaseModel):
    model_config = ConfigDict(
        extra="forbid", model_title_generator=lambda shape: shape.__name__[: -len("Shape")]
    )


class DefaultsShape(_Shape):
    """How changes are made where no person has said otherwise."""

    absent: AbsentValue = Field(
        default=_DEFAULTS.absent,
        description="What becomes of an addition when the usage of its product has stopped.",
    )
    effective: EffectiveValue = Field(
        default=_DEFAULTS.effective, description="The first day of a new addition."
    )
    adopt: AdoptValue = Field(
        default=_DEFAULTS.adopt, description="What becomes of an addition that people made for the same item."
    )
    mark: FlagValue = Field(
        default=_DEFAULTS.mark,
        description="Put our mark into the serialNumber of additions that we create or adopt.",
    )
    pricing: PricingShape | None = Field(
        default=None, description="Who owns prices and costs, where nothing nearer says."
    )

    def value(self) -> Defaults:
        """Return the same as the model says it."""
        return Defaults(
            absent=self.absent,
            effective=self.effective,
            adopt=self.adopt,
            mark=self.mark,
            pricing=pricing_of(self.pricing),
        )


class GuardsShape(_Shape):
    """Beyond these limits a person has to look."""

    removals: ShareValue = Field(
        default=_GUARDS.removals,
        description="The largest share of the managed additions that one run may zero or end: 0.30 is 30 %.",
    )
    decrease: ShareValue = Field(
        default=_GUARDS.decrease,
        description="The largest share by which the total managed quantity may fall in one run.",
    )
    at_least: CountValue = Field(
        default=_GUARDS.at_least,
        description="removals and decrease count only from this many managed additions on.",
    )
    increase_factor: FactorValue = Field(
        default=_GUARDS.increase_factor,
        description="An addition that grows by more than this factor and more than increase_units is held.",
    )
    increase_units: UnitsValue = Field(
        default=_GUARDS.increase_units,
        description="An addition that grows by more units than this and more than increase_factor is held.",
    )
    money: MoneyValue = Field(
        default=_GUARDS.money,
        description="The largest sum by which one run may change the bills of one currency, up and down "
        "counted alike; no limit where unsaid.",
    )

    def value(self) -> GuardLimits:
        """Return the same as the model says it."""
        return GuardLimits(
            removals=self.removals,
            decrease=self.decrease,
            at_least=self.at_least,
            increase_factor=self.increase_factor,
            increase_units=self.increase_units,
            money=self.money,
        )


class ProductShape(_Shape):
    """One Sophos product code; without an item, or with sync: false, it is off."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"round": ["per"]}})

    name: NameValue = Field(default="", description="For people; no meaning to the program.")
    item: ReferenceValue | None = Field(
        default=None, description="ConnectWise catalog item: text is its identifier, a whole number its id."
    )
    sync: FlagValue = Field(default=True, description="false: decided, not billed.")
    per: MaybePer = Field(
        default=None,
        description="So many Sophos units are one unit of the item, in whole units for each tenant and code.",
    )
    round: RoundingValue = Field(
        default=_PRODUCT.rounding, description="How per rounds what does not divide: up or down."
    )
    aggregate: AggregateValue = Field(
        default=_PRODUCT.aggregate,
        description="Where several codes feed one item: their sum, or max, the largest of each tenant's "
        "codes. All codes of an item say the same.",
    )
    minimum: MaybeMinimum = Field(
        default=None,
        description="The fewest units of the item that a tenant with a usage row of this code is billed.",
    )
    pricing: PricingShape | None = Field(
        default=None, description="Who owns prices and costs of this product."
    )

    def value(self) -> ProductEntry:
        """Return the same as the model says it."""
        return ProductEntry(
            name=self.name,
            item=self.item,
            sync=self.sync,
            per=self.per,
            rounding=self.round,
            aggregate=self.aggregate,
            minimum=self.minimum,
            pricing=pricing_of(self.pricing),
        )


class ExceptionShape(_Shape):
    """What differs for one tenant and one product code; what it leaves out is taken from elsewhere."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    item: MaybeReference = Field(
        default=None,
        description="Another ConnectWise catalog item for this tenant; turns the product on for it.",
    )
    agreement: MaybeReference = Field(default=None, description="Another agreement for this product.")
    sync: MaybeFlag = Field(
        default=None, description="false turns the product off for this tenant, true turns it on."
    )
    minimum: MaybeMinimum = Field(
        default=None,
        description="The fewest units that this tenant is billed while it has a usage row; 0: none.",
    )
    pricing: PricingShape | None = Field(
        default=None, description="Who owns the price and cost of this product for this tenant."
    )

    def value(self) -> ProductException:
        """Return the same as the model says it."""
        return ProductException(
            item=self.item,
            agreement=self.agreement,
            sync=self.sync,
            minimum=self.minimum,
            pricing=pricing_of(self.pricing),
        )


class TenantShape(_Shape):
    """One Sophos tenant: the ConnectWise company and agreement that its usage is billed to."""

    name: NameValue = Field(default="", description="For people; no meaning to the program.")
    company: ReferenceValue | None = Field(
        default=None, description="ConnectWise company: text is its identifier, a whole number its id."
    )
    agreement: ReferenceValue | None = Field(
        default=None, description="Agreement: text is its name within the company, a whole number its id."
    )
    sync: FlagValue = Field(default=True, description="false: nothing of this tenant is billed.")
    products: dict[str, Annotated[ExceptionShape, BeforeValidator(says_something)]] | None = Field(
        default=None, description="Exceptions for this tenant, by Sophos product code."
    )
    pricing: PricingShape | None = Field(
        default=None, description="Who owns prices and costs of this tenant's additions."
    )

    def value(self) -> TenantEntry:
        """Return the same as the model says it, product codes trimmed."""
        return TenantEntry(
            name=self.name,
            company=self.company,
            agreement=self.agreement,
            sync=self.sync,
            products={code.strip(): entry.value() for code, entry in (self.products or {}).items()},
            pricing=pricing_of(self.pricing),
        )


class MappingsShape(_Shape):
    """Which ConnectWise item, company and agreement each Sophos product code and tenant is billed to."""

    version: VersionValue = Field(description="The version of this format.")
    defaults: DefaultsShape | None = Field(
        default=None, description="How changes are made where no person has said otherwise."
    )
    guards: GuardsShape | None = Field(
        default=None, description="Beyond these limits a person has to look before anything is written."
    )
    products: dict[str, ProductShape | None] | None = Field(
        default=None, description="Sophos product code -> ConnectWise catalog item."
    )
    tenants: dict[str, TenantShape | None] | None = Field(
        default=None, description="Sophos tenant id -> ConnectWise company and agreement."
    )
    firewalls: dict[str, TenantIdValue] | None = Field(
        default=None, description="Serial number -> Sophos tenant id, for firewalls that Sophos cannot place."
    )
    imports: ImportShape | None = Field(
        default=None, alias="import", description="How a distributor's consumption file is read."
    )
    schedule: ScheduleShape | None = Field(default=None, description="When `connector nightly` bills.")
    unattended: UnattendedShape | None = Field(
        default=None, description="Which changes `connector nightly` makes without a person."
    )
    notify: NotifyShape | None = Field(default=None, description="What people are told of, and how.")

    def value(self) -> Mappings:
        """Return the same as the model says it: codes trimmed, tenant ids lower case, serials upper case."""
        products, tenants, firewalls = self.products or {}, self.tenants or {}, self.firewalls or {}
        return Mappings(
            defaults=(self.defaults or DefaultsShape()).value(),
            guards=(self.guards or GuardsShape()).value(),
            products={code.strip(): (entry or ProductShape()).value() for code, entry in products.items()},
            tenants={tenant_id_of(key): (entry or TenantShape()).value() for key, entry in tenants.items()},
            firewalls={serial_of(serial): tenant_id for serial, tenant_id in firewalls.items()},
            imports=(self.imports or ImportShape()).value(),
            schedule=(self.schedule or ScheduleShape()).value(),
            unattended=(self.unattended or UnattendedShape()).value(),
            notify=(self.notify or NotifyShape()).value(),
        )


_ANY = "*"
_SHAPES: dict[tuple[str, ...], type[BaseModel]] = {
    (): MappingsShape,
    ("defaults",): DefaultsShape,
    ("guards",): GuardsShape,
    ("products", _ANY): ProductShape,
    ("tenants", _ANY): TenantShape,
    ("tenants", _ANY, "products", _ANY): ExceptionShape,
    ("import",): ImportShape,
    ("import", "columns"): ColumnsShape,
    ("schedule",): ScheduleShape,
    ("unattended",): UnattendedShape,
    ("unattended", _ANY): AllowanceShape,
    ("notify",): NotifyShape,
    ("notify", "ticket"): TicketShape,
}


def allowed_keys(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that a mapping at `path` may have, in the order of the contract."""
    match path:
        case (*_, "pricing"):
            shape: type[BaseModel] = PricingShape
        case (*_, "pricing", "price"):
            shape = PriceShape
        case _:
            shape = next((each for pattern, each in _SHAPES.items() if _fits(path, pattern)), MappingsShape)
    return tuple(field.alias or name for name, field in shape.model_fields.items())


def _fits(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(
        part in {_ANY, key} for part, key in zip(pattern, path, strict=True)
    )


# JSON Schema -------------------------------------------------------------------------------------


class _Schema(GenerateJsonSchema):
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out that the default is nothing: in most places null may not be written."""
        published = super().default_schema(schema)
        if published.get("default", ...) is None:
            del published["default"]
        return published

    def encode_default(self, dft: Any) -> Any:
        """Publish a decimal as the number that a person would write."""
        if isinstance(dft, Decimal):
            return int(dft) if dft == int(dft) else float(dft)
        return super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  (pydantic's signature)
        """Leave out titles: they would only say the key again."""
        return False


def mappings_schema() -> dict[str, object]:
    """Return the JSON Schema of mappings.yaml, for editors that complete and check while typing.

    It accepts what the loader accepts, but for what only the text shows: duplicate keys, aliases, odd
    characters; and codes of one item that add up in different ways.
    """
    schema = MappingsShape.model_json_schema(schema_generator=_Schema)
    return {"$schema": _Schema.schema_dialect, **schema, "title": "mappings.yaml"}
