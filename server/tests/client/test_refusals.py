"""What is refused, and how it is said."""

import mlflow
import pytest
import requests
from conftest import MEMBER, signed_in


def is_error(response, status, code):
    """MLflow's error JSON, which its client can read."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.json()
    assert body["error_code"] == code, body
    assert body["message"]
    return body["message"]


def test_a_wrong_password_is_called_wrong(client):
    with signed_in(("admin", "not the password")), pytest.raises(mlflow.MlflowException, match="(?i)password") as refusal:
        client.search_experiments()
    assert refusal.value.error_code == "UNAUTHENTICATED"


def test_a_member_reads_and_may_not_change(client, experiment, member):
    run_id = client.create_run(experiment).info.run_id
    with member():
        assert client.get_run(run_id).info.run_id == run_id
        with pytest.raises(mlflow.MlflowException) as refusal:
            client.log_param(run_id, "learning_rate", 0.1)
        assert refusal.value.error_code == "PERMISSION_DENIED"
        with pytest.raises(requests.HTTPError, match="403.*PERMISSION_DENIED"):
            client.log_text(run_id, "no", "no.txt")
    assert client.get_run(run_id).data.params == {}
    assert client.list_artifacts(run_id) == []


def test_a_member_owns_what_they_make(client, member, request):
    with member():
        experiment = client.create_experiment(f"client/{request.node.name}")
        run_id = client.create_run(experiment).info.run_id
        client.log_metric(run_id, "loss", 0.5)
        client.log_text(run_id, "mine", "mine.txt")
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}


def test_errors_are_json(flowdeck, experiment):
    api = "/api/2.0/mlflow"
    is_error(flowdeck.ask("GET", f"{api}/runs/get?run_id={'0' * 32}"), 404, "RESOURCE_DOES_NOT_EXIST")
    is_error(flowdeck.ask("GET", f"{api}/runs/get?run_id={'0' * 32}", MEMBER), 403, "PERMISSION_DENIED")
    somebody = {"username": "somebody", "password": "correct horse battery"}
    is_error(flowdeck.ask("POST", f"{api}/users/create", MEMBER, json=somebody), 403, "PERMISSION_DENIED")
    is_error(
        flowdeck.ask("POST", f"{api}/runs/search", json={"experiment_ids": [experiment], "filter": "="}), 400, "INVALID_PARAMETER_VALUE"
    )
    is_error(flowdeck.ask("GET", f"{api}/runs/search/../../nothing"), 404, "ENDPOINT_NOT_FOUND")
    is_error(flowdeck.ask("GET", "/api/2.0/nothing"), 404, "ENDPOINT_NOT_FOUND")
    is_error(flowdeck.ask("GET", f"{api}/experiments/search?max_results=1", ("admin", "wrong")), 401, "UNAUTHENTICATED")
    is_error(flowdeck.ask("GET", f"{api}/experiments/search?max_results=1", ("nobody", "wrong")), 401, "UNAUTHENTICATED")


def test_no_database_text_leaks(flowdeck):
    taken = {"username": MEMBER[0], "password": "correct horse battery"}
    response = flowdeck.ask("POST", "/api/2.0/mlflow/users/create", json=taken)
    assert 400 <= response.status_code < 500
    assert not any(word in response.text for word in ["INSERT", "scrypt", "sqlite"]), response.text


def test_the_assistant_stays_closed(flowdeck):
    is_error(flowdeck.ask("GET", "/ajax-api/3.0/mlflow/assistant/config"), 404, "ENDPOINT_NOT_FOUND")


def test_the_retired_list_answers(flowdeck, experiment):
    response = flowdeck.ask("GET", "/api/2.0/mlflow/experiments/list")
    assert response.status_code == 200
    assert experiment in [found["experiment_id"] for found in response.json()["experiments"]]


def test_health_tells_of_mlflow(flowdeck):
    assert flowdeck.ask("GET", "/health").status_code == 200
    answer = flowdeck.ask("GET", "/health/mlflow").json()
    assert answer["reachable"] is True
    assert flowdeck.ask("GET", "/version").text == "3.17.2"
