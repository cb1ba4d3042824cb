"""The shape of `import:` in mappings.yaml: how a distributor's consumption file is read."""

from pydantic import BaseModel, ConfigDict, Field

from connector.mappings.values import DateOrderValue, DecimalMarkValue, TenantIdValue, TextValue
from connector.model import IMPORT_COLUMNS, ImportRules


def name_key(text: str) -> str:
    """Return a name or a description in the form that we compare: spaces made one, in any case."""
    return " ".join(text.split()).casefold()


class _Shape(BaseModel):
    model_config = ConfigDict(
        extra="forbid", model_title_generator=lambda shape: shape.__name__[: -len("Shape")]
    )


class ColumnsShape(_Shape):
    """The header text of columns that are not found by themselves."""

    customer: TextValue | None = Field(default=None, description="The end user identifier, a name.")
    tenant_id: TextValue | None = Field(default=None, description="The Sophos tenant id.")
    start: TextValue | None = Field(default=None, description="The first day that is billed.")
    end: TextValue | None = Field(default=None, description="The last day that is billed.")
    product: TextValue | None = Field(default=None, description="The product description.")
    quantity: TextValue | None = Field(default=None, description="The total quantity.")
    serial: TextValue | None = Field(default=None, description="The serial number of a firewall.")
    sku: TextValue | None = Field(default=None, description="The SKU.")
    code: TextValue | None = Field(default=None, description="The Sophos product code, such as CIXA-MSP.")
    group: TextValue | None = Field(default=None, description="The product group: User, Server or Device.")
    msrp: TextValue | None = Field(default=None, description="The list price of one unit.")
    price: TextValue | None = Field(default=None, description="What one unit costs the MSP.")
    currency: TextValue | None = Field(default=None, description="The currency of both prices.")


class ImportShape(_Shape):
    """How a distributor's consumption file is read."""

    columns: ColumnsShape | None = Field(
        default=None, description="The header text of columns that are not found by themselves."
    )
    product_codes: dict[str, TextValue] | None = Field(
        default=None, description="Product description, without its price band -> Sophos product code."
    )
    tenants: dict[str, TenantIdValue] | None = Field(
        default=None, description="What the file calls a customer -> Sophos tenant id."
    )
    dates: DateOrderValue | None = Field(
        default=None, description="The order of day, month and year, where the file leaves it open."
    )
    decimal: DecimalMarkValue | None = Field(
        default=None, description="The decimal mark, where the file leaves it open."
    )

    def value(self) -> ImportRules:
        """Return the same as the model says it, names and descriptions in the form that we compare."""
        columns = self.columns or ColumnsShape()
        said = {column: getattr(columns, column) for column in IMPORT_COLUMNS}
        return ImportRules(
            columns={column: text for column, text in said.items() if text is not None},
            product_codes={name_key(name): code for name, code in (self.product_codes or {}).items()},
            tenants={name_key(name): tenant_id for name, tenant_id in (self.tenants or {}).items()},
            dates=self.dates,
            decimal=self.decimal,
        )
