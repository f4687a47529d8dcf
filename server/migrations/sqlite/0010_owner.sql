-- Users who may not sign in for now. Nobody knows their passwords; these of their API keys (a JSON array of ids) worked before.
CREATE TABLE inactive_user (
    name TEXT    NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL,
    by   TEXT    NOT NULL,
    keys TEXT    NOT NULL
) STRICT;

-- One-time links by which people set their passwords: found by the hash of the token, which alone opens the password that MLflow has
-- until then. One a user.
CREATE TABLE invite (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user       TEXT    NOT NULL UNIQUE,
    sealed     BLOB    NOT NULL,
    made_by    TEXT    NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    is_new     INTEGER NOT NULL
) STRICT;

-- Groups of people, whose members have roles of MLflow's.
CREATE TABLE team (
    name        TEXT NOT NULL PRIMARY KEY,
    description TEXT NOT NULL
) STRICT;

CREATE TABLE team_member (
    team TEXT NOT NULL REFERENCES team (name) ON DELETE CASCADE,
    user TEXT NOT NULL,
    PRIMARY KEY (team, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE team_role (
    team TEXT NOT NULL REFERENCES team (name) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (team, role)
) STRICT, WITHOUT ROWID;

-- The roles that users have through groups, and did not have before: they go with the last of them.
CREATE TABLE team_assignment (
    user TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (user, role)
) STRICT, WITHOUT ROWID;

-- Every change of who may do what: what it found and what it made of it, and, while it is under way, how far it is.
CREATE TABLE change (
    number     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    at         INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('applying', 'applied', 'reverted', 'interrupted')),
    -- A JSON array.
    edits      TEXT    NOT NULL,
    -- So many of them are made.
    done       INTEGER NOT NULL,
    -- It failed, and they are being taken back.
    backwards  INTEGER NOT NULL,
    request_id TEXT    NOT NULL,
    undoes     TEXT,
    undone_by  TEXT,
    trouble    TEXT
) STRICT;

CREATE INDEX change_by_request ON change (request_id);
CREATE INDEX change_by_state ON change (state) WHERE state IN ('applying', 'interrupted');

-- What a change is about: 'user:ada', 'role:team', 'group:lab', 'experiment:7' …
CREATE TABLE change_about (
    what   TEXT    NOT NULL,
    number INTEGER NOT NULL REFERENCES change (number) ON DELETE CASCADE,
    PRIMARY KEY (what, number)
) STRICT, WITHOUT ROWID;

-- Rules over names, and the grants that each has made.
CREATE TABLE rule (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    pattern    TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    level      TEXT    NOT NULL,
    enabled    INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    kept_at    INTEGER,
    trouble    TEXT,
    version    INTEGER NOT NULL
) STRICT;

CREATE TABLE rule_grant (
    rule  TEXT NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
    role  TEXT NOT NULL,
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    level TEXT NOT NULL,
    PRIMARY KEY (rule, kind, id)
) STRICT, WITHOUT ROWID;

-- Settings that were changed at run time, and each change of one.
CREATE TABLE setting (
    name       TEXT    NOT NULL PRIMARY KEY,
    value      TEXT,
    changed_at INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    version    INTEGER NOT NULL
) STRICT;

CREATE TABLE setting_change (
    name TEXT    NOT NULL,
    at   INTEGER NOT NULL,
    by   TEXT    NOT NULL,
    was  TEXT,
    will TEXT
) STRICT;
