"""Puts many people and what they may do into MLflow's databases at once: through its API each would take a password's cost.

    python people.py DATABASE AUTH_DATABASE USERS EXPERIMENTS MODELS ROLES GRANTS

A fifth of the grants belongs to roles, the rest to users directly, which MLflow keeps as a hidden role of each. Nobody of them can sign in.
The values are the same each time. The tables are those of MLflow 3.
"""

import random
import sqlite3
import sys
import time

database, auth = sys.argv[1:3]
users, experiments, models, roles, grants = map(int, sys.argv[3:8])
chance = random.Random(5)
now = int(time.time() * 1000)
LEVELS = {"experiment": ["READ", "EDIT", "MANAGE", "DENY"], "registered_model": ["READ", "USE", "EDIT", "MANAGE", "DENY"]}

tracking = sqlite3.connect(database, timeout=60)
first = tracking.execute("select coalesce(max(experiment_id), 0) + 1 from experiments").fetchone()[0]
ids = range(first, first + experiments)
tracking.executemany(
    "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) values (?, ?, ?, 'active', ?, ?)",
    [(at, f"team-{at % 100:02d}/experiment-{at:05d}", f"mlflow-artifacts:/{at}", now, now) for at in ids],
)
names = [f"team-{at % 100:02d}.model-{at:05d}" for at in range(models)]
tracking.executemany("insert into registered_models (name, creation_time, last_updated_time) values (?, ?, ?)", [(name, now, now) for name in names])
tracking.commit()

things = [("experiment", str(at)) for at in ids] + [("registered_model", name) for name in names]
people = sqlite3.connect(auth, timeout=60)
user = people.execute("select max(id) + 1 from users").fetchone()[0]
role = people.execute("select coalesce(max(id), 0) + 1 from roles").fetchone()[0]
everybody = range(user, user + users)
teams = range(role, role + roles)
hidden = dict(zip(everybody, range(role + roles, role + roles + users)))
people.executemany(
    "insert into users (id, username, password_hash, is_admin) values (?, ?, 'none', 0)", [(at, f"Person-{number:05d}") for number, at in enumerate(everybody)]
)
described = [(at, f"team-{number:03d}", "A team") for number, at in enumerate(teams)]
own = [(at, f"__user_{of}__", None) for of, at in hidden.items()]
people.executemany("insert into roles (id, name, workspace, description) values (?, ?, 'default', ?)", described + own)
held = [(of, at) for of, at in hidden.items()] + [(of, at) for of in everybody for at in chance.sample(teams, 3)]
people.executemany("insert into user_role_assignments (user_id, role_id) values (?, ?)", held)


def grant(owners: list[int], count: int) -> None:
    """So many to all of them together, evenly."""
    rows = []
    for number, owner in enumerate(owners):
        share = count * (number + 1) // len(owners) - count * number // len(owners)
        rows += [(owner, kind, on, chance.choice(LEVELS[kind])) for kind, on in chance.sample(things, share)]
    people.executemany("insert into role_permissions (role_id, resource_type, resource_pattern, permission) values (?, ?, ?, ?)", rows)


grant(list(teams), grants // 5)
grant(list(hidden.values()), grants - grants // 5)
people.commit()
