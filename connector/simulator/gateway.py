"""What stands before ConnectWise's routes: code base and keys (reference/connectwise-api.md, section 1)."""

import base64
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Response, request

from .connectwise_answers import connectwise_error
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_API = re.compile(r"/(?P<codebase>[^/]+)/apis/3\.0(?P<route>/.*)?")
_CANNOT_ROUTE = "Cannot route. Codebase/company is invalid"


class Gateway:
    """Takes the code base off the path, as the cloud gateway does; routes ignore case (section 8)."""

    def __init__(self, world: World, app: "WSGIApplication") -> None:
        self._world = world
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass a request on to the routes, or answer for them."""
        path = environ["PATH_INFO"]
        if path.startswith("/login/"):
            return self._app(environ, start_response)
        match = _API.fullmatch(path)
        route = (match["route"] or "/") if match else "/"
        current = self._world.codebase.strip("/")
        if match is None or route.startswith("/apis/3.0") or not self._known(match["codebase"]):
            return Response(_CANNOT_ROUTE, 400, content_type="text/plain")(environ, start_response)
        if match["codebase"] not in {"v4_6_release", current}:
            # A code base of another release: gone after an upgrade (section 1.1).
            return connectwise_error(404, "NotFound", "Not Found")(environ, start_response)
        environ["simulator.codebase"], environ["simulator.route"] = current, route
        environ["PATH_INFO"] = route.rstrip("/").casefold()
        return self._app(environ, start_response)

    @staticmethod
    def _known(codebase: str) -> bool:
        return codebase == "v4_6_release" or re.fullmatch(r"v\d{4}_\d+", codebase) is not None


def refused(world: World) -> Response | None:
    """Check keys and clientId (section 1.3)."""
    if request.path.startswith("/login/"):
        return None
    wanted = f"{world.company_login}+{world.public_key}:{world.private_key}"
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "basic" or given != base64.b64encode(wanted.encode()).decode():
        if world.bad_keys_answer == 404:
            return connectwise_error(404, "NotFound", "Not Found")
        return connectwise_error(401, "Unauthorized", "Incorrect public/private key")
    if request.headers.get("clientId", "").casefold() != world.connectwise_client_id:
        status = world.missing_client_id_answer
        return connectwise_error(
            status, "InvalidClientId", "The clientId header is missing or not registered."
        )
    return None
