-- One row a call. Ids are dense, in the order of writing; hash is over the hash before and this row.
CREATE TABLE call (
    id          INTEGER NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    user        TEXT,
    way         TEXT    NOT NULL,
    key         TEXT,
    address     TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    route       TEXT    NOT NULL,
    experiments TEXT    NOT NULL,
    runs        TEXT    NOT NULL,
    models      TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    took_us     INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    request_id  TEXT    NOT NULL,
    shadow      TEXT,
    changes     INTEGER NOT NULL,
    hash        BLOB    NOT NULL
) STRICT;

-- Calls lie in blocks of 256 (id / 256): when the earliest and the latest of a block came.
CREATE TABLE block (
    block    INTEGER NOT NULL PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT;

-- Which blocks hold a call with this user, route, run …: a search reads only blocks that have all that it asks for.
CREATE TABLE mark (
    kind  TEXT    NOT NULL,
    value TEXT    NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (kind, value, block)
) STRICT, WITHOUT ROWID;

-- Both ends of the chain: the call before the oldest kept one, and the newest.
CREATE TABLE chain (
    place TEXT    NOT NULL PRIMARY KEY,
    id    INTEGER NOT NULL,
    hash  BLOB    NOT NULL
) STRICT;

INSERT INTO chain (place, id, hash) VALUES ('anchor', 0, zeroblob(32)), ('head', 0, zeroblob(32));
