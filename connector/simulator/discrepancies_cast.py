"""Who and what is in the world of discrepancies: products, items of the catalog, customers and their use."""

from typing import Literal

ENDPOINT, SERVER, EMAIL, ENCRYPTION = "CIXA-MSP", "SVRCLOUDADV-MSP", "CEMA-MSP", "CDE-MSP"
MDR, MDR_SERVER, PHISH, NDR = "CIXAMTR-ADV-MSP", "SVRCIXAMTR-ADV-MSP", "CPHISH-MSP", "NDR-MSP"
MOBILE, NEW_MOBILE = "CMA-MSP", "DEMO-CMA2-MSP"
XGS, VIRTUAL = "DEMO-XGS107-XSP-MSP", "DEMO-SW2C4-XSP-MSP"
SPARE = "X1C7DEMOSPARE04"

PRODUCTS: tuple[tuple[str, str, Literal["User", "Server", "Device"], str, str | None], ...] = (
    # code, name, group, price, the item that bills it
    (ENDPOINT, "Sophos Endpoint - User", "User", "2.10", "SOPHOS-ENDPOINT"),
    (SERVER, "Sophos Endpoint - Server", "Server", "5.25", "SOPHOS-SERVER"),
    (EMAIL, "Sophos Email Advanced - User", "User", "1.75", "SOPHOS-EMAIL"),
    (ENCRYPTION, "Sophos Device Encryption - User", "User", "0.70", "SOPHOS-ENCRYPTION"),
    (MDR, "Sophos MDR Complete - User", "User", "7.00", "SOPHOS-MDR"),
    (MDR_SERVER, "Sophos MDR Complete - Server", "Server", "14.00", "SOPHOS-MDR"),
    (MOBILE, "Sophos Mobile Advanced - User", "User", "1.40", "SOPHOS-MOBILE"),
    (XGS, "XGS 107 Xstream Protection", "Device", "42.00", "SOPHOS-XGS107"),
    (VIRTUAL, "SF SW/Virtual Xstream Protection", "Device", "28.00", "SOPHOS-VFW"),
    (PHISH, "Sophos Phish Threat - User", "User", "0.50", None),
    (NDR, "Sophos Network Detection and Response", "Server", "21.00", None),
    (NEW_MOBILE, "Sophos Mobile Advanced with Threat Defence - User", "User", "1.45", None),
)
ITEMS = (
    # identifier, description, price, cost
    ("SOPHOS-ENDPOINT", "Endpoint protection, per user", "4.50", "2.10"),
    ("SOPHOS-SERVER", "Endpoint protection, per server", "11.00", "5.25"),
    ("SOPHOS-EMAIL", "E-mail protection, per mailbox", "3.50", "1.75"),
    ("SOPHOS-ENCRYPTION", "Disk encryption, per user", "1.50", "0.70"),
    ("SOPHOS-MDR", "Managed detection and response, per device", "30.00", "14.00"),
    ("SOPHOS-MOBILE", "Mobile protection, per user", "3.00", "1.40"),
    ("SOPHOS-XGS107", "Firewall XGS 107 with protection", "75.00", "42.00"),
    ("SOPHOS-VFW", "Virtual firewall with protection", "52.00", "28.00"),
    ("MANAGED-DESKTOP", "Managed desktop", "45.00", "12.00"),
)
CUSTOMERS: dict[str, dict[str, int]] = {
    # Right: a product that is off, a bundle of two codes, two tenants on one agreement, a firewall that the
    # map places beside one that Sophos does, units that are included, and a customer who is off.
    "Alder Dental": {ENDPOINT: 18, SERVER: 2, EMAIL: 16, PHISH: 18},
    "Birch Legal": {MDR: 42, MDR_SERVER: 5},
    "Cedar Freight": {ENDPOINT: 19, EMAIL: 19},
    "Dogwood Clinics": {ENDPOINT: 12, ENCRYPTION: 12},
    "Elm Foundry": {ENDPOINT: 25},
    "Zelkova Schools": {ENDPOINT: 60},
    # Wrong from November on, each in one way, but for Fir Bakery with two.
    "Fir Bakery": {ENDPOINT: 20, ENCRYPTION: 8},
    "Gorse Media": {ENDPOINT: 29},
    "Hazel Property": {EMAIL: 9},
    "Ivy Logistics": {ENDPOINT: 25, EMAIL: 25},
    "Juniper Trust": {ENDPOINT: 30},
    "Kapok Studios": {ENDPOINT: 12},
    "Larch Accounting": {ENDPOINT: 14},
    "Nutmeg Foods": {ENDPOINT: 11, MOBILE: 11},
    "Olive Travel": {ENDPOINT: 16, MOBILE: 15},
    "Poplar Care": {MDR: 30, MDR_SERVER: 4},
    "Quince Events": {ENDPOINT: 7},
    "Rowan Builders": {ENDPOINT: 20},
    "Spruce Energie": {ENDPOINT: 22},
    "Tamarisk Spa": {ENDPOINT: 10},
    "Upas Botanics": {ENDPOINT: 13},
    "Willow Weddings": {ENDPOINT: 14},
    "Yew Solicitors": {ENDPOINT: 17},
}
# The second tenants of two customers, which share their agreements.
BRANCHES = {"Cedar Freight": ("Cedar Freight, Galway", 6), "Gorse Media": ("Gorse Media, London", 6)}
