"""ConnectWise PSA as a Flask app over one world (reference/connectwise-api.md; checklist in section 11)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from .additions import AdditionRules, ConflictError, addition_of
from .additions_report import NAMES, Matching, report_columns, report_count, report_rows
from .catalog import CatalogRules
from .conditions import ConditionError
from .connectwise_answers import (
    BadRequestError,
    InvalidObjectError,
    NotFoundError,
    WrongTypeError,
    connectwise_error,
    connectwise_json,
    invalid_object,
)
from .connectwise_records import Lookup
from .connectwise_shapes import (
    addition_shape,
    agreement_shape,
    company_shape,
    item_shape,
    lookup_shape,
    recap_shape,
)
from .gateway import Gateway, refused
from .json_text import read_json
from .lists import Shape, count_answer, list_answer, own_url
from .tickets import TicketRules, note_written, ticket_shape
from .world import World

View = Callable[..., Response]
_NO_RIGHT = "You do not have security permission to perform this action."


def connectwise_app(world: World) -> Flask:
    """Build the app; every request sees the world as it is at that moment."""
    app = Flask("connectwise")
    app.wsgi_app = Gateway(world, app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(lambda: refused(world))
    _answer_errors(app)
    _add_companies(app, world)
    _add_agreements(app, world)
    _add_additions(app, world)
    _add_catalog(app, world)
    _add_tickets(app, world)
    _add_system(app, world)

    @app.after_request
    def sign(response: Response) -> Response:
        response.headers["api-current-version"] = "2025.1"
        response.headers["x-cw-request-id"] = world.fresh_uuid()
        response.headers["x-server-name"] = "SIMULATOR"
        return response

    return app


def _answer_errors(app: Flask) -> None:
    app.register_error_handler(InvalidObjectError, invalid_object)
    app.register_error_handler(ConflictError, lambda error: connectwise_error(409, "Conflict", str(error)))
    app.register_error_handler(NotFoundError, lambda error: connectwise_error(404, "NotFound", str(error)))
    for kind in (ConditionError, BadRequestError):
        app.register_error_handler(kind, lambda error: connectwise_error(400, "BadRequest", str(error)))
    app.register_error_handler(
        WrongTypeError, lambda error: connectwise_error(500, "ConnectWiseApi", str(error))
    )

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response:
        return connectwise_error(
            error.code or 500, error.name.replace(" ", ""), error.description or error.name
        )


def _needs(world: World, right: str) -> Callable[[View], View]:
    """Refuse a route when the role of the API member lacks the right."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(**path: Any) -> Response:
            if right not in world.rights:
                return connectwise_error(403, "Security", _NO_RIGHT)
            return view(**path)

        return guarded

    return guard


def _body() -> Any:
    """Read the body; what is no JSON is the client's mistake."""
    if request.mimetype != "application/json":
        raise BadRequestError("Content-Type must be application/json")
    try:
        return read_json(request.get_data())
    except ValueError:
        raise BadRequestError("The body is not JSON") from None


def _written(shape: Shape[Any], record: Any, status: int = 200) -> Response:
    return connectwise_json(shape.written(record, request.args.get("fields")), status)


def _found(records: dict[int, Any], record_id: int, name: str) -> Any:
    if record_id not in records:
        raise NotFoundError(f"{name} {record_id} not found")
    return records[record_id]


def _by_id(records: dict[int, Any]) -> list[Any]:
    """Return records by id, which mostly is the order they were made in."""
    ids = sorted(records)
    if ids == list(records):
        return list(records.values())
    return [records[record_id] for record_id in ids]


def _add_table(app: Flask, world: World, route: str, rows: Callable[[], tuple[Lookup, ...]]) -> None:
    """Serve a setup table as it is at that moment: list, count and one row."""
    name = route.rsplit("/", 1)[1]

    def shape() -> Shape[Lookup]:
        return lookup_shape(name, world, own_url())

    def one(row_id: int) -> Response:
        return _written(shape(), _found({row.id: row for row in rows()}, row_id, name))

    app.add_url_rule(route, route, lambda: list_answer(world, shape(), rows()))
    app.add_url_rule(f"{route}/count", f"{route} count", lambda: count_answer(world, shape(), rows()))
    app.add_url_rule(f"{route}/<int:row_id>", f"{route} one", one)


