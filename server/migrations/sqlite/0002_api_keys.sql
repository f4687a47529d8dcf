-- An API key is found by the hash of its text, which nobody can turn back. Lists are JSON arrays of text; times are ms since 1970.
CREATE TABLE api_key (
    id                TEXT    NOT NULL PRIMARY KEY,
    hash              BLOB    NOT NULL UNIQUE,
    -- After a rotation the text before it works until then.
    previous_hash     BLOB    UNIQUE,
    previous_until    INTEGER,
    start             TEXT    NOT NULL,
    user              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    families          TEXT    NOT NULL,
    experiments       TEXT    NOT NULL,
    models            TEXT    NOT NULL,
    allowed_networks  TEXT    NOT NULL,
    rate_per_second   REAL,
    burst             INTEGER,
    shadow            INTEGER NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('active', 'disabled', 'revoked')),
    created_at        INTEGER NOT NULL,
    created_by        TEXT    NOT NULL,
    expires_at        INTEGER,
    rotated_at        INTEGER,
    last_used_at      INTEGER,
    last_used_address TEXT,
    -- Calls in shadow mode that the key's limits would have refused.
    would_refuse      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX api_key_by_user ON api_key (user);

-- MLflow users whose password nobody knows but the vault.
CREATE TABLE service_account (
    name       TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL
) STRICT;
