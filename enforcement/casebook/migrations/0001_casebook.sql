-- Times are UTC text to the microsecond, which sorts as time does.

CREATE TABLE runs (
    run_id      TEXT PRIMARY KEY,      -- digest of the rings and of what made them
    recorded_at TEXT NOT NULL,
    out         TEXT NOT NULL,         -- where the run's output lay
    accounts    INTEGER NOT NULL,
    flagged     INTEGER NOT NULL,      -- accounts in communities that were flagged
    manifest    TEXT NOT NULL          -- JSON: version, digests, settings, decisions
) STRICT;

CREATE TABLE rings (
    ring_id     TEXT PRIMARY KEY,      -- what the ring was called when it was first recorded
    state       TEXT NOT NULL CHECK (state IN
        ('new', 'in review', 'confirmed', 'rejected', 'watch', 'enforced', 'reversed')),
    version     INTEGER NOT NULL,      -- counts every change: what runs say, and what people decide
    assignee    TEXT,
    decision    TEXT NOT NULL,         -- the latest run's
    probability REAL,
    size        INTEGER NOT NULL,
    opened_at   TEXT NOT NULL,
    changed_at  TEXT NOT NULL,
    last_run    TEXT NOT NULL REFERENCES runs,
    succeeded_by TEXT REFERENCES rings -- the ring it has merged into
) STRICT;
CREATE INDEX rings_by_state ON rings (state);

CREATE TABLE versions (                -- what runs said, whenever that changed
    ring_id     TEXT NOT NULL REFERENCES rings,
    version     INTEGER NOT NULL,
    run_id      TEXT NOT NULL REFERENCES runs,
    recorded_at TEXT NOT NULL,
    digest      TEXT NOT NULL,         -- of what matters: decision, members with roles, families
    content     BLOB NOT NULL,         -- the ring as JSON, deflated
    PRIMARY KEY (ring_id, version)
) STRICT;

CREATE TABLE members (                 -- of the latest version
    ring_id     TEXT NOT NULL REFERENCES rings,
    account_id  TEXT NOT NULL,
    role        TEXT NOT NULL,
    score       REAL NOT NULL,
    PRIMARY KEY (ring_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_account ON members (account_id);

CREATE TABLE lineage (
    ring_id     TEXT NOT NULL REFERENCES rings,
    version     INTEGER NOT NULL,
    event       TEXT NOT NULL CHECK (event IN ('born', 'grew', 'shrank', 'merged', 'split', 'seen again')),
    other_id    TEXT,                  -- the ring it merged with, or split from
    accounts    INTEGER NOT NULL,      -- how many came, went or were shared
    run_id      TEXT NOT NULL REFERENCES runs,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX lineage_by_ring ON lineage (ring_id, version);

CREATE TABLE verdicts (
    verdict_id  INTEGER PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    account_id  TEXT,                  -- NULL: the ring as a whole
    version     INTEGER NOT NULL,      -- the version that was decided on
    verdict     TEXT NOT NULL CHECK (verdict IN ('confirmed', 'rejected', 'watch')),
    reason      TEXT NOT NULL CHECK (length(trim(reason)) > 0),
    by          TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX verdicts_by_ring ON verdicts (ring_id);

CREATE TABLE notes (
    note_id     INTEGER PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    text        TEXT NOT NULL,
    by          TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX notes_by_ring ON notes (ring_id);

CREATE TABLE orders (                  -- one action on accounts of one ring, or its reversal
    order_id    TEXT PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    version     INTEGER NOT NULL,      -- of the ring, with this order
    action      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN
        ('awaiting approval', 'active', 'reversed', 'withdrawn')),
    shadow      INTEGER NOT NULL CHECK (shadow IN (0, 1)),  -- recorded, and sent nowhere
    reason      TEXT NOT NULL CHECK (length(trim(reason)) > 0),
    ordered_by  TEXT NOT NULL,
    ordered_at  TEXT NOT NULL,
    approved_by TEXT,
    approved_at TEXT,
    expires_at  TEXT,
    reverses    TEXT REFERENCES orders -- set on a reversal
) STRICT;
CREATE INDEX orders_by_ring ON orders (ring_id);
CREATE INDEX orders_by_status ON orders (status);

CREATE TABLE order_accounts (
    order_id    TEXT NOT NULL REFERENCES orders,
    account_id  TEXT NOT NULL,
    role        TEXT NOT NULL,
    score       REAL NOT NULL,
    reversed_by TEXT REFERENCES orders,
    PRIMARY KEY (order_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_accounts_by_account ON order_accounts (account_id);

CREATE TABLE events (                  -- what enforcement systems are told
    event_id    TEXT PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    version     INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    order_id    TEXT REFERENCES orders,
    occurred_at TEXT NOT NULL,
    content     BLOB NOT NULL          -- the event as JSON, deflated
) STRICT;
CREATE INDEX events_by_order ON events (order_id);

CREATE TABLE exports (                 -- the outbox: an event for a sink
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL UNIQUE,  -- idempotency key: hash of ring, version, action and sink
    event_id    TEXT NOT NULL REFERENCES events,
    ring_id     TEXT NOT NULL,
    sink        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    digest      TEXT NOT NULL,         -- SHA-256 of the body
    status      TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'dead', 'withdrawn')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      REAL NOT NULL,         -- seconds since 1970, UTC
    leased_by   TEXT,                  -- the sender that has it in hand
    leased_until REAL,
    last_error  TEXT,
    delivered_at TEXT,
    receipt     TEXT,
    body        BLOB NOT NULL          -- the very bytes that every attempt sends; last: what stands behind is slow to read
) STRICT;
CREATE INDEX exports_waiting ON exports (sink, ring_id, number) WHERE status = 'waiting';
CREATE INDEX exports_dead ON exports (sink, ring_id, number) WHERE status = 'dead';
CREATE INDEX exports_leased ON exports (sink, ring_id) WHERE leased_until IS NOT NULL;
CREATE INDEX exports_by_ring ON exports (ring_id, sink, number);
CREATE INDEX exports_by_event ON exports (event_id);

CREATE TABLE halts (                   -- a sink that told us to stop
    sink        TEXT PRIMARY KEY,
    reason      TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;

CREATE TABLE audit (                   -- leaves of a Merkle tree (RFC 6962), in order
    place       INTEGER PRIMARY KEY,   -- from 0
    entry       BLOB NOT NULL,         -- canonical JSON
    leaf        BLOB NOT NULL          -- SHA-256(0x00 || entry)
) STRICT;
CREATE TRIGGER audit_keeps_entries BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_loses_nothing BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
