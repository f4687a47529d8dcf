-- The extremes of a metric of a run that has ended, as JSON. They hold for as long as MLflow tells of the run what it told when they were found.
CREATE TABLE extremes (
    run      TEXT    NOT NULL,
    metric   TEXT    NOT NULL,
    -- The run's end, and the last value with its step and time.
    told     TEXT    NOT NULL,
    extremes TEXT    NOT NULL,
    -- Days since 1970.
    used_on  INTEGER NOT NULL,
    PRIMARY KEY (run, metric)
) STRICT, WITHOUT ROWID;

CREATE INDEX extremes_by_use ON extremes (used_on);
