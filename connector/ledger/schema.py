"""The tables of connector.db, as migrations: a step, once released, is never edited.

Quantities are text, because SQLite would make a float of a decimal. Times are UTC, ISO 8601.
"""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from connector.ledger.views import VIEWS

migrations = Migrations("connector")


@migrations()
def first_tables(db: Database) -> None:
    """Create what the first version records."""
    for statement in _FIRST_TABLES.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def maps_and_codes(db: Database) -> None:
    """Keep mappings.yaml as each run used it, and every product code that usage ever had."""
    for statement in _MAPS_AND_CODES.split(";"):
        db.execute(statement)


@migrations()
def other_sources(db: Database) -> None:
    """Keep what a consumption file or live counts add to usage, and what of a file could not be imported."""
    for statement in _OTHER_SOURCES.split(";"):
        db.execute(statement)


@migrations()
def shadow_runs(db: Database) -> None:
    """Keep what each shadow run found."""
    db.execute(_SHADOW_RUNS)


@migrations()
def views_for_people(db: Database) -> None:
    """Keep what agreements are called, and offer views to other programs."""
    db.execute(_AGREEMENTS)
    for statement in VIEWS:
        db.execute(statement)


@migrations()
def nights(db: Database) -> None:
    """Keep when the nightly job was here, also where it had nothing to do."""
    db.execute(_NIGHTS)


@migrations()
def approvals(db: Database) -> None:
    """Keep what people let go of what the nightly job may not do alone."""
    db.execute(_APPROVALS)


@migrations()
def notices(db: Database) -> None:
    """Keep what people were told of, and which ticket of ConnectWise is about what."""
    for statement in _NOTICES.split(";"):
        db.execute(statement)


@migrations()
def journal(db: Database) -> None:
    """Keep what runs did and said."""
    for statement in _JOURNAL.split(";"):
        db.execute(statement)


@migrations()
def words_of_notices(db: Database) -> None:
    """Keep what people were told and how much money it was about, and what a ticket is closed with."""
    for statement in _WORDS_OF_NOTICES.split(";"):
        db.execute(statement)


@migrations()
def quiet_nights(db: Database) -> None:
    """Take a month in page by page, and keep what was found out about ConnectWise's lists."""
    for statement in _QUIET_NIGHTS.split(";"):
        db.execute(statement)


@migrations()
def pruning(db: Database) -> None:
    """Know of months whose rows were removed: when, what they came to, and the names that were in them."""
    for statement in _PRUNING.split(";"):
        db.execute(statement)


@migrations()
def rows_without_overflow(db: Database) -> None:
    """Keep rows of usage where one takes what it is long: without a rowid, each took a page of its own."""
    for statement in _ROWS_WITHOUT_OVERFLOW.split(";"):
        db.execute(statement)


@migrations()
def lines_by_key(db: Database) -> None:
    """Find the lines of a key without looking through all of them, as each line that is made does."""
    db.execute("CREATE INDEX additions_by_key ON additions (agreement_id, item_id)")


KNOWN_STEPS = frozenset(
    {
        "first_tables",
        "maps_and_codes",
        "other_sources",
        "shadow_runs",
        "views_for_people",
        "nights",
        "approvals",
        "notices",
        "journal",
        "words_of_notices",
        "quiet_nights",
        "pruning",
        "rows_without_overflow",
        "lines_by_key",
    }
)
"""Every step above; a file that holds another one was written by a newer version."""

_FIRST_TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,              -- plan, apply or sync
    period TEXT,
    source TEXT,
    digest TEXT,
    options TEXT NOT NULL,           -- JSON: tenant, product, adopt, recreate, force
    who TEXT NOT NULL,               -- user@host
    version TEXT NOT NULL,           -- of the connector
    started_at TEXT NOT NULL,
    finished_at TEXT,
    applied INTEGER NOT NULL DEFAULT 0,  -- 1 once its guards were passed and writing began
    exit_code INTEGER,
    error TEXT,                      -- NULL, or a code such as UNREACHABLE or KILLED
    usage INTEGER                    -- the usage it was made from
) STRICT;

CREATE TABLE usage (
    id INTEGER PRIMARY KEY,
    period TEXT NOT NULL,
    source TEXT NOT NULL,
    hash TEXT NOT NULL,              -- of its rows: the same month fetched twice is stored once
    rows INTEGER NOT NULL,
    fetched_at TEXT NOT NULL,
    UNIQUE (period, source, hash)
) STRICT;

