CREATE TABLE jobs (                    -- scheduled scoring: a window, what logs hold of it, what scores it
    job_id      TEXT PRIMARY KEY,      -- digest of window, input digest and model digest
    starts_at   TEXT NOT NULL,         -- the window; its end is not in it
    ends_at     TEXT NOT NULL,
    input_digest TEXT NOT NULL,        -- of the rows of the window
    model_digest TEXT NOT NULL,        -- of version, settings and what people decided before the end
    state       TEXT NOT NULL CHECK (state IN ('planned', 'scored', 'followed')),
    out         TEXT NOT NULL,         -- where the result lies once it is scored
    planned_at  TEXT NOT NULL,
    scored_at   TEXT,
    followed_at TEXT,                  -- when the casebook had all that follows from it
    superseded_by TEXT REFERENCES jobs -- a later job on the same window
) STRICT;
CREATE INDEX jobs_by_window ON jobs (ends_at, starts_at);

CREATE TABLE locks (                   -- who works on what; the owner's death or the time ends it
    name        TEXT PRIMARY KEY,
    token       TEXT NOT NULL,         -- names one holding, so that one that was taken over is known
    host        TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    started_at  TEXT NOT NULL,
    leased_until TEXT NOT NULL
) STRICT;
