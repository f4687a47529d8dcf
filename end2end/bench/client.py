"""Short training runs by the stock client: for each line of input so many of them, and a line of output with the seconds they took.

Who and where is told by the environment, as the client reads it.
"""

import sys
import time

import mlflow

PARAMS = {"learning_rate": 0.03, "batch_size": 64, "optimizer": "adam", "seed": 7, "model": "resnet50"}


def train():
    with mlflow.start_run():
        mlflow.log_params(PARAMS)
        mlflow.log_metrics({"loss": 0.25, "accuracy": 0.9, "f1": 0.8})


mlflow.set_experiment("bench")
for line in sys.stdin:
    start = time.monotonic()
    for _ in range(int(line)):
        train()
    print(time.monotonic() - start, flush=True)
