"""Sophos Central Partner as a Flask app over one world (reference/sophos-api.md; checklist in section 10)."""

from collections.abc import Callable
from functools import wraps

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from .billing import Billing
from .rate_limits import RateLimits
from .sophos_answers import (
    BadParameterError,
    numbered_page,
    only_fields,
    page_size,
    sophos_error,
    sophos_json,
)
from .sophos_records import Tenant
from .sophos_shapes import (
    device_record,
    firewall_licence_record,
    licence_record,
    tenant_record,
)
from .sophos_token import issue_token
from .world import World

View = Callable[..., Response]
ORGANIZATION = "68cd665e-594f-4d04-a6c5-c3e03b7d3f4c"


def sophos_app(world: World) -> Flask:
    """Build the app; every request sees the world as it is at that moment."""
    app = Flask("sophos")
    routes = _Routes(world)
    app.before_request(_door(world))
    app.register_error_handler(BadParameterError, lambda _: sophos_error(world, 400))
    app.register_error_handler(HTTPException, lambda error: _no_such_route(world, error))
    for path, view in (
        ("/whoami/v1", routes.whoami),
        ("/partner/v1/tenants", _for_partner(world, routes.tenants)),
        ("/partner/v1/tenants/<tenant_id>", _for_partner(world, routes.tenant)),
        ("/partner/v1/billing/usage/<year>/<month>", _for_partner(world, Billing(world).usage)),
        ("/licenses/v1/licenses/firewalls", routes.firewall_licences),
        ("/licenses/v1/licenses", routes.tenant_licences),
        ("/firewall/v1/firewalls", routes.firewalls),
    ):
        app.add_url_rule(path, path, view)
    app.add_url_rule("/api/v2/oauth2/token", "token", lambda: issue_token(world), methods=["POST"])
    return app


class _Routes:
    """Everything but billing."""

    def __init__(self, world: World) -> None:
        self.world = world

    def whoami(self) -> Response:
        """Only tenant credentials get a `dataRegion` (section 1.3)."""
        world = self.world
        hosts = {"global": _host()}
        first_tenant = next(iter(world.tenants), world.partner_id)
        ids = {"partner": world.partner_id, "organization": ORGANIZATION, "tenant": first_tenant}
        if world.id_type == "tenant":
            hosts["dataRegion"] = _host()
        return sophos_json({"id": ids[world.id_type], "idType": world.id_type, "apiHosts": hosts})

    def tenants(self) -> Response:
        """List the customers of every billing type (section 2)."""
        world = self.world
        listed = list(world.tenants.values())
        if request.environ.get("simulator.shuffle"):
            world.chance.shuffle(listed)
        size = page_size(world, 50, world.largest_tenant_page)
        return numbered_page(listed, size, world.largest_tenant_page, self._tenant_record)

    def tenant(self, tenant_id: str) -> Response:
        """Show one customer."""
        known = self.world.tenants.get(tenant_id)
        if known is None:
            return sophos_error(self.world, 404)
        return sophos_json(only_fields(self._tenant_record(known)))

    def firewall_licences(self) -> Response:
        """With `X-Partner-ID` one list covers every customer (section 4.1)."""
        world = self.world
        partner = request.headers.get("X-Partner-ID")
        listed = list(world.firewalls.values())
        if partner is None:
            tenant = self._visible_tenant()
            if isinstance(tenant, Response):
                return tenant
            listed = [it for it in listed if tenant.id in {it.tenant, it.billing_tenant}]
        elif partner != world.partner_id or world.id_type != "partner":
            return sophos_error(world, 403)
        size = page_size(world, 50, 100)
        return numbered_page(listed, size, 100, lambda firewall: firewall_licence_record(world, firewall))

    def tenant_licences(self) -> Response:
        """One object without pages (section 4.2)."""
        tenant = self._visible_tenant()
        if isinstance(tenant, Response):
            return tenant
        if tenant.id in self.world.licences_hidden:
            return sophos_error(self.world, 403)
        records = [licence_record(self.world, licence) for licence in self.world.licences_of(tenant)]
        return sophos_json({"tenant": {"id": tenant.id}, "licenses": records})

    def firewalls(self) -> Response:
        """List the devices registered at one tenant (section 4.3)."""
        tenant = self._visible_tenant()
        if isinstance(tenant, Response):
            return tenant
        listed = [it for it in self.world.firewalls.values() if it.tenant == tenant.id]
        size = page_size(self.world, 100, 1000)
        return numbered_page(listed, size, 1000, lambda firewall: device_record(self.world, firewall))

    def _tenant_record(self, tenant: Tenant) -> dict[str, object]:
        return tenant_record(self.world, tenant, _host())

    def _visible_tenant(self) -> Tenant | Response:
        """Find the tenant of `X-Tenant-ID`; term customers and unmanaged ones answer 403 (section 2.3)."""
        tenant_id = request.headers.get("X-Tenant-ID")
        if tenant_id is None:
            return sophos_error(self.world, 401)
        known = self.world.tenants.get(tenant_id)
        if known is None or known.billing_type == "term" or not known.managed:
            return sophos_error(self.world, 403)
        return known


def _door(world: World) -> Callable[[], Response | None]:
    """Check request limits and the token before every route but the token's own."""
    limits = RateLimits(world.clock)

    def refused() -> Response | None:
        if request.path == "/api/v2/oauth2/token":
            return None
        wait = limits.wait() if world.sophos_limits else None
        if wait is not None:
            return sophos_error(world, 429, retry_after=wait if world.sophos_retry_after else None)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or world.tokens.get(token, 0) <= world.clock():
            return sophos_error(world, 401)
        return None

    return refused


def _for_partner(world: World, view: View) -> View:
    """Check `X-Partner-ID` (section 1.4): missing 401, another partner's 403, not a partner 404."""

    @wraps(view)
    def checked(**path: str) -> Response:
        if world.id_type != "partner":
            return sophos_error(world, 404)
        partner = request.headers.get("X-Partner-ID")
        if partner is None:
            return sophos_error(world, 401)
        return view(**path) if partner == world.partner_id else sophos_error(world, 403)

    return checked


def _no_such_route(world: World, error: HTTPException) -> Response:
    return sophos_error(world, error.code if error.code in {404, 405, 500} else 400)


def _host() -> str:
    """Name this server itself: a simulated answer must never lead a client out to the real Sophos."""
    return request.host_url.rstrip("/")
