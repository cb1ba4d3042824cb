"""Steering a running simulator over HTTP, for people at `connector simulate`."""

from dataclasses import fields
from datetime import date
from typing import Any

from flask import Flask, Response, request

from .faults import Fault, Faults
from .json_text import json_text
from .request_log import RequestLog
from .world import World


def control_app(world: World, faults: Faults, log: RequestLog) -> Flask:
    """Build the app behind `/simulator/`: look at the world, set the day, arm faults."""
    app = Flask("control")
    app.url_map.strict_slashes = False

    @app.get("/simulator/")
    def overview() -> Response:
        """Say in short what is there."""
        with world.lock:
            months = [f"{year}-{month:02}" for year, month in sorted(world.usage)]
            body = {
                "today": f"{world.today}",
                "months": {
                    month: "published" if world.is_published(month) else "not yet" for month in months
                },
                "tenants": len(world.tenants),
                "firewalls": len(world.firewalls),
                "companies": len(world.companies),
                "agreements": len(world.agreements),
                "items": len(world.items),
                "additions": len(world.additions),
                "writes": len(world.history),
                "faults": [_described(fault) for fault in faults.waiting],
            }
        return _json(body)

    @app.get("/simulator/requests")
    def requests() -> Response:
        """List what has arrived."""
        return _json([{f.name: getattr(it, f.name) for f in fields(it)} for it in log.all])

    @app.post("/simulator/faults")
    def arm() -> Response:
        """Arm a fault: the words of `Fault` as JSON."""
        said = request.get_json(silent=True)
        try:
            fault = Fault(**said) if isinstance(said, dict) else None
        except (TypeError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        if fault is None:
            return _json({"error": 'say for example {"kind": "429", "vendor": "connectwise"}'}, 400)
        faults.add(fault)
        return _json(_described(fault), 201)

    @app.delete("/simulator/faults")
    def disarm() -> Response:
        """Clear all faults."""
        faults.clear()
        return Response(status=204)

    @app.post("/simulator/today")
    def today() -> Response:
        """Set the day."""
        said: Any = request.get_json(silent=True)
        try:
            day = date.fromisoformat(said["today"])
        except (TypeError, KeyError, ValueError):
            return _json({"error": 'say for example {"today": "2026-10-28"}'}, 400)
        world.advance(day)
        return _json({"today": f"{world.today}"})

    return app


def _described(fault: Fault) -> dict[str, Any]:
    return {f.name: getattr(fault, f.name) for f in fields(fault) if f.name != "edit"}


def _json(body: object, status: int = 200) -> Response:
    return Response(json_text(body), status, content_type="application/json")