def _add_companies(app: Flask, world: World) -> None:
    needed = _needs(world, "companies")

    @app.get("/company/companies")
    @needed
    def companies() -> Response:
        return list_answer(world, company_shape(world, own_url()), _by_id(world.companies))

    @app.get("/company/companies/count")
    @needed
    def company_count() -> Response:
        return count_answer(world, company_shape(world, own_url()), _by_id(world.companies))

    @app.get("/company/companies/<int:company_id>")
    @needed
    def company(company_id: int) -> Response:
        return _written(company_shape(world, own_url()), _found(world.companies, company_id, "Company"))

    _add_table(app, world, "/company/companies/statuses", lambda: world.tables.company_statuses)
    _add_table(app, world, "/company/companies/types", lambda: world.tables.company_types)


def _add_agreements(app: Flask, world: World) -> None:
    needed = _needs(world, "agreements")

    @app.get("/finance/agreements")
    @needed
    def agreements() -> Response:
        return list_answer(world, agreement_shape(world, own_url()), _by_id(world.agreements))

    @app.get("/finance/agreements/count")
    @needed
    def agreement_count() -> Response:
        return count_answer(world, agreement_shape(world, own_url()), _by_id(world.agreements))

    @app.get("/finance/agreements/<int:agreement_id>")
    @needed
    def agreement(agreement_id: int) -> Response:
        found = _found(world.agreements, agreement_id, "Agreement")
        return _written(agreement_shape(world, own_url()), found)

    @app.get("/finance/agreementrecap")
    @needed
    def recaps() -> Response:
        return list_answer(world, recap_shape(world), _by_id(world.agreements))

    @app.get("/finance/agreementrecap/<int:agreement_id>")
    @needed
    def recap(agreement_id: int) -> Response:
        return _written(recap_shape(world), _found(world.agreements, agreement_id, "Agreement"))

    _add_table(app, world, "/finance/agreements/types", lambda: world.tables.agreement_types)
    _add_table(app, world, "/finance/billingcycles", lambda: world.tables.billing_cycles)


def _add_additions(app: Flask, world: World) -> None:
    rules = AdditionRules(world)
    reading, writing = _needs(world, "additions.read"), _needs(world, "additions.write")
    route = "/finance/agreements/<int:agreement_id>/additions"

    @app.before_request
    def may_be_seen() -> Response | None:
        """Refuse what the API member may not see, to read and to write alike."""
        hidden = (request.view_args or {}).get("agreement_id") in world.additions_hidden
        is_addition = hidden and "/additions" in request.path
        return connectwise_error(403, "Security", _NO_RIGHT) if is_addition else None

    def of(agreement_id: int) -> list[Any]:
        _found(world.agreements, agreement_id, "Agreement")
        return sorted(world.additions.of(agreement_id), key=lambda addition: addition.id)

    @app.get(route)
    @reading
    def additions(agreement_id: int) -> Response:
        return list_answer(world, addition_shape(world, own_url()), of(agreement_id))

    @app.get(f"{route}/count")
    @reading
    def addition_count(agreement_id: int) -> Response:
        return count_answer(world, addition_shape(world, own_url()), of(agreement_id))

    @app.get(f"{route}/<int:addition_id>")
    @reading
    def addition(agreement_id: int, addition_id: int) -> Response:
        return _written(addition_shape(world, own_url()), addition_of(world, agreement_id, addition_id))

    @app.post(route)
    @writing
    def create(agreement_id: int) -> Response:
        made = rules.create(_found(world.agreements, agreement_id, "Agreement"), _body())
        return _written(addition_shape(world, own_url()), made, 201)

    @app.patch(f"{route}/<int:addition_id>")
    @writing
    def change(agreement_id: int, addition_id: int) -> Response:
        changed = rules.change(addition_of(world, agreement_id, addition_id), _body())
        return _written(addition_shape(world, own_url()), changed)

    @app.put(f"{route}/<int:addition_id>")
    @writing
    def replace(agreement_id: int, addition_id: int) -> Response:
        fresh = rules.replace(addition_of(world, agreement_id, addition_id), _body())
        return _written(addition_shape(world, own_url()), fresh)

    @app.delete(f"{route}/<int:addition_id>")
    @writing
    def delete(agreement_id: int, addition_id: int) -> Response:
        rules.delete(addition_of(world, agreement_id, addition_id))
        return Response(status=204)


