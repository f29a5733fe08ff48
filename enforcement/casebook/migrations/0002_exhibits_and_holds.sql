-- Sealed exhibits (ciphertext only, never a prompt) and legal holds.

CREATE TABLE holds (                   -- an account that must not be erased
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  TEXT NOT NULL,
    owner       TEXT NOT NULL CHECK (length(trim(owner)) > 0),  -- who answers for it
    reason      TEXT NOT NULL CHECK (length(trim(reason)) > 0),
    placed_by   TEXT NOT NULL,
    placed_at   TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    lifted_by   TEXT,
    lifted_at   TEXT,
    lift_reason TEXT
) STRICT;
CREATE INDEX holds_by_account ON holds (account_id) WHERE lifted_at IS NULL;

CREATE TABLE exhibit_switch (          -- the last row says whether exhibits may be sealed; none: they may not
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    reason      TEXT NOT NULL CHECK (length(trim(reason)) > 0),
    by          TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;

CREATE TABLE custodians (              -- people who can open exhibits; their private keys are elsewhere
    name        TEXT PRIMARY KEY,
    public_key  BLOB NOT NULL UNIQUE,  -- X25519, 32 bytes
    fingerprint TEXT NOT NULL,         -- SHA-256 of the public key
    added_by    TEXT NOT NULL,
    added_at    TEXT NOT NULL,
    retired_at  TEXT
) STRICT;

CREATE TABLE seals (                   -- one sealing: a case key and what it locks
    seal_id     TEXT PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    exhibits    INTEGER NOT NULL,
    sealed_by   TEXT NOT NULL,
    sealed_at   TEXT NOT NULL,
    expires_at  TEXT NOT NULL
) STRICT;
CREATE INDEX seals_by_ring ON seals (ring_id);

CREATE TABLE case_keys (               -- the case key, for each custodian (HPKE, RFC 9180)
    seal_id     TEXT NOT NULL REFERENCES seals,
    custodian   TEXT NOT NULL REFERENCES custodians,
    wrapped     BLOB,                  -- NULL: shredded
    PRIMARY KEY (seal_id, custodian)
) STRICT;

CREATE TABLE exhibits (
    seal_id     TEXT NOT NULL REFERENCES seals,
    number      INTEGER NOT NULL,      -- from 1
    account_id  TEXT,                  -- NULL: shredded
    ciphertext  BLOB,                  -- nonce and AES-256-GCM; NULL: shredded
    digest      TEXT NOT NULL,         -- SHA-256 of the ciphertext; outlives it
    shredded_at TEXT,
    PRIMARY KEY (seal_id, number),
    CHECK ((ciphertext IS NULL) = (shredded_at IS NOT NULL)),
    CHECK ((ciphertext IS NULL) = (account_id IS NULL))
) STRICT;
CREATE INDEX exhibits_by_account ON exhibits (account_id) WHERE account_id IS NOT NULL;

CREATE TABLE unlock_requests (         -- good for one unlock by another person
    request_id  TEXT PRIMARY KEY,
    ring_id     TEXT NOT NULL REFERENCES rings,
    reason      TEXT NOT NULL CHECK (length(trim(reason)) > 0),
    requested_by TEXT NOT NULL,
    requested_at TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    unlocked_by TEXT,
    unlocked_at TEXT
) STRICT;
