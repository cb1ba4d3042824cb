"""The views of connector.db for other programs: Excel, Power BI, Datasette (README, "Reading the ledger").

Each quantity is there twice: as exact text, and as `..._real` for a spreadsheet to add up. A step that made
them is never edited: what is to be otherwise is a new step.
"""

_FED_BY = """(
    SELECT group_concat(json_extract(part.value, '$[2]') || ' ' || json_extract(part.value, '$[1]') || ' of '
        || coalesce(tenants.name, json_extract(part.value, '$[0]')), ' + ')
    FROM json_each({parts}) AS part LEFT JOIN tenants ON tenants.id = json_extract(part.value, '$[0]')
)"""

VIEWS = (
    # One row for each addition that is or was ours, as last written or seen by a run that applied.
    f"""
    CREATE VIEW v_billing AS
    SELECT coalesce(runs.period, plans.period) AS period, agreements.company,
        additions.agreement_id, agreements.name AS agreement,
        additions.item_id, items.identifier AS item, additions.id AS addition_id,
        CASE WHEN additions.closed THEN 'replaced' WHEN additions.ended IS NOT NULL THEN 'ended'
            ELSE 'billing' END AS state,
        additions.quantity, CAST(additions.quantity AS REAL) AS quantity_real,
        {_FED_BY.format(parts="additions.parts")} AS fed_by,
        additions.run, runs.started_at AS run_at
    FROM additions JOIN runs ON runs.id = additions.run
    LEFT JOIN plans ON plans.digest = runs.digest
    LEFT JOIN agreements ON agreements.id = additions.agreement_id
    LEFT JOIN items ON items.id = additions.item_id
    """,  # noqa: S608  (our own words)
    # What the newest plan over all tenants of each period could not place; undoing a run places nothing.
    """
    CREATE VIEW v_unresolved AS
    WITH newest AS (
        SELECT plans.period, max(plans.run) AS run FROM plans JOIN runs ON runs.id = plans.run
        WHERE json_extract(plans.options, '$.tenant') IS NULL
            AND json_extract(plans.options, '$.product') IS NULL
            AND json_extract(plans.options, '$.only') IS NULL AND runs.kind <> 'undo'
        GROUP BY plans.period
    )
    SELECT plans.period, plans.source, plans.run, plans.stored_at AS planned_at,
        json_extract(entry.value, '$.code') AS code,
        json_extract(entry.value, '$.tenant_id') AS tenant_id, tenants.name AS tenant,
        json_extract(entry.value, '$.product_code') AS product_code, products.name AS product,
        json_extract(entry.value, '$.serial') AS serial,
        json_extract(entry.value, '$.quantity') AS quantity,
        CAST(json_extract(entry.value, '$.quantity') AS REAL) AS quantity_real,
        json_extract(entry.value, '$.message') AS message, json_extract(entry.value, '$.next') AS next
    FROM plans JOIN newest ON newest.period = plans.period AND newest.run = plans.run
    JOIN json_each(plans.document, '$.unresolved') AS entry
    LEFT JOIN tenants ON tenants.id = json_extract(entry.value, '$.tenant_id')
    LEFT JOIN products ON products.code = json_extract(entry.value, '$.product_code')
    """,
    # Each change of each run that applied, the newest last.
    f"""
    CREATE VIEW v_changes AS
    SELECT changes.run, coalesce(changes.answered_at, changes.sent_at, runs.started_at) AS at, runs.who,
        coalesce(runs.period, plans.period) AS period, changes.kind, agreements.company,
        changes.agreement_id, agreements.name AS agreement,
        changes.item_id, items.identifier AS item, changes.addition_id,
        changes.before, CAST(changes.before AS REAL) AS before_real,
        changes.after, CAST(changes.after AS REAL) AS after_real,
        {_FED_BY.format(parts="changes.parts")} AS fed_by,
        changes.because, changes.outcome, changes.held, changes.message
    FROM changes JOIN runs ON runs.id = changes.run
    LEFT JOIN plans ON plans.digest = changes.digest
    LEFT JOIN agreements ON agreements.id = changes.agreement_id
    LEFT JOIN items ON items.id = changes.item_id
    ORDER BY changes.id
    """,  # noqa: S608  (our own words)
    # Each firewall, with the last month whose usage names it, as the newest run read that month; live counts
    # name no firewall. Beside max(), SQLite takes the other columns from the row that has the largest.
    """
    CREATE VIEW v_firewalls AS
    WITH months AS (
        SELECT period, usage, max(id) AS run FROM runs WHERE usage IS NOT NULL AND source <> 'live'
        GROUP BY period
    ), used AS (
        SELECT serial, period, group_concat(DISTINCT product_code) AS product_codes,
            sum(CAST(quantity AS REAL)) AS quantity
        FROM months JOIN usage_rows ON usage_rows.usage = months.usage WHERE serial IS NOT NULL
        GROUP BY serial, period
    ), last AS (
        SELECT serial, max(period) AS period, product_codes, quantity FROM used GROUP BY serial
    )
    SELECT firewalls.serial, firewalls.model, firewalls.tenant_id, tenants.name AS tenant,
        firewalls.billing_tenant_id, billed.name AS billing_tenant,
        firewalls.last_contact, firewalls.last_seen, last.period AS last_period, last.product_codes,
        printf('%.15g', last.quantity) AS quantity, last.quantity AS quantity_real
    FROM firewalls
    LEFT JOIN tenants ON tenants.id = firewalls.tenant_id
    LEFT JOIN tenants AS billed ON billed.id = firewalls.billing_tenant_id
    LEFT JOIN last ON last.serial = firewalls.serial
    """,
)