CREATE TABLE usage_rows (
    usage INTEGER NOT NULL REFERENCES usage (id),
    number INTEGER NOT NULL,
    account_id TEXT,
    external_id TEXT,
    serial TEXT,
    product_code TEXT NOT NULL,
    quantity TEXT NOT NULL,
    received TEXT NOT NULL,          -- JSON as it came, less the contact person
    PRIMARY KEY (usage, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    billing_type TEXT NOT NULL,
    status TEXT,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL
) STRICT;

CREATE TABLE firewalls (
    serial TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    tenant_id TEXT,
    billing_tenant_id TEXT,
    last_contact TEXT,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL
) STRICT;

CREATE TABLE plans (
    digest TEXT PRIMARY KEY,
    period TEXT NOT NULL,
    source TEXT NOT NULL,
    options TEXT NOT NULL,
    document TEXT NOT NULL,          -- JSON, connector.plan/1
    writes TEXT NOT NULL,            -- JSON: what makes each change the same write
    run INTEGER NOT NULL REFERENCES runs (id),
    stored_at TEXT NOT NULL
) STRICT;

CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id),
    digest TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    agreement_id INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    addition_id INTEGER,
    before TEXT,
    after TEXT NOT NULL,
    effective TEXT,
    mark TEXT NOT NULL,
    held TEXT,
    because TEXT NOT NULL,
    parts TEXT NOT NULL,             -- JSON: who feeds it: [tenant, code, quantity, [serials]]
    was TEXT NOT NULL,               -- JSON: who fed it before
    writes TEXT NOT NULL,            -- JSON, as in plans.writes
    outcome TEXT NOT NULL,           -- planned, sending, done, failed, unclear, held or not_tried
    seen TEXT,                       -- JSON: ids of the key's lines just before a create was sent
    message TEXT,
    request_id TEXT,
    sent_at TEXT,
    answered_at TEXT
) STRICT;
CREATE INDEX changes_by_digest ON changes (digest);
CREATE INDEX changes_open ON changes (outcome) WHERE outcome IN ('planned', 'sending', 'unclear');

