"""A real Flowdeck with its own MLflow, once at `/` and once below a base path, for the stock MLflow client."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Before MLflow is imported: nothing is to be sent anywhere but to Flowdeck, and a refusal is not to be tried again for minutes.
os.environ.update(
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false",
    MLFLOW_HTTP_REQUEST_MAX_RETRIES="2",
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
)

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.server.auth.client import AuthServiceClient

START_LIMIT = 300
STOP_LIMIT = 60
MEMBER = ("member", "correct horse battery")
KEYS = "/api/flowdeck/v1/keys"


@dataclass
class Flowdeck:
    """One running Flowdeck, and who may sign in."""

    url: str
    pid: int
    data: Path

    @property
    def admin(self):
        return "admin", (self.data / "mlflow/admin-password").read_text().strip()

    def ask(self, method, path, who=None, **more):
        return requests.request(method, self.url + path, auth=who or self.admin, timeout=120, **more)


@contextmanager
def running(base):
    folder = Path(tempfile.mkdtemp(prefix="flowdeck-client-"))
    log = folder / "flowdeck.log"
    settings = {
        "FLOWDECK_BASE_PATH": base,
        "FLOWDECK_DATA_DIR": str(folder / "data"),
        "FLOWDECK_LISTEN": "127.0.0.1:0",
        "FLOWDECK_MLFLOW_PYTHON": os.environ.get("FLOWDECK_MLFLOW_PYTHON", sys.executable),
        # A test that sends wrong credentials does so from an address of its own.
        "FLOWDECK_TRUSTED_PROXIES": "127.0.0.1/32",
        "FLOWDECK_SITE_DIR": str(Path(__file__).parent.parent / "site"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWDECK_")}
    with log.open("w") as output:
        process = subprocess.Popen([os.environ["SERVER_PROGRAM"]], env=kept | settings, stdout=output, stderr=output)
    try:
        yield Flowdeck(address(process, log), process.pid, folder / "data")
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
            assert not (folder / "data/mlflow/mlflow.pid").exists(), "MLflow ends with Flowdeck"
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            shutil.rmtree(folder)


def address(process, log):
    """Where it says that it is ready, once it really is."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        said = re.search(r"is ready at (http\S+)", log.read_text())
        if said:
            url = said[1].rstrip("/")
            assert requests.get(url + "/health/ready", timeout=10).status_code == 200
            return url
        time.sleep(0.1)
    pytest.exit(f"Flowdeck did not become ready:\n{log.read_text()}", returncode=1)


@pytest.fixture(scope="session", params=["/", "/services/mlflow"])
def flowdeck(request):
    with running(request.param) as running_flowdeck:
        with signed_in(running_flowdeck.admin):
            AuthServiceClient(running_flowdeck.url).create_user(*MEMBER)
        yield running_flowdeck


@contextmanager
def signed_in(who):
    """As the stock client is told who calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", who[0])
        patch.setenv("MLFLOW_TRACKING_PASSWORD", who[1])
        yield


@contextmanager
def showing(key):
    """As the stock client is given an API key; nothing else tells who calls."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ["MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"]:
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_TRACKING_TOKEN", key)
        yield


@pytest.fixture
def client(flowdeck):
    """The administrator's client; the fluent calls of `mlflow` go the same way."""
    with signed_in(flowdeck.admin):
        mlflow.set_tracking_uri(flowdeck.url)
        yield MlflowClient(flowdeck.url)


@pytest.fixture
def member(flowdeck):
    """For `with member():` — somebody who may read everything and change what is theirs."""
    return lambda: signed_in(MEMBER)


@pytest.fixture
def new_key(flowdeck):
    """For `new_key(scopes=["read"])` — a new API key as Flowdeck tells of it; the member's, where nobody else is named."""
    made = []

    def make(who=MEMBER, **wanted):
        answer = flowdeck.ask("POST", KEYS, who, json={"name": "laptop"} | wanted)
        assert answer.status_code == 201, answer.text
        made.append(f"{KEYS}/{answer.json()['id']}")
        return answer.json()

    yield make
    for path in made:
        assert flowdeck.ask("DELETE", path).status_code == 200


@pytest.fixture
def experiment(client, request):
    """A new experiment, named after the test."""
    return client.create_experiment(f"client/{request.node.name}/{time.time_ns()}")
