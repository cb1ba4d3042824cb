"""Sophos's records as they are written out (reference/sophos-api.md, sections 2.3 and 4)."""

import uuid
from typing import Any

from .sophos_records import Firewall, Licence, Tenant
from .world import World


def tenant_record(world: World, tenant: Tenant, host: str) -> dict[str, Any]:
    """Write out a tenant (section 2.3)."""
    record: dict[str, Any] = {
        "id": tenant.id,
        "name": tenant.name,
        "showAs": tenant.show_as,
        "dataGeography": tenant.geography,
        "dataRegion": tenant.region,
        "billingType": tenant.billing_type,
        "partner": {"id": world.partner_id},
    }
    if tenant.organization_id:
        record["organization"] = {"id": tenant.organization_id}
    if tenant.with_api_host:
        record["apiHost"] = host
    record |= {
        "status": tenant.status,
        "managed": tenant.managed,
        "products": [{"code": code} for code in tenant.products],
    }
    if tenant.contact:
        contact = tenant.contact
        record["contact"] = {
            "firstName": contact.first_name,
            "lastName": contact.last_name,
            "email": contact.email,
            "phone": contact.phone,
            "address": {
                "address1": contact.street,
                "city": contact.city,
                "state": contact.state,
                "countryCode": contact.country,
                "postalCode": contact.postal_code,
            },
        }
    return record


def licence_record(world: World, licence: Licence) -> dict[str, Any]:
    """Write out a licence (section 4.1)."""
    record: dict[str, Any] = {
        "id": licence.id,
        "licenseIdentifier": licence.identifier,
        "product": {"code": licence.product_code, "name": licence.product_name},
        "startDate": licence.start,
        "endDate": licence.end,
        "perpetual": licence.type == "perpetual",
        "type": licence.type,
        "quantity": licence.quantity,
        "unlimited": licence.type == "perpetual",
    }
    if licence.count is not None:
        collected = f"{world.today}T23:10:00.000Z"
        record["usage"] = {
            "current": {"count": licence.count, "date": f"{world.today}", "collectedAt": collected}
        }
    return {name: value for name, value in record.items() if value is not None}


def firewall_licence_record(world: World, firewall: Firewall) -> dict[str, Any]:
    """Write out a firewall with its licences; no tenant is an empty object (section 4.1)."""
    owner = {"id": firewall.tenant, "type": "tenant"}
    record: dict[str, Any] = {
        "serialNumber": firewall.serial,
        "owner": owner if firewall.tenant else {"id": world.partner_id, "type": "partner"},
        "partner": {"id": world.partner_id},
        "tenant": {"id": firewall.tenant} if firewall.tenant else {},
    }
    if firewall.billing_tenant_sent:
        record["billingTenant"] = {"id": firewall.billing_tenant} if firewall.billing_tenant else None
    record |= {"model": firewall.model, "modelType": "virtual" if firewall.virtual else "hardware"}
    if firewall.last_seen:
        record["lastSeenAt"] = firewall.last_seen
    return record | {"licenses": [licence_record(world, licence) for licence in firewall.licences]}


def device_record(world: World, firewall: Firewall) -> dict[str, Any]:
    """Write out a firewall as the tenant's own region lists it (section 4.3)."""
    name = firewall.serial.casefold()
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "tenant": {"id": firewall.tenant},
        "serialNumber": firewall.serial,
        "hostname": name,
        "name": name,
        "externalIpv4Addresses": ["192.0.2.10"],
        "firmwareVersion": "SFOS_20.0.1.342",
        "model": f"{firewall.model.replace(' ', '')}_XN01_SFOS 20.0.1",
        "status": {"managing": "approved", "reporting": "approved", "connected": True, "suspended": False},
        "stateChangedAt": f"{world.today}T06:11:00.000Z",
        "capabilities": [],
        "createdAt": "2025-01-15T09:00:00.000Z",
        "updatedAt": f"{world.today}T06:11:00.000Z",
    }
