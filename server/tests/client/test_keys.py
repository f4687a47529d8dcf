"""API keys: an address and a key are all that the stock client needs, and what it prints where a key is not enough."""

import os
import subprocess
import sys
import time

import mlflow
import pytest
import requests
from click.testing import CliRunner
from conftest import showing
from mlflow import MlflowClient
from mlflow.cli import cli
from mlflow.entities import Metric, Param
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVICE = "/api/flowdeck/v1/service-accounts"
PROTOBUF = "application/x-protobuf"
LARGE = 32 * 1024 * 1024


@pytest.fixture
def unnamed(client, new_key):
    """The member's client with a key and nothing else; the experiments that it makes are the member's."""
    with showing(new_key()["key"]):
        yield MlflowClient()


@pytest.fixture
def mine(unnamed, request):
    """An experiment of the member's, made with a key and active."""
    experiment = unnamed.create_experiment(f"client/{request.node.name}/{time.time_ns()}")
    mlflow.set_experiment(experiment_id=experiment)
    return experiment


def python(flowdeck, key, *arguments):
    """Runs Python with the two variables that people are told to set."""
    told = {"MLFLOW_TRACKING_URI": flowdeck.url, "MLFLOW_TRACKING_TOKEN": key}
    kept = {name: os.environ[name] for name in ["PATH", "HOME", "MLFLOW_DISABLE_TELEMETRY"] if name in os.environ}
    return subprocess.run([sys.executable, *arguments], env=kept | told, capture_output=True, text=True, timeout=120, check=False)


def otlp(name):
    """One finished span, as an OpenTelemetry exporter sends it."""
    batch = ExportTraceServiceRequest()
    span = batch.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = name, os.urandom(16), os.urandom(8)
    span.start_time_unix_nano = time.time_ns() - 1_000_000
    span.end_time_unix_nano = time.time_ns()
    return batch.SerializeToString()


TRAINING = """
import mlflow
from sklearn.linear_model import LogisticRegression

mlflow.set_experiment("{name}")
mlflow.sklearn.autolog(log_models=False)
LogisticRegression(C=0.5).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
"""


def test_a_training_script_needs_an_address_and_a_key(flowdeck, client, new_key, request):
    name = f"client/{request.node.name}/{time.time_ns()}"
    done = python(flowdeck, new_key()["key"], "-c", TRAINING.format(name=name))
    assert done.returncode == 0, done.stderr
    (run,) = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["C"] == "0.5"
    assert run.data.metrics["training_accuracy_score"] == 1.0
    assert "training_confusion_matrix.png" in {file.path for file in client.list_artifacts(run.info.run_id)}


def test_runs_and_files_of_a_key(unnamed, mine, tmp_path):
    with mlflow.start_run(tags={"team": "vision"}) as run:
        mlflow.log_params({"learning_rate": 0.03})
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_text("# Notes ✓", "notes.md")
    run_id = run.info.run_id
    metrics = [Metric("accuracy", step / 1000, int(time.time() * 1000), step) for step in range(900)]
    unnamed.log_batch(run_id, metrics, [Param(f"p{number}", str(number)) for number in range(100)])
    assert len(unnamed.get_metric_history(run_id, "accuracy")) == 900
    assert len(unnamed.search_runs([mine], "metrics.loss < 1")[0].data.params) == 101

    weights = tmp_path / "weights.bin"
    weights.write_bytes(os.urandom(LARGE))
    unnamed.log_artifact(run_id, weights, "checkpoints")
    down = mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path / "down"))
    with open(f"{down}/checkpoints/weights.bin", "rb") as copy:
        assert copy.read() == weights.read_bytes()
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes.md") == "# Notes ✓"


@mlflow.pyfunc.utils.pyfunc
def double(model_input: list[float]) -> list[float]:
    return [2 * value for value in model_input]


def test_models_of_a_key(unnamed, mine):
    name = f"doubler-{time.time_ns()}"
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(name="model", python_model=double, pip_requirements=["mlflow"], registered_model_name=name)
    unnamed.set_registered_model_alias(name, "champion", logged.registered_model_version)
    assert mlflow.pyfunc.load_model(f"models:/{name}@champion").predict([1.0, 2.5]) == [2.0, 5.0]


def test_traces_of_a_key(flowdeck, unnamed, mine, new_key):
    @mlflow.trace
    def answer(question):
        return question.upper()

    answer("why")
    exporter = {"Authorization": f"Bearer {new_key()['key']}", "x-mlflow-experiment-id": mine, "Content-Type": PROTOBUF}
    sent = requests.post(f"{flowdeck.url}/v1/traces", data=otlp("retrieve"), headers=exporter, timeout=60)
    assert sent.status_code == 200, sent.text
    traces = unnamed.search_traces(locations=[mine])
    assert sorted(trace.data.spans[0].name for trace in traces) == ["answer", "retrieve"]


