-- A named view of the runs page: what stands behind the question mark of its address. Times are ms since 1970.
CREATE TABLE view (
    id          TEXT    NOT NULL PRIMARY KEY,
    owner       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    -- Where it is offered: 'experiment:<id>', 'folder:<path>', or '' for everywhere.
    place       TEXT    NOT NULL,
    shared      INTEGER NOT NULL,
    -- For whom the page opens with it.
    default_for TEXT    CHECK (default_for IN ('owner', 'everyone')),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT;

CREATE INDEX view_by_owner ON view (owner);
CREATE INDEX view_by_place ON view (place);
-- One default of each person at each place, and one of everyone.
CREATE UNIQUE INDEX view_default_of_owner ON view (owner, place) WHERE default_for IS NOT NULL;
CREATE UNIQUE INDEX view_default_of_everyone ON view (place) WHERE default_for = 'everyone';
