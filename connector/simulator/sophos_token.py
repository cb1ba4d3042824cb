"""Sophos's token endpoint, which has an error shape of its own (reference/sophos-api.md, section 1.1)."""

import base64
from collections.abc import Mapping

from flask import Response, request

from .sophos_answers import sophos_json
from .world import World


def issue_token(world: World) -> Response:
    """Give a token for the right client id and secret; 401 for wrong ones, 400 for a malformed request."""
    said = _said()
    if said is None:
        return _refusal(world, 400, "oauth.invalid_request", "Bad Request")
    if said.get("client_id") != world.sophos_client_id:
        return _refusal(world, 401, "oauth.invalid_client_id")
    if said.get("client_secret") != world.sophos_client_secret:
        return _refusal(world, 401, "oauth.invalid_client_secret")
    token = _token_text(world)
    world.tokens[token] = world.clock() + world.token_lifetime
    body = {
        "access_token": token,
        "errorCode": "success",
        "expires_in": world.token_lifetime,
        "message": "OK",
        "refresh_token": f"DEMO-REFRESH-{world.fresh_uuid()}",
        "token_type": "bearer",
        "trackingId": world.fresh_uuid(),
    }
    return sophos_json(body)


def _said() -> Mapping[str, str] | None:
    """Read the request: a form for a first token, JSON for a refresh; anything else is malformed."""
    if request.mimetype == "application/x-www-form-urlencoded":
        said = request.form
        whole = said.get("grant_type") == "client_credentials" and said.get("scope") == "token"
        return said if whole else None
    body = request.get_json(silent=True)
    refresh = (
        isinstance(body, dict) and body.get("grant_type") == "refresh_token" and body.get("refresh_token")
    )
    return body if refresh else None


def _token_text(world: World) -> str:
    """Make a token of the usual look and length, a JWT of one to two kilobytes."""
    payload = f'{{"sub":"{world.fresh_uuid()}","pad":"{"x" * 700}"}}'
    claims = base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.{claims}.{world.fresh_uuid()}"


def _refusal(world: World, status: int, code: str, message: str = "Unauthorized") -> Response:
    return sophos_json({"errorCode": code, "message": message, "trackingId": world.fresh_uuid()}, status)
