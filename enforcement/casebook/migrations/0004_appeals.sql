CREATE TABLE appeals (                 -- what an accused account says, each once
    appeal_id   TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL,
    ts          TEXT NOT NULL,         -- when it was written
    text        TEXT NOT NULL,
    outcome     TEXT CHECK (outcome IN ('upheld', 'denied')),  -- NULL: open
    received_by TEXT NOT NULL,
    received_at TEXT NOT NULL,
    decided_by  TEXT,
    decided_at  TEXT,
    CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
) STRICT;
CREATE INDEX appeals_by_account ON appeals (account_id);

CREATE TABLE rescorings (              -- a ring's run scored again, with what was decided since
    rescoring_id INTEGER PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    version     INTEGER NOT NULL,      -- of the ring, with this result
    run_id      TEXT NOT NULL REFERENCES runs,
    probability REAL,                  -- NULL: it could not be scored
    decision    TEXT,
    told        TEXT NOT NULL,         -- what scored it, or why nothing could
    by          TEXT NOT NULL,
    at          TEXT NOT NULL,
    CHECK ((probability IS NULL) = (decision IS NULL))
) STRICT;
CREATE INDEX rescorings_by_ring ON rescorings (ring_id);

CREATE TABLE appeal_rings (            -- the rings that an appeal is about
    appeal_id   TEXT NOT NULL REFERENCES appeals,
    ring_id     TEXT NOT NULL REFERENCES rings,
    rescoring_id INTEGER REFERENCES rescorings,  -- NULL: is still to be scored again
    PRIMARY KEY (appeal_id, ring_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX appeal_rings_by_ring ON appeal_rings (ring_id);