def _add_catalog(app: Flask, world: World) -> None:
    rules = CatalogRules(world)
    reading, writing = _needs(world, "catalog.read"), _needs(world, "catalog.write")

    @app.get("/procurement/catalog")
    @reading
    def items() -> Response:
        return list_answer(world, item_shape(world, own_url()), _by_id(world.items))

    @app.get("/procurement/catalog/count")
    @reading
    def item_count() -> Response:
        return count_answer(world, item_shape(world, own_url()), _by_id(world.items))

    @app.get("/procurement/catalog/<int:item_id>")
    @reading
    def one_item(item_id: int) -> Response:
        return _written(item_shape(world, own_url()), _found(world.items, item_id, "CatalogItem"))

    @app.post("/procurement/catalog")
    @writing
    def create_item() -> Response:
        return _written(item_shape(world, own_url()), rules.create(_body()), 201)

    @app.patch("/procurement/catalog/<int:item_id>")
    @writing
    def change_item(item_id: int) -> Response:
        changed = rules.change(_found(world.items, item_id, "CatalogItem"), _body())
        return _written(item_shape(world, own_url()), changed)

    _add_table(app, world, "/procurement/categories", lambda: world.tables.categories)
    _add_table(app, world, "/procurement/subcategories", lambda: world.tables.subcategories)
    _add_table(app, world, "/procurement/types", lambda: world.tables.product_types)
    _add_table(app, world, "/procurement/unitofmeasures", lambda: world.tables.units)


def _add_tickets(app: Flask, world: World) -> None:
    rules = TicketRules(world)
    needed = _needs(world, "tickets")

    @app.get("/service/tickets")
    @needed
    def tickets() -> Response:
        return list_answer(world, ticket_shape(world), _by_id(world.tickets))

    @app.get("/service/tickets/count")
    @needed
    def ticket_count() -> Response:
        return count_answer(world, ticket_shape(world), _by_id(world.tickets))

    @app.get("/service/tickets/<int:ticket_id>")
    @needed
    def ticket(ticket_id: int) -> Response:
        return _written(ticket_shape(world), _found(world.tickets, ticket_id, "Ticket"))

    @app.post("/service/tickets")
    @needed
    def open_ticket() -> Response:
        return _written(ticket_shape(world), rules.create(_body()), 201)

    @app.patch("/service/tickets/<int:ticket_id>")
    @needed
    def change_ticket(ticket_id: int) -> Response:
        changed = rules.change(_found(world.tickets, ticket_id, "Ticket"), _body())
        return _written(ticket_shape(world), changed)

    @app.get("/service/tickets/<int:ticket_id>/notes")
    @needed
    def notes(ticket_id: int) -> Response:
        found = _found(world.tickets, ticket_id, "Ticket")
        return connectwise_json([note_written(found, note) for note in found.notes])

    @app.post("/service/tickets/<int:ticket_id>/notes")
    @needed
    def add_note(ticket_id: int) -> Response:
        found = _found(world.tickets, ticket_id, "Ticket")
        return connectwise_json(note_written(found, rules.add_note(found, _body())), 201)


def _add_system(app: Flask, world: World) -> None:
    @app.get("/login/companyinfo/<company>")
    def company_info(company: str) -> Response:
        """Case-sensitive, without credentials; unknown companies get the body `null` (section 1.1)."""
        if company != world.company_login:
            return connectwise_json(None)
        body = {
            "CompanyName": world.partner_name,
            "Codebase": world.codebase,
            "VersionCode": world.codebase.strip("/").replace("_", "."),
            "VersionNumber": "v4.6.12345",
            "CompanyID": company,
            "IsCloud": str(world.is_cloud),
        }
        return connectwise_json(body)

    @app.get("/system/info")
    def info() -> Response:
        body = {
            "version": "v2025.1.10333",
            "isCloud": world.is_cloud,
            "serverTimeZone": "GMT Standard Time",
            "licenseBits": [{"name": "Agreement", "activeFlag": True}],
            "cloudRegion": "EU",
            "maxWorkFlowRecordsAllowed": 1000,
        }
        return connectwise_json(body)

    needed, matching = _needs(world, "reports"), Matching(world)

    def report(answer: Callable[[], Response]) -> Response:
        if not world.report_available:
            raise NotFoundError("Report AgreementAdditions not found")
        return answer()

    @app.get("/system/reports")
    @needed
    def reports() -> Response:
        names = [name for name in NAMES if name != "AgreementAdditions" or world.report_available]
        return connectwise_json([{"name": name} for name in names])

    @app.get("/system/reports/agreementadditions")
    @needed
    def rows() -> Response:
        return report(lambda: report_rows(world, matching))

    @app.get("/system/reports/agreementadditions/columns")
    @needed
    def columns() -> Response:
        return report(report_columns)

    @app.get("/system/reports/agreementadditions/count")
    @needed
    def count() -> Response:
        return report(lambda: report_count(matching))
