"""Prints the route map of the installed MLflow (its basic-auth app): one "METHOD rule" a line, Flask's rules as Flask
spells them, FastAPI's as FastAPI does."""

import os
import sys
import tempfile

folder = tempfile.mkdtemp(prefix="flowdeck-routes-")
os.chdir(folder)
os.environ.update(
    MLFLOW_FLASK_SERVER_SECRET_KEY="only for reading the route map",
    MLFLOW_AUTH_ADMIN_PASSWORD="only for reading the route map",
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
    _MLFLOW_SERVER_FILE_STORE=f"sqlite:///{folder}/mlflow.db",
    _MLFLOW_SERVER_ARTIFACT_ROOT=f"{folder}/artifacts",
    _MLFLOW_SGI_NAME="uvicorn",
)
os.environ.pop("_MLFLOW_STATIC_PREFIX", None)
os.environ.pop("MLFLOW_AUTH_CONFIG_PATH", None)

from fastapi import FastAPI  # noqa: E402

# FastAPI keeps included routers nested (`app.routes` does not list what is in them), so what is included is noted here.
included = []
include_router = FastAPI.include_router


def note(self, router, *args, prefix="", **kwargs):
    included.append((prefix, router))
    return include_router(self, router, *args, prefix=prefix, **kwargs)


FastAPI.include_router = note

from mlflow.server import app as flask_app  # noqa: E402
from mlflow.server.auth import create_app  # noqa: E402

included.clear()
fastapi_app = create_app()

rows = set()
for rule in flask_app.url_map.iter_rules():
    rows.update((method, rule.rule) for method in rule.methods - {"HEAD", "OPTIONS"})
for prefix, router in included:
    for route in router.routes:
        rows.update((method, prefix + route.path) for method in route.methods - {"HEAD", "OPTIONS"})
for route in fastapi_app.routes:
    rows.update((method, route.path) for method in (getattr(route, "methods", None) or set()) - {"HEAD", "OPTIONS"})

for method, rule in sorted(rows, key=lambda row: (row[1], row[0])):
    sys.stdout.write(f"{method} {rule}\n")
