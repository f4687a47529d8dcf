-- What MLflow needs to hear from each user, sealed under the secret key and bound to the name.
CREATE TABLE vault (
    user       TEXT    NOT NULL PRIMARY KEY,
    key_id     TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A session is found by the hash of its ticket; its body opens only with the ticket, which the cookie alone holds.
CREATE TABLE session (
    ticket_hash BLOB    NOT NULL PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    user        TEXT    NOT NULL,
    sealed      BLOB    NOT NULL,
    user_agent  TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX session_by_user ON session (user, used_at);
