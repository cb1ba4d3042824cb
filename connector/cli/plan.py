"""`plan`, `apply` and `sync`."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.listing import period_of, source_of
from connector.cli.running import begun_run
from connector.cli.terminal import answer

if TYPE_CHECKING:
    from connector.planning.change import Plan
    from connector.planning.findings import Options
    from connector.reports.outcome import Run

CHANGES = 7

PeriodText = Annotated[
    str | None,
    typer.Argument(metavar="[PERIOD]", help="YYYY-MM; left out, the newest month that Sophos has published."),
]
TenantId = Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Only this Sophos tenant.")]
ProductCode = Annotated[str | None, typer.Option("--product", metavar="CODE", help="Only this product code.")]
Adopt = Annotated[bool, typer.Option("--adopt", help="Take over lines that people made for mapped items.")]
Recreate = Annotated[bool, typer.Option("--recreate", help="Make lines again that somebody ended.")]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="With a plan: exit 7 when there are changes to make.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only plan; the same as `connector plan`.")]
Force = Annotated[
    list[str] | None,
    typer.Option(
        "--force",
        metavar="GUARD",
        help="Release a guard, the code of a held change, or all. May be repeated.",
    ),
]
SourceName = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="api|file|live",
        help="Sophos's invoice, an imported file, or today's live counts.",
    ),
]
Restate = Annotated[
    bool, typer.Option("--restate", help="Carry what has changed in a month since it was billed.")
]
Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="The plan's digest, as `connector plan` shows it.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("plan")(plan)
    app.command("apply")(apply)
    app.command("sync")(sync)


def plan(
    ctx: typer.Context,
    period: PeriodText = None,
    tenant: TenantId = None,
    product: ProductCode = None,
    adopt: Adopt = False,
    recreate: Recreate = False,
    source: SourceName = "api",
    restate: Restate = False,
    exit_code: ExitCode = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Read both sides, store the plan and print it. Writes nothing to ConnectWise."""
    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    options = _options(tenant, product, adopt=adopt, recreate=recreate, restate=restate)
    month, chosen = period_of(period), source_of(source)
    with begun_run(called, "plan", options, chosen) as pipeline:
        made = pipeline.plan(month, options, chosen)
        code = _plan_code(made, exit_code=exit_code)
        pipeline.finish(code)
    _show_plan(called, made)
    raise typer.Exit(code)


def apply(
    ctx: typer.Context,
    digest: Digest,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Carry out a stored plan, if a fresh one is still the same.

    The fresh one may lack what the ledger knows is done: so a broken run is gone on with.
    """
    from connector.errors import CommandFault
    from connector.ledger.completion import source_of_plan
    from connector.planning.findings import Options
    from connector.planning.sources import API, source_named

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    if not re.fullmatch(r"[0-9a-f]{12}", digest):
        raise CommandFault(
            f"{digest!a} is no digest of a plan.", "Copy it from the first line of: connector plan"
        )
    stored = source_of_plan(called.state_folder, digest)
    with begun_run(called, "apply", Options(), source_named(stored) if stored else API) as pipeline:
        run = pipeline.apply_stored(digest)
        pipeline.finish(run.exit_code)
    _show_run(called, run)
    raise typer.Exit(run.exit_code)


def sync(
    ctx: typer.Context,
    period: PeriodText = None,
    tenant: TenantId = None,
    product: ProductCode = None,
    adopt: Adopt = False,
    recreate: Recreate = False,
    source: SourceName = "api",
    restate: Restate = False,
    dry_run: DryRun = False,
    exit_code: ExitCode = False,
    force: Force = None,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Plan, guard and apply in one go."""
    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    options = _options(tenant, product, adopt=adopt, recreate=recreate, restate=restate, force=force or [])
    month, chosen = period_of(period), source_of(source)
    with begun_run(called, "plan" if dry_run else "sync", options, chosen) as pipeline:
        made = pipeline.plan(month, options, chosen)
        run = None if dry_run else pipeline.apply(made, made.digest)
        code = _plan_code(made, exit_code=exit_code) if run is None else run.exit_code
        pipeline.finish(code)
    if run is None:
        _show_plan(called, made)
    else:
        _show_run(called, run)
    raise typer.Exit(code)


def _plan_code(made: "Plan", *, exit_code: bool) -> int:
    return made.exit_code or (CHANGES if exit_code and made.to_make else 0)


def _options(
    tenant: str | None,
    product: str | None,
    *,
    adopt: bool,
    recreate: bool,
    restate: bool,
    force: list[str] | None = None,
) -> "Options":
    from connector.errors import CommandFault
    from connector.model import tenant_id_of
    from connector.planning.codes import checked_force
    from connector.planning.findings import Options

    if restate and (tenant is not None or product is not None):
        raise CommandFault(
            "--restate carries all of a month: half of it would be taken for what was billed.",
            "Leave out --tenant and --product.",
        )
    return Options(
        tenant=tenant_id_of(tenant) if tenant is not None else None,
        product=product,
        adopt=adopt,
        recreate=recreate,
        restate=restate,
        force=checked_force(force or []),
    )


def _show_plan(called: Invocation, made: "Plan") -> None:
    from connector.reports.document import json_text, plan_document
    from connector.reports.text import plan_text

    answer(json_text(plan_document(made)) if called.json else plan_text(made))


def _show_run(called: Invocation, run: "Run") -> None:
    from connector.reports.document import json_text, run_document
    from connector.reports.text import run_text

    answer(json_text(run_document(run)) if called.json else run_text(run))
