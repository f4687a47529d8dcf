"""The work of a hundred short training runs, by the stock client: prints how many seconds it took.

Who and where is told by the environment, as the client reads it.
"""

import time

import mlflow

RUNS = 100
PARAMS = {"learning_rate": 0.03, "batch_size": 64, "optimizer": "adam", "seed": 7, "model": "resnet50"}


def train(number):
    with mlflow.start_run(run_name=f"trial-{number}"):
        mlflow.log_params(PARAMS)
        mlflow.log_metrics({"loss": 1 / (number + 1), "accuracy": 0.9, "f1": 0.8})


mlflow.set_experiment("bench")
# Connections are made, passwords are checked and remembered, code is warm.
train(0)
start = time.monotonic()
for number in range(RUNS):
    train(number)
print(time.monotonic() - start)