CREATE TABLE additions (
    id INTEGER PRIMARY KEY,          -- ConnectWise's id
    agreement_id INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    quantity TEXT NOT NULL,          -- as last written or seen by a run that applied
    parts TEXT NOT NULL,             -- JSON: who feeds it
    ended TEXT,                      -- the end date that we gave it
    closed INTEGER NOT NULL DEFAULT 0,   -- 1: history, another line bills its key
    run INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

CREATE TABLE names (
    kind TEXT NOT NULL,              -- company, agreement or item
    company_id INTEGER NOT NULL,     -- 0, or the company that an agreement's name is read within
    text TEXT NOT NULL,              -- as ConnectWise compares it: trimmed, case folded
    id INTEGER NOT NULL,
    learned_at TEXT NOT NULL,
    PRIMARY KEY (kind, company_id, text)
) STRICT, WITHOUT ROWID
"""

_MAPS_AND_CODES = """
CREATE TABLE maps (
    hash TEXT PRIMARY KEY,           -- SHA-256 of the text
    text TEXT NOT NULL,              -- mappings.yaml, to the letter
    first_used_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE runs ADD COLUMN map TEXT;    -- the hash of the map that it used

CREATE TABLE products (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,              -- productDescription, as last seen
    product_group TEXT NOT NULL,
    first_period TEXT NOT NULL,
    last_period TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    id INTEGER PRIMARY KEY,          -- ConnectWise's id
    identifier TEXT NOT NULL,
    description TEXT NOT NULL
) STRICT;

INSERT INTO products
SELECT product_code, coalesce(json_extract(received, '$.productDescription'), ''),
       coalesce(json_extract(received, '$.productGroup'), ''), min(period), max(period)
FROM usage_rows JOIN usage ON usage.id = usage_rows.usage
GROUP BY product_code
"""

_OTHER_SOURCES = """
ALTER TABLE usage ADD COLUMN file TEXT;      -- the name of the file it was imported from
ALTER TABLE usage ADD COLUMN origin TEXT;    -- SHA-256 of that file
ALTER TABLE runs ADD COLUMN today TEXT;      -- the day that it took for today
ALTER TABLE runs ADD COLUMN planned_from INTEGER;    -- the usage that was billed, where it was read anew

CREATE TABLE failed_rows (
    usage INTEGER NOT NULL REFERENCES usage (id),
    number INTEGER NOT NULL,         -- the row in the file, as a spreadsheet counts
    code TEXT NOT NULL,              -- UNMAPPED_TENANT, or IMPORT_FAILED
    reason TEXT NOT NULL,
    tenant TEXT NOT NULL,            -- what the file calls the customer
    product_code TEXT,
    quantity TEXT,                   -- NULL where it cannot be read
    received TEXT NOT NULL,          -- JSON: the cells, by header
    PRIMARY KEY (usage, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE live_counts (
    day TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    outcome TEXT NOT NULL,           -- counted or refused
    licences TEXT NOT NULL,          -- JSON: [product code, name, count]
    counted_at TEXT NOT NULL,
    PRIMARY KEY (day, tenant_id)
) STRICT, WITHOUT ROWID
"""

_SHADOW_RUNS = """
CREATE TABLE shadow_runs (
    run INTEGER PRIMARY KEY REFERENCES runs (id),
    document TEXT NOT NULL           -- JSON, connector.shadow/1
) STRICT
"""

_AGREEMENTS = """
CREATE TABLE agreements (
    id INTEGER PRIMARY KEY,          -- ConnectWise's id
    name TEXT NOT NULL,
    company_id INTEGER NOT NULL,
    company TEXT NOT NULL,           -- the company's identifier
    currency TEXT NOT NULL           -- ISO 4217, empty where ConnectWise names none
) STRICT
"""

_NIGHTS = """
CREATE TABLE nights (
    day TEXT PRIMARY KEY,            -- in the time zone of the schedule
    ended_at TEXT NOT NULL,
    exit_code INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_APPROVALS = """
CREATE TABLE approvals (
    fingerprint TEXT PRIMARY KEY,    -- of one write of one month
    digest TEXT NOT NULL,            -- the plan that showed it
    run INTEGER NOT NULL REFERENCES runs (id),
    who TEXT NOT NULL,
    why TEXT NOT NULL,               -- in the words of the person, or empty
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""

_NOTICES = """
CREATE TABLE told (
    id TEXT PRIMARY KEY,             -- of the cause, the same each night
    code TEXT NOT NULL,
    label TEXT NOT NULL,             -- what people call it
    fingerprint TEXT NOT NULL,       -- of what they were told
    seen TEXT NOT NULL,              -- where it shows itself
    period TEXT,
    source TEXT NOT NULL,
    told_at TEXT NOT NULL,
    settled_at TEXT                  -- once it is gone, until the next message has said so
) STRICT, WITHOUT ROWID;

CREATE TABLE tickets (
    id TEXT PRIMARY KEY,             -- of the cause
    code TEXT NOT NULL,
    label TEXT NOT NULL,
    fingerprint TEXT NOT NULL,       -- of what the ticket says
    seen TEXT NOT NULL,
    period TEXT,
    source TEXT NOT NULL,
    ticket INTEGER NOT NULL,         -- ConnectWise's id
    opened_at TEXT NOT NULL,
    settled_at TEXT,                 -- once its cause is gone, until it is closed
    noted INTEGER NOT NULL DEFAULT 0     -- 1 once a note says so
) STRICT, WITHOUT ROWID;

CREATE TABLE installation (
    name TEXT NOT NULL               -- begins the externalXRef of every ticket of this state folder
) STRICT
"""

_WORDS_OF_NOTICES = """
ALTER TABLE told ADD COLUMN message TEXT NOT NULL DEFAULT '';
ALTER TABLE told ADD COLUMN charge TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN farewell TEXT NOT NULL DEFAULT ''
"""

_JOURNAL = """
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id),
    at TEXT NOT NULL,
    level TEXT NOT NULL,             -- info, warning or error
    event TEXT NOT NULL,             -- run.begin, stage, plan, unresolved, held, change, run.end ...
    message TEXT NOT NULL,
    tenant_id TEXT,
    agreement_id INTEGER,
    item_id INTEGER,
    addition_id INTEGER
) STRICT;
CREATE INDEX journal_by_run ON journal (run);
CREATE INDEX journal_by_time ON journal (at)
"""

_QUIET_NIGHTS = """
CREATE TABLE arriving_rows (
    number INTEGER PRIMARY KEY,      -- rows of a month that is being read: moved once it is whole
    account_id TEXT,
    external_id TEXT,
    serial TEXT,
    product_code TEXT NOT NULL,
    quantity TEXT NOT NULL,
    received TEXT NOT NULL
) STRICT;

CREATE TABLE vendor_facts (
    name TEXT PRIMARY KEY,           -- what was found out, such as how long a list is
    value TEXT NOT NULL,             -- JSON
    learned_at TEXT NOT NULL         -- facts age: whoever reads one says how old it may be
) STRICT, WITHOUT ROWID
"""

_PRUNING = """
ALTER TABLE usage ADD COLUMN pruned_at TEXT;     -- when its rows were removed, NULL where all are here

CREATE TABLE pruned_sums (
    usage INTEGER PRIMARY KEY REFERENCES usage (id),
    sums TEXT NOT NULL               -- JSON: what a month came to, by product code: [quantity, costs]
) STRICT;

CREATE TABLE pruned_names (
    sort TEXT NOT NULL,              -- id, serial or tenant
    text TEXT NOT NULL,              -- what only rows that were removed had: a bundle must still hide it
    PRIMARY KEY (sort, text)
) STRICT, WITHOUT ROWID
"""

# Else SQLite would have every view, also those that people made, go on with the table that is dropped.
_ROWS_WITHOUT_OVERFLOW = """
PRAGMA legacy_alter_table = ON;

ALTER TABLE usage_rows RENAME TO usage_rows_before;

PRAGMA legacy_alter_table = OFF;

CREATE TABLE usage_rows (
    usage INTEGER NOT NULL REFERENCES usage (id),
    number INTEGER NOT NULL,
    account_id TEXT,
    external_id TEXT,
    serial TEXT,
    product_code TEXT NOT NULL,
    quantity TEXT NOT NULL,
    received TEXT NOT NULL,          -- JSON as it came, less the contact person
    PRIMARY KEY (usage, number)
) STRICT;

INSERT INTO usage_rows SELECT * FROM usage_rows_before ORDER BY usage, number;

DROP TABLE usage_rows_before
"""
