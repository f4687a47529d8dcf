"""What the stock client prints where an API key is refused: each sentence tells the person what to do."""

import os
import time
import zlib

import mlflow
import pytest
import requests
from click.testing import CliRunner
from conftest import KEYS, MEMBER, showing
from mlflow.cli import cli

UNKNOWN = "Flowdeck does not know this API key: check that it was copied whole, or make a new one under API keys in your account"
MALFORMED = "this is no API key: a letter is wrong or missing; copy it whole, as it was shown when it was made"


def printed(call):
    """The last line of the traceback that a person sees."""
    with pytest.raises((mlflow.MlflowException, requests.RequestException)) as refusal:
        call()
    return str(refusal.value)


def base62(number, digits):
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(letters[number // 62**place % 62] for place in reversed(range(digits)))


def somebody_elses():
    """A key that is well formed, and not of this Flowdeck."""
    secret = base62(int.from_bytes(os.urandom(32), "big"), 43)
    return f"fd_{secret}{base62(zlib.crc32(secret.encode()), 6)}"


@pytest.fixture
def change(flowdeck):
    def patch(key, **wanted):
        answer = flowdeck.ask("PATCH", f"{KEYS}/{key['id']}", MEMBER, json=wanted)
        assert answer.status_code == 200, answer.text

    return patch


def test_a_key_that_is_not_known(client, experiment, new_key):
    key = new_key()["key"]
    mistyped = key[:-1] + ("1" if key[-1] == "0" else "0")
    for text, sentence in [(mistyped, MALFORMED), (key[:-1], MALFORMED), ("sk-not-one-of-ours", MALFORMED), (somebody_elses(), UNKNOWN)]:
        with showing(text):
            assert printed(client.search_experiments) == f"UNAUTHENTICATED: {sentence}"
    with showing(mistyped):
        run_id = "0" * 32
        artifacts = f"mlflow-artifacts:/{experiment}/{run_id}/artifacts/notes.md"
        assert MALFORMED in printed(lambda: mlflow.artifacts.load_text(artifacts))
        assert MALFORMED in str(CliRunner().invoke(cli, ["runs", "describe", "--run-id", run_id]).exception)


def test_a_key_that_no_longer_works(flowdeck, client, new_key, change):
    cases = {
        'the API key "off" is disabled; it can be enabled under API keys in the account of its user': new_key(name="off"),
        'the API key "gone" was revoked; make a new one under API keys in your account': new_key(name="gone"),
        'the API key "old" has expired; give it a later date, or make a new one, under API keys in your account': new_key(name="old"),
        'the API key "turned" was rotated, and this is its old secret; use the new one': new_key(name="turned"),
    }
    disabled, revoked, expired, rotated = cases.values()
    for key in cases.values():
        with showing(key["key"]):
            client.search_experiments(max_results=1)

    change(disabled, state="disabled")
    flowdeck.ask("DELETE", f"{KEYS}/{revoked['id']}", MEMBER)
    change(expired, expires_at=int(time.time() * 1000) + 500)
    while flowdeck.ask("GET", f"{KEYS}/{expired['id']}", MEMBER).json()["state"] != "expired":
        time.sleep(0.1)
    flowdeck.ask("POST", f"{KEYS}/{rotated['id']}/rotate", MEMBER, json={"grace_seconds": 0})
    for sentence, key in cases.items():
        with showing(key["key"]):
            assert printed(client.search_experiments) == f"UNAUTHENTICATED: {sentence}"

    change(disabled, state="active")
    with showing(disabled["key"]):
        client.search_experiments(max_results=1)


def test_a_call_that_a_key_is_not_for(client, experiment, new_key, caplog):
    run_id = client.create_run(experiment).info.run_id
    remedy = "use another key, or let this one do more, under API keys in the account of its user"
    for wanted, call, sentence in [
        ({"scopes": ["read"]}, lambda: client.create_run(experiment), "lacks the scope `write`, which this call needs"),
        ({"scopes": ["read"]}, lambda: client.log_text(run_id, "no", "no.txt"), "lacks the scope `write`, which this call needs"),
        ({"scopes": ["write"]}, lambda: client.get_run(run_id), "lacks the scope `read`, which this call needs"),
        ({"families": ["registry"]}, lambda: client.get_run(run_id), 'is not for the routes of the family "runs"'),
        ({"experiments": ["0"]}, lambda: client.get_run(run_id), f"is not for experiment {experiment}"),
        ({"models": ["a"]}, lambda: client.create_registered_model("b"), 'is not for the registered model "b"'),
        ({"experiments": ["0"]}, client.search_experiments, "and this call does not tell which one it is about"),
        ({"allowed_networks": ["203.0.113.0/24"]}, client.search_experiments, "may not be used from 127.0.0.1"),
    ]:
        with showing(new_key(**wanted)["key"]):
            said = printed(call)
        assert "PERMISSION_DENIED" in said
        assert sentence in said
        assert remedy in said

    mlflow.set_experiment(experiment_id=experiment)
    with showing(new_key(scopes=["read"])["key"]), mlflow.start_span("answer"):
        pass
    assert "lacks the scope `write`" in caplog.text, "a trace that is not saved is told in the log"


def test_a_key_that_calls_too_often(flowdeck, client, new_key):
    with showing(new_key(rate_per_second=1 / 3600, burst=1)["key"]):
        client.search_experiments(max_results=1)
        # The client would keep an hour's pause, and say nothing: it is told so that it stops.
        said = printed(client.search_experiments)
        bearer = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
        answer = flowdeck.ask("GET", "/api/2.0/mlflow/experiments/search?max_results=1", lambda request: request, headers=bearer)
    assert said.startswith("REQUEST_LIMIT_EXCEEDED: this API key's own limit is reached")
    assert "slow this program down, or have the key's limit raised; try again in 3" in said
    # Any other program, as the standard has it.
    assert (answer.status_code, answer.json()["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert "this API key's own limit is reached" in answer.json()["message"]
    assert int(answer.headers["Retry-After"]) > 3000


def test_a_key_that_calls_a_little_too_often(client, new_key, caplog):
    # Where the pause is short, nobody sees anything but a slower script.
    caplog.set_level("DEBUG", "urllib3.connectionpool")
    with showing(new_key(rate_per_second=4, burst=1)["key"]):
        for _ in range(4):
            client.search_experiments(max_results=1)
    assert "Retry: " not in caplog.text
    # Where it is longer, the client keeps it.
    with showing(new_key(rate_per_second=0.5, burst=1)["key"]):
        for _ in range(2):
            client.search_experiments(max_results=1)
    assert "Retry: " in caplog.text

