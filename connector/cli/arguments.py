"""What commands name: a product code, an item, a tenant, a firewall; each completes in a shell."""

from typing import Annotated

import typer

from connector.cli.completion import complete_code, complete_item, complete_serial, complete_tenant

Code = Annotated[
    str,
    typer.Argument(metavar="CODE", help="The product code, as Sophos has it.", autocompletion=complete_code),
]
ItemText = Annotated[
    str | None,
    typer.Argument(
        metavar="ITEM",
        help="The item's identifier or id; left out, choose it on a terminal.",
        autocompletion=complete_item,
    ),
]
TenantText = Annotated[
    str,
    typer.Argument(
        metavar="TENANT", help="A tenant's id, or its name if unique.", autocompletion=complete_tenant
    ),
]
Serial = Annotated[
    str,
    typer.Argument(metavar="SERIAL", help="The firewall's serial number.", autocompletion=complete_serial),
]
