CREATE TABLE brake (                   -- each time that automatic orders were halted
    trip_id     INTEGER PRIMARY KEY,
    run_id      TEXT NOT NULL REFERENCES runs,
    share       REAL NOT NULL,         -- of the run's accounts that were flagged
    median      REAL NOT NULL,         -- of the runs before it
    at          TEXT NOT NULL,
    released_at TEXT,
    released_by TEXT,
    reason      TEXT CHECK (released_at IS NULL OR length(trim(reason)) > 0),
    accepted    REAL                   -- the newest run's share when it was released: as good as usual since
) STRICT;
