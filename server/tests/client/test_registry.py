"""The model registry: a model is logged, registered, promoted, loaded and used."""

import time

import mlflow
import pytest


@mlflow.pyfunc.utils.pyfunc
def double(model_input: list[float]) -> list[float]:
    return [2 * value for value in model_input]


def test_a_model_is_registered_promoted_and_used(client, experiment):
    name = f"doubler-{time.time_ns()}"
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(name="model", python_model=double, input_example=[1.0], pip_requirements=["mlflow"])
    version = mlflow.register_model(logged.model_uri, name)
    assert version.version in (1, "1")
    client.update_registered_model(name, description="Twice *as much*.")
    client.set_registered_model_tag(name, "team", "growth")
    client.set_registered_model_alias(name, "champion", "1")
    client.set_model_version_tag(name, "1", "reviewed", "yes")

    model = client.get_registered_model(name)
    assert (model.description, model.tags, model.aliases) == ("Twice *as much*.", {"team": "growth"}, {"champion": "1"})
    assert client.get_model_version_by_alias(name, "champion").run_id == logged.run_id
    assert [found.name for found in client.search_registered_models(f"name = '{name}'")] == [name]
    assert mlflow.pyfunc.load_model(f"models:/{name}@champion").predict([1.0, 2.5]) == [2.0, 5.0]

    client.delete_registered_model_alias(name, "champion")
    client.delete_model_version(name, "1")
    client.delete_registered_model(name)
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_registered_model(name)


def test_versions_of_a_run_folder(client, experiment):
    name = f"folder-{time.time_ns()}"
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, "weights", "model/weights.txt")
    client.create_registered_model(name)
    for number in ["1", "2"]:
        made = client.create_model_version(name, f"runs:/{run_id}/model", run_id, description=f"number {number}")
        assert str(made.version) == number
    versions = client.search_model_versions(f"name = '{name}'", order_by=["version_number DESC"])
    assert [version.description for version in versions] == ["number 2", "number 1"]