def test_prompts_of_a_key(unnamed):
    name = f"greeting-{time.time_ns()}"
    mlflow.genai.register_prompt(name, "Hello {{who}}")
    mlflow.genai.register_prompt(name, "Good day {{who}}")
    mlflow.genai.set_prompt_alias(name, "production", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@production").format(who="Ada") == "Good day Ada"
    assert mlflow.genai.load_prompt(f"prompts:/{name}/1").template == "Hello {{who}}"


def test_the_command_line_takes_a_key(flowdeck, unnamed, mine, new_key):
    run = unnamed.create_run(mine, run_name="amber-heron-360")
    unnamed.log_text(run.info.run_id, "# Notes", "notes.md")
    listed = python(flowdeck, new_key()["key"], "-m", "mlflow", "runs", "list", "--experiment-id", mine)
    assert "amber-heron-360" in listed.stdout, listed.stderr
    for arguments, expected in [
        (["experiments", "search"], mine),
        (["experiments", "get", "--experiment-id", mine], "client/"),
        (["runs", "describe", "--run-id", run.info.run_id], "amber-heron-360"),
        (["artifacts", "list", "--run-id", run.info.run_id], "notes.md"),
    ]:
        said = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert expected in said.output, said.output


def test_a_key_for_one_experiment_does_all_in_it_and_nothing_in_another(flowdeck, unnamed, mine, new_key):
    other = unnamed.create_experiment(f"client/other/{time.time_ns()}")
    theirs = unnamed.create_run(other).info.run_id
    unnamed.log_text(theirs, "secret", "secret.txt")
    trace = mlflow.start_span_no_context("theirs", experiment_id=other)
    trace.end()

    with showing(new_key(experiments=[mine])["key"]):
        mlflow.set_experiment(unnamed.get_experiment(mine).name)
        with mlflow.start_run() as run, mlflow.start_span("answer"):
            mlflow.log_param("learning_rate", 0.1)
            mlflow.log_metrics({"loss": 0.5})
            mlflow.set_tag("stage", "draft")
            mlflow.log_text("mine", "folder/mine.txt")
        run_id = run.info.run_id
        assert mlflow.artifacts.load_text(f"runs:/{run_id}/folder/mine.txt") == "mine"
        assert [file.path for file in unnamed.list_artifacts(run_id, "folder")] == ["folder/mine.txt"]
        assert [found.info.run_id for found in unnamed.search_runs([mine])] == [run_id]
        assert [metric.value for metric in unnamed.get_metric_history(run_id, "loss")] == [0.5]
        (found,) = unnamed.search_traces(locations=[mine])
        assert unnamed.get_trace(found.info.trace_id).data.spans[0].name == "answer"
        unnamed.set_trace_tag(found.info.trace_id, "reviewed", "yes")
        unnamed.delete_run(run_id)
        unnamed.restore_run(run_id)

        refused = f"is not for experiment {other}"
        for call in [
            lambda: unnamed.get_experiment(other),
            lambda: unnamed.create_run(other),
            lambda: unnamed.get_run(theirs),
            lambda: unnamed.log_param(theirs, "learning_rate", 0.1),
            lambda: unnamed.log_batch(theirs, [Metric("loss", 0.5, 0, 0)]),
            lambda: unnamed.search_runs([other]),
            lambda: unnamed.search_runs([mine, other]),
            lambda: unnamed.delete_run(theirs),
            lambda: unnamed.log_text(theirs, "no", "no.txt"),
            lambda: mlflow.artifacts.load_text(f"runs:/{theirs}/secret.txt"),
            lambda: mlflow.artifacts.load_text(f"mlflow-artifacts:/{other}/{theirs}/artifacts/secret.txt"),
            lambda: unnamed.list_artifacts(theirs),
            lambda: unnamed.search_traces(locations=[other]),
            lambda: unnamed.set_trace_tag(trace.trace_id, "reviewed", "yes"),
        ]:
            with pytest.raises((mlflow.MlflowException, requests.HTTPError), match=refused):
                call()
        with pytest.raises(mlflow.MlflowException, match="does not tell which one"):
            unnamed.search_experiments()
        with pytest.raises(mlflow.MlflowException, match="is not for the registered model"):
            unnamed.create_registered_model("no")
        bearer = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}", "Content-Type": PROTOBUF}
        for experiment, status in [(mine, 200), (other, 403)]:
            sent = requests.post(f"{flowdeck.url}/v1/traces", data=otlp("x"), headers=bearer | {"x-mlflow-experiment-id": experiment}, timeout=60)
            assert sent.status_code == status, sent.text

    assert len(unnamed.search_runs([other])) == 1
    assert [file.path for file in unnamed.list_artifacts(theirs)] == ["secret.txt"]
    assert len(unnamed.search_traces(locations=[other])) == 1


def test_a_service_account_works_with_its_key_alone(flowdeck, client, new_key):
    account = f"robot-{time.time_ns()}"
    assert flowdeck.ask("POST", SERVICE, json={"name": account}).status_code == 201
    key = new_key(flowdeck.admin, user=account)["key"]
    with showing(key):
        experiment = client.create_experiment(f"client/{account}")
        mlflow.set_experiment(experiment_id=experiment)
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 0.5)
            mlflow.log_text("# Notes", "notes.md")
    assert client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}

    assert flowdeck.ask("DELETE", f"{SERVICE}/{account}").status_code == 204
    with showing(key), pytest.raises(mlflow.MlflowException, match="was revoked"):
        client.get_run(run.info.run_id)
