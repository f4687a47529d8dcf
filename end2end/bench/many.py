"""Puts many runs into MLflow's database at once: through its API a hundred thousand would take hours.

    python many.py DATABASE EXPERIMENT RUNS METRICS PARAMS TAGS

The values are the same each time. The tables are those of MLflow 3; columns that this does not name keep their defaults.
"""

import random
import sqlite3
import sys
import time
import uuid

database, experiment = sys.argv[1:3]
runs, metrics, params, tags = map(int, sys.argv[3:7])
connection = sqlite3.connect(database, timeout=60)
columns = {table: [row[1] for row in connection.execute(f"pragma table_info({table})")] for table in ("runs", "latest_metrics", "metrics", "params", "tags")}
# Two experiments have no run in common.
chance = random.Random(int(experiment))
begin = int(time.time() * 1000) - 3 * 24 * 3_600_000


def put(table: str, rows: list[dict]) -> None:
    if not rows:
        return
    names = [name for name in columns[table] if name in rows[0]]
    marks = ",".join("?" * len(names))
    connection.executemany(f"insert into {table} ({','.join(names)}) values ({marks})", [tuple(row[name] for name in names) for row in rows])


for index in range(runs):
    run = uuid.UUID(int=chance.getrandbits(128)).hex
    start = begin + index * 2000
    put(
        "runs",
        [
            {
                "run_uuid": run,
                "name": f"trial-{index:06d}",
                "source_type": "LOCAL",
                "source_name": "",
                "entry_point_name": "",
                "user_id": "admin",
                "status": "FINISHED",
                "start_time": start,
                "end_time": start + 30_000 + index * 7 % 10_000,
                "source_version": "",
                "lifecycle_stage": "active",
                "artifact_uri": f"mlflow-artifacts:/{experiment}/{run}/artifacts",
                "experiment_id": int(experiment),
            }
        ],
    )
    values = [{"key": f"metric/{at:05d}", "value": chance.random() * 10, "timestamp": start, "step": 0, "is_nan": 0, "run_uuid": run} for at in range(metrics)]
    put("latest_metrics", values)
    put("params", [{"key": f"param-{at:03d}", "value": chance.choice(["0.1", "0.01", "adam", "sgd", str(at)]), "run_uuid": run} for at in range(params)])
    own = [{"key": f"tag-{at:03d}", "value": chance.choice(["red", "green", "blue"]), "run_uuid": run} for at in range(tags)]
    put("tags", [{"key": "mlflow.runName", "value": f"trial-{index:06d}", "run_uuid": run}, {"key": "mlflow.user", "value": "admin", "run_uuid": run}, *own])
connection.commit()
