"""Experiments and runs, as a training script writes and reads them."""

import math
import time

import mlflow
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag


def test_a_script_logs_a_run(client, experiment, tmp_path):
    mlflow.set_experiment(experiment_id=experiment)
    (tmp_path / "curve.csv").write_text("step,loss\n0,1.5\n")
    with mlflow.start_run(run_name="amber-heron-360", tags={"team": "vision"}) as active:
        mlflow.log_params({"learning_rate": 0.03, "optimizer": "адам"})
        for step in range(3):
            mlflow.log_metric("loss", 1.5 / (step + 1), step=step)
        mlflow.set_tag("stage", "draft")
        mlflow.log_artifact(tmp_path / "curve.csv", artifact_path="tables")
        mlflow.log_dict({"classes": 100}, "config.json")
        mlflow.log_text("# Notes ✓", "notes with space é.md")

    run = client.get_run(active.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "amber-heron-360"
    assert run.data.params == {"learning_rate": "0.03", "optimizer": "адам"}
    assert run.data.metrics == {"loss": 0.5}
    assert {"team": "vision", "stage": "draft"}.items() <= run.data.tags.items()
    assert [point.value for point in client.get_metric_history(run.info.run_id, "loss")] == [1.5, 0.75, 0.5]
    listed = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert listed == {"tables", "config.json", "notes with space é.md"}
    assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/config.json") == {"classes": 100}
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes with space é.md") == "# Notes ✓"
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    client.restore_run(run.info.run_id)


def test_a_full_batch_and_numbers_that_are_none(client, experiment):
    run_id = client.create_run(experiment).info.run_id
    now = int(time.time() * 1000)
    metrics = [Metric("loss", step / 7, now + step, step) for step in range(998)]
    metrics += [Metric("odd", math.nan, now, 0), Metric("odd", math.inf, now, 1)]
    params = [Param(f"p{number}", str(number)) for number in range(100)]
    client.log_batch(run_id, metrics, params, [RunTag("kind", "batch")])
    history = client.get_metric_history(run_id, "loss")
    assert [point.value for point in history] == [step / 7 for step in range(998)]
    nan, infinite = client.get_metric_history(run_id, "odd")
    assert math.isnan(nan.value)
    assert infinite.value > 1e300
    assert len(client.get_run(run_id).data.params) == 100


def test_nested_runs_and_search(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_name="sweep") as top:
        for rate in [0.1, 0.01, 0.001]:
            with mlflow.start_run(run_name=f"rate {rate}", nested=True):
                mlflow.log_param("rate", rate)
                mlflow.log_metric("accuracy", 1 - rate)

    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{top.info.run_id}'", order_by=["metrics.accuracy DESC"])
    assert [run.data.params["rate"] for run in children] == ["0.001", "0.01", "0.1"]
    good = client.search_runs([experiment], "metrics.accuracy > 0.95 and params.rate LIKE '0.0%'")
    assert {run.data.params["rate"] for run in good} == {"0.001", "0.01"}

    first = client.search_runs([experiment], max_results=3, order_by=["attributes.start_time ASC"])
    rest = client.search_runs([experiment], max_results=3, order_by=["attributes.start_time ASC"], page_token=first.token)
    assert (len(first), len(rest), rest.token) == (3, 1, None)

    with pytest.raises(mlflow.MlflowException, match="comparison clause"):
        client.search_runs([experiment], "nonsense = 'x' = 'y'")


def test_experiments_in_folders(client):
    stem = f"vision/{time.time_ns()}"
    ids = [client.create_experiment(f"{stem}/{name}", tags={"owner": "mk"}) for name in ["resnet", "vit", "🦜 ציפורים"]]
    found = client.search_experiments(filter_string=f"name LIKE '{stem}/%'", order_by=["name ASC"])
    assert [experiment.name.split("/")[-1] for experiment in found] == ["resnet", "vit", "🦜 ציפורים"]
    client.rename_experiment(ids[1], f"{stem}/swin")
    assert client.get_experiment_by_name(f"{stem}/swin").experiment_id == ids[1]
    client.delete_experiment(ids[0])
    assert client.get_experiment(ids[0]).lifecycle_stage == "deleted"
    client.restore_experiment(ids[0])
    assert client.get_experiment(ids[0]).lifecycle_stage == "active"


def test_datasets_of_a_run(client, experiment):
    run_id = client.create_run(experiment).info.run_id
    dataset = Dataset("cifar100-train", "c1fa4100", "s3", '{"uri": "s3://datasets/cifar100"}')
    client.log_inputs(run_id, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    (logged,) = client.get_run(run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.tags[0].value) == ("cifar100-train", "training")
