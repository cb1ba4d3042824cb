"""The shapes of `schedule:`, `unattended:` and `notify:` in mappings.yaml: what the nightly job goes by."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from connector.mappings.values import (
    DayValue,
    FlagValue,
    MaybeGrowth,
    MaybeUnits,
    ScheduleModeValue,
    TextValue,
    TimezoneValue,
    allowance_said,
)
from connector.model import Allowance, NotifyRules, Schedule, TicketRules, Unattended

_SCHEDULE = Schedule()


class _Shape(BaseModel):
    model_config = ConfigDict(
        extra="forbid", model_title_generator=lambda shape: shape.__name__[: -len("Shape")]
    )


class ScheduleShape(_Shape):
    """When `connector nightly` bills."""

    mode: ScheduleModeValue = Field(
        default=_SCHEDULE.mode,
        description="invoice: each night from `from` on, until the month is published and billed; monthly: "
        "from a chosen day on; daily: live counts each night, and the invoice when it is there.",
    )
    timezone: TimezoneValue | None = Field(
        default=None, description="Where a night begins, such as Europe/Dublin; else as on this machine."
    )
    opens: DayValue = Field(
        default=_SCHEDULE.opens,
        alias="from",
        description="The first day on which Sophos may have published a month.",
    )
    alert: DayValue = Field(
        default=_SCHEDULE.alert,
        description="A month that is still missing on this day of the next one is an alert.",
    )
    day: DayValue = Field(
        default=_SCHEDULE.day, description="The day of `monthly`; a shorter month takes its last."
    )

    def value(self) -> Schedule:
        """Return the same as the model says it."""
        return Schedule(
            mode=self.mode,
            timezone=self.timezone or "",
            opens=self.opens,
            alert=self.alert,
            day=self.day,
        )


class AllowanceShape(_Shape):
    """How far a quantity may move without a person; both limits hold."""

    share: MaybeGrowth = Field(
        default=None, description="The largest share of the quantity there is: 0.20 is 20 %."
    )
    units: MaybeUnits = Field(default=None, description="The most units.")

    def value(self) -> Allowance:
        """Return the same as the model says it."""
        return Allowance(share=self.share, units=self.units)


class _OrFlag:
    """Publishes that true and false may be written where the value inside is a mapping or nothing."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        published = handler(schema)
        published["anyOf"] = [
            {"type": "boolean"} if each == {"type": "null"} else each for each in published["anyOf"]
        ]
        return published


AllowanceValue = Annotated[AllowanceShape | None, BeforeValidator(allowance_said), _OrFlag()]


class UnattendedShape(_Shape):
    """Which changes `connector nightly` makes without a person; the rest is held as NEEDS_APPROVAL."""

    increase: AllowanceValue = Field(
        default=AllowanceShape(),
        json_schema_extra={"default": True},
        description="A quantity that grows: true, false, or how far.",
    )
    decrease: AllowanceValue = Field(
        default=AllowanceShape(),
        json_schema_extra={"default": True},
        description="A quantity that falls, also to zero or to the end of the line: true, false, or how far.",
    )
    create: FlagValue = Field(default=True, description="A new addition.")
    adopt: FlagValue = Field(default=True, description="Taking over a line that people made.")
    price: FlagValue = Field(default=True, description="A price or cost that a rule owns.")

    def value(self) -> Unattended:
        """Return the same as the model says it."""
        return Unattended(
            increase=_allowance(self.increase),
            decrease=_allowance(self.decrease),
            create=self.create,
            adopt=self.adopt,
            price=self.price,
        )


class TicketShape(_Shape):
    """One ConnectWise ticket for each cause that needs a person, closed when the cause is gone."""

    company: TextValue = Field(
        description="The identifier of the company that tickets are opened for: yours."
    )
    board: TextValue | None = Field(default=None, description="The name of the service board.")
    closed: TextValue = Field(default="Closed", description="The board's status of a ticket that is done.")

    def value(self) -> TicketRules:
        """Return the same as the model says it."""
        return TicketRules(company=self.company, board=self.board or "", closed=self.closed)


class NotifyShape(_Shape):
    """What people are told of; where to, CONNECTOR_NOTIFY says."""

    success: FlagValue = Field(default=False, description="Tell also what went well, in a line or two.")
    ticket: TicketShape | None = Field(
        default=None, description="Open a ConnectWise ticket for each cause that needs a person."
    )

    def value(self) -> NotifyRules:
        """Return the same as the model says it."""
        return NotifyRules(
            success=self.success, ticket=self.ticket.value() if self.ticket is not None else None
        )


def _allowance(said: AllowanceShape | None) -> Allowance | None:
    return said.value() if said is not None else None
