"""Fills an MLflow with data worth looking at, through Flowdeck's own address and with the stock MLflow client.

The same data every time, but for the dates: they end now. Interrupted, it goes on where it was; done, it says so.
"""

import argparse
import json
import math
import os
import random
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

os.environ.update(
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false",
    MLFLOW_LOGGING_LEVEL="ERROR",
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
)

COMPLETE = "mlflow.demo.complete"
DAY = 24 * 3600 * 1000
PEOPLE = ["mk", "ir", "sol", "pt"]
COLOURS = "amber azure coral crimson ivory jade lilac olive pearl russet sable teal umber violet".split()
BIRDS = "bittern crane curlew dunlin egret finch godwit heron ibis kestrel lapwing merlin osprey plover siskin wren".split()
SWEEP = "vision/resnet/cifar100-sweep"
CHURN = "tabular/churn"
ASSISTANT = "nlp/assistant/retrieval"
LONG = "tabular/forecast-of-daily-demand-per-warehouse-and-product-group-with-holidays-promotions-and-weather-as-inputs-take-two"

# Name, share of the runs, what the experiment is about.
EXPERIMENTS = [
    (
        SWEEP,
        46,
        "# CIFAR-100 sweep\n\nWhich **learning rate** and *weight decay* carry a ResNet furthest in 60 epochs?\n\n"
        "| | best so far |\n|---|---|\n| accuracy | 0.81 |\n| learning rate | 0.03 |\n\n- [x] coarse grid\n- [ ] finer grid around 0.03\n",
    ),
    ("vision/resnet/imagenet-baseline", 8, "The numbers that everything else is compared with. Do not change the data loader."),
    ("vision/vit/imagenet-finetune", 12, "Fine-tuning ViT-B/16; see `configs/vit.yaml`."),
    ("nlp/bert-sentiment", 10, "Sentiment of product reviews, four languages."),
    (ASSISTANT, 4, "The assistant that answers from the handbook. Its traces are worth a look."),
    (CHURN, 12, "Who leaves in the next 90 days? The registered model `churn-classifier` comes from here."),
    ("🦜 תמונות ציפורים", 4, "שמות ניסויים יכולים להיות בכל שפה."),
    (LONG, 4, "A name as long as names get."),
]


@dataclass
class Run:
    """What is to become one run."""

    name: str
    experiment: str
    user: str
    start: int
    params: dict
    curves: dict
    tags: dict
    minutes: float
    status: str = "FINISHED"
    parent: str | None = None
    files: bool = False
    dataset: tuple | None = None
    notes: str = ""


class Bar:
    """A line that fills; where nobody watches, a line now and then."""

    def __init__(self, total):
        self.total, self.done, self.shown, self.lock = total, 0, -1, threading.Lock()

    def step(self, what):
        with self.lock:
            self.done += 1
            tenth = self.done * 10 // self.total
            if sys.stderr.isatty():
                width = 32
                full = self.done * width // self.total
                end = "\n" if self.done == self.total else ""
                print(f"\r  {'█' * full}{'░' * (width - full)} {self.done}/{self.total} {what:<24}", end=end, file=sys.stderr, flush=True)
            elif tenth > self.shown:
                self.shown = tenth
                print(f"  demonstration data: {self.done} of {self.total}", file=sys.stderr, flush=True)


# The plan: everything is decided before anything is sent.


def plan(count, now):
    """All runs, parents before their children."""
    dice = random.Random(20260114)
    taken = set()

    def name():
        while True:
            text = f"{dice.choice(COLOURS)}-{dice.choice(BIRDS)}-{dice.randrange(100, 1000)}"
            if text not in taken:
                taken.add(text)
                return text

    def run(experiment, **more):
        start = more.pop("start", now - DAY // 6 - int(dice.random() ** 1.4 * 10.8 * DAY))
        return Run(
            name(),
            experiment,
            more.pop("user", dice.choice(PEOPLE)),
            start,
            more.pop("params", {}),
            more.pop("curves", {}),
            more.pop("tags", {}),
            more.pop("minutes", dice.uniform(4, 190)),
            **more,
        )

    runs = []
    total = sum(share for _, share, _ in EXPERIMENTS)
    for experiment, share, _ in EXPERIMENTS:
        wanted = max(1, round(count * share / total))
        if experiment == SWEEP:
            runs += sweep(dice, run, wanted)
        else:
            for index in range(wanted):
                params, rate = settings(dice, experiment)
                made = run(experiment, params=params, curves=curves(dice, rate, dice.choice([30, 60, 60, 90])), tags=labels(dice))
                made.files = index % 3 == 0
                made.dataset = dataset(experiment) if index % 2 == 0 else None
                if dice.random() < 0.05:
                    made.status, made.notes = dice.choice([("FAILED", "Out of memory at the first big batch."), ("KILLED", "")])
                runs.append(made)
    characters(dice, [made for made in runs if made.curves and made.experiment not in (SWEEP, CHURN)], now)
    return runs


def sweep(dice, run, wanted):
    """Two levels: a sweep holds one run per learning rate, which holds one per seed."""
    made = []
    user = None
    while len(made) < wanted:
        user = PEOPLE[(PEOPLE.index(user) + 1) % len(PEOPLE)] if user else PEOPLE[0]
        top = run(SWEEP, user=user, params={"search": "grid", "learning_rates": 4}, tags={"kind": "sweep"}, minutes=600)
        top.start -= DAY // 2  # its children come after it, and still before now
        top.notes = "One child per learning rate, below it one run per seed."
        made.append(top)
        for step, rate in enumerate([0.003, 0.01, 0.03, 0.3]):
            if len(made) >= wanted:
                break
            group = run(SWEEP, user=user, params={"learning_rate": rate}, start=top.start + step * 9_000_000, minutes=140, parent=top.name)
            group.tags = {"kind": "learning rate"}
            made.append(group)
            for seed in range(min(7, wanted - len(made))):
                params, _ = settings(dice, SWEEP)
                params |= {"learning_rate": rate, "seed": seed}
                child = run(
                    SWEEP, user=user, params=params, start=group.start + seed * 1_200_000, minutes=dice.uniform(12, 19), parent=group.name
                )
                child.curves = curves(dice, rate, 60)
                child.tags = labels(dice) | {"kind": "seed"}
                child.files = seed == 0
                child.dataset = dataset(SWEEP)
                made.append(child)
    return made


def settings(dice, experiment):
    """The parameters of a run, and its learning rate."""
    rate = round(10 ** dice.uniform(-4, -1), 5)
    family = experiment.split("/")[0]
    if family == "nlp":
        own = {"model": dice.choice(["bert-base", "bert-large", "distilbert"]), "max_length": dice.choice([128, 256, 512]), "warmup": 0.06}
    elif family == "tabular":
        own = {"booster": dice.choice(["gbtree", "dart"]), "max_depth": dice.randrange(3, 11), "subsample": dice.choice([0.6, 0.8, 1.0])}
    else:
        own = {
            "model": dice.choice(["resnet18", "resnet50", "vit-b16"]),
            "augment": dice.choice(["none", "flip", "randaugment"]),
            "image_size": 224,
        }
    return own | {
        "learning_rate": rate,
        "batch_size": dice.choice([64, 128, 256, 512]),
        "optimizer": dice.choice(["sgd", "adamw", "lion"]),
    }, rate


def labels(dice):
    return {"team": dice.choice(["perception", "language", "growth"]), "stage": dice.choice(["draft", "draft", "candidate", "reviewed"])}


def curves(dice, rate, steps):
    """Loss, accuracy and their like over the steps; a good learning rate does better."""
    fit = math.exp(-((math.log10(rate) + 1.6) ** 2) / 2)
    floor, speed = 0.9 - 0.6 * fit + dice.uniform(0, 0.1), dice.uniform(3, 6) / steps
    values = {"train/loss": [], "val/loss": [], "val/accuracy": [], "learning_rate": [], "grad_norm": []}
    for step in range(steps):
        loss = floor + (4.6 - floor) * math.exp(-speed * step) + dice.gauss(0, 0.03)
        values["train/loss"].append(max(loss, 0.01))
        values["val/loss"].append(loss + 0.12 + 0.3 * (step / steps) ** 3 + dice.gauss(0, 0.02))
        values["val/accuracy"].append(min(0.99, max(0.0, 1 - loss / 4.7 + dice.gauss(0, 0.008))))
        values["learning_rate"].append(rate * 0.5 * (1 + math.cos(math.pi * step / steps)))
        values["grad_norm"].append(abs(dice.gauss(1.2, 0.3)) * math.exp(-step / steps))
    return values


def characters(dice, runs, now):
    """The few runs that a console has to get right: one that diverges, one with NaN, one still running, a long one, a few failed."""
    diverging, broken, running, long, *rest = runs
    diverging.curves["train/loss"] = [2.3 * 1.9**step for step in range(60)]
    diverging.status, diverging.notes = "FAILED", "Diverged: the learning rate was ten times too high."
    broken.curves["train/loss"] = [4.6 / (1 + step) if step < 41 else math.nan for step in range(60)]
    broken.notes = "`NaN` from step 41 on. Mixed precision without loss scaling?"
    running.start, running.status = now - 25 * 60_000, "RUNNING"
    running.curves = {key: values[: len(values) // 3] for key, values in running.curves.items()}
    long.curves = curves(dice, 0.03, 2000)
    for run in rest[:4]:
        run.status, run.notes = "FAILED", "`CUDA error: device-side assert triggered`"


def dataset(experiment):
    return {
        SWEEP: ("cifar100-train", "c1fa4100", 50_000),
        CHURN: ("customers-2026-q2", "9b02e7aa", 412_880),
    }.get(experiment, (experiment.split("/")[-1][:40] + "-v3", "5d41402a", 128_000))


# Files, made by hand.


def png(width, height, colour):
    """A picture from a function of x and y to red, green and blue."""
    rows = b"".join(b"\0" + bytes(part for x in range(width) for part in colour(x, y)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_files(run, folder):
    dice = random.Random(run.name)
    size, cell = 10, 24
    matrix = [[dice.randrange(60, 100) if row == column else dice.randrange(0, 12) for column in range(size)] for row in range(size)]

    def shade(x, y):
        share = matrix[y // cell][x // cell] / 100
        return int(247 - 215 * share), int(251 - 170 * share), int(255 - 90 * share)

    (folder / "plots").mkdir()
    (folder / "plots/confusion.png").write_bytes(png(size * cell, size * cell, shade))
    loss = run.curves["train/loss"]
    (folder / "metrics.csv").write_text("step,train_loss\n" + "".join(f"{step},{value:.6g}\n" for step, value in enumerate(loss)))
    (folder / "config.json").write_text(json.dumps({"run": run.name, "params": run.params, "classes": size}, indent=2))
    (folder / "train.log").write_text("".join(f"epoch {step:4}  loss {value:.4f}\n" for step, value in enumerate(loss)))
    rows = "".join(f"<tr><td>{key}</td><td>{value}</td></tr>" for key, value in run.params.items())
    (folder / "report.html").write_text(f"<!doctype html><title>{run.name}</title><h1>{run.name}</h1><table>{rows}</table>")
    (folder / "README.md").write_text(f"# {run.name}\n\nTrained by *{run.user}*.\n\n```\npython train.py --seed 0\n```\n")


# Sending it.


class Demo:
    def __init__(self, url, runs):
        from mlflow import MlflowClient

        self.url, self.runs, self.client = url, runs, MlflowClient(tracking_uri=url)
        self.experiments, self.ids = {}, {}
        # MLflow answers 400 where two runs are the first to use a dataset at the same moment.
        self.dataset_lock = threading.Lock()

    def is_complete(self):
        experiment = self.client.get_experiment_by_name(EXPERIMENTS[0][0])
        return experiment is not None and COMPLETE in experiment.tags

    def fill(self):
        extras = [self.churn_model, self.image_model, self.traces]
        bar = Bar(len(EXPERIMENTS) + len(self.runs) + len(extras))
        for name, _, note in EXPERIMENTS:
            self.experiments[name] = self.experiment(name, note)
            bar.step(name)
        self.clear_halves()
        with ThreadPoolExecutor(4) as pool:
            for level in self.levels():
                for run in pool.map(self.send, level):
                    bar.step(run.name)
        for extra in extras:
            extra()
            bar.step(extra.__name__.replace("_", " "))
        self.client.set_experiment_tag(self.experiments[SWEEP], COMPLETE, "true")

    def levels(self):
        """Runs whose parents are all in an earlier level."""
        depth = {}
        for run in self.runs:
            depth[run.name] = depth[run.parent] + 1 if run.parent else 0
        return [[run for run in self.runs if depth[run.name] == level] for level in range(max(depth.values()) + 1)]

    def experiment(self, name, note):
        found = self.client.get_experiment_by_name(name)
        if found:
            return found.experiment_id
        tags = {"mlflow.note.content": note, "owner": PEOPLE[len(name) % 4]}
        return self.client.create_experiment(name, tags=tags)

    def clear_halves(self):
        """An earlier attempt may have been interrupted: what it finished stays, the rest is made anew."""
        planned = {run.name: run for run in self.runs}
        for experiment in self.experiments.values():
            for run in self.client.search_runs([experiment], max_results=50_000):
                if run.info.run_name not in planned:
                    continue
                if run.info.status == "RUNNING":
                    self.client.delete_run(run.info.run_id)
                else:
                    self.ids[run.info.run_name] = run.info.run_id

    def send(self, run):
        if run.name in self.ids:
            return run
        from mlflow.entities import Metric, Param

        client = self.client
        tags = run.tags | {"mlflow.user": run.user, "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
        tags["mlflow.source.git.commit"] = f"{zlib.crc32(run.experiment.encode()):08x}" * 5
        if run.parent:
            tags["mlflow.parentRunId"] = self.ids[run.parent]
        if run.notes:
            tags["mlflow.note.content"] = run.notes
        run_id = client.create_run(self.experiments[run.experiment], start_time=run.start, tags=tags, run_name=run.name).info.run_id
        steps = max([len(values) for values in run.curves.values()], default=1)
        length = int(run.minutes * 60_000)
        metrics = [
            Metric(key, value, run.start + length * step // steps, step)
            for key, values in run.curves.items()
            for step, value in enumerate(values)
        ]
        params = [Param(key, str(value)) for key, value in run.params.items()]
        for first in range(0, max(len(metrics), 1), 800):
            client.log_batch(run_id, metrics=metrics[first : first + 800], params=params if first == 0 else [])
        if run.dataset:
            self.log_dataset(run_id, *run.dataset)
        if run.files:
            with tempfile.TemporaryDirectory() as folder:
                write_files(run, Path(folder))
                client.log_artifacts(run_id, folder)
        # Last, so that a finished run is a whole one.
        if run.status != "RUNNING":
            client.set_terminated(run_id, run.status, run.start + length)
        self.ids[run.name] = run_id
        return run

    def log_dataset(self, run_id, name, digest, rows):
        from mlflow.entities import Dataset, DatasetInput, InputTag

        schema = json.dumps({"mlflow_colspec": [{"type": "long", "name": "label", "required": True}]})
        source = json.dumps({"uri": f"s3://datasets/{name}"})
        made = Dataset(name, digest, "s3", source, schema=schema, profile=json.dumps({"num_rows": rows}))
        with self.dataset_lock:
            self.client.log_inputs(run_id, datasets=[DatasetInput(made, [InputTag("mlflow.data.context", "training")])])

    def churn_model(self):
        self.register("churn-classifier", CHURN, "Probability that a customer leaves within 90 days.", 4, {"champion": 3, "challenger": 4})

    def image_model(self):
        self.register("cifar100-resnet", SWEEP, "Hundred classes, 32 × 32 pixels. **Not** for photographs.", 3, {"champion": 2})

    def register(self, model, experiment, description, versions, aliases):
        """The model's versions are the best finished runs; the last one is a model that really answers."""
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(model, tags={"team": "growth"}, description=description)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        have = len(self.client.search_model_versions(f"name = '{model}'"))
        finished = [run for run in self.runs if run.experiment == experiment and run.curves and run.status == "FINISHED"]
        finished.sort(key=lambda run: run.curves["val/accuracy"][-1])
        mlflow.set_tracking_uri(self.url)
        for index, run in list(enumerate(finished[-versions:], 1))[have:]:
            run_id = self.ids[run.name]
            with mlflow.start_run(run_id=run_id):
                example = [{"age": 41.0, "months": 18.0, "complaints": 2.0}]
                made = mlflow.pyfunc.log_model(
                    name="model", python_model=mlflow.pyfunc.utils.pyfunc(answer), input_example=example, pip_requirements=["mlflow"]
                )
            self.client.set_terminated(run_id, run.status, run.start + int(run.minutes * 60_000))
            version = self.client.create_model_version(
                model,
                made.model_uri,
                run_id,
                {"reviewed": "yes" if index < versions else "no"},
                description=f"From *{run.name}*.",
                model_id=made.model_id,
            )
            assert int(version.version) == index
        for alias, version in aliases.items():
            self.client.set_registered_model_alias(model, alias, str(version))

    def traces(self):
        import mlflow

        experiment = self.experiments[ASSISTANT]
        mlflow.set_tracking_uri(self.url)
        mlflow.set_experiment(experiment_id=experiment)
        dice = random.Random(7)
        questions = [
            "How many days of leave do I have?",
            "Who signs travel above 500?",
            "Where is the key to the lab?",
            "¿Puedo trabajar desde Lisboa?",
        ]
        have = len(self.client.search_traces(locations=[experiment], max_results=100, include_spans=False))
        for index in range(have, 24):
            question = dice.choice(questions)
            try:
                with mlflow.start_span("answer", span_type="CHAIN") as root:
                    mlflow.update_current_trace(
                        metadata={"mlflow.trace.session": f"session-{index // 4}", "mlflow.trace.user": dice.choice(PEOPLE)}
                    )
                    root.set_inputs({"question": question})
                    with mlflow.start_span("retrieve", span_type="RETRIEVER") as span:
                        span.set_inputs({"query": question, "k": 3})
                        span.set_outputs([{"page_content": "§ 12 …", "metadata": {"doc_uri": f"handbook/{n}.md"}} for n in range(3)])
                    with mlflow.start_span(
                        "generate", span_type="CHAT_MODEL", attributes={"model": "small-chat", "temperature": 0.2}
                    ) as span:
                        span.set_inputs({"messages": [{"role": "user", "content": question}]})
                        if index % 8 == 5:
                            raise TimeoutError("the model did not answer within 30 s")
                        span.set_outputs({"choices": [{"message": {"role": "assistant", "content": "Page 12 of the handbook says so."}}]})
                    root.set_outputs({"answer": "Page 12 of the handbook says so.", "sources": 3})
            except TimeoutError:
                pass


def answer(model_input: list[dict[str, float]]) -> list[float]:
    """What the registered models compute: small, but it answers."""
    return [1 / (1 + math.exp(2.0 - 0.7 * row["complaints"] + 0.02 * row["months"])) for row in model_input]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="Flowdeck's address, with its base path")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", required=True, type=Path)
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    os.environ["MLFLOW_TRACKING_USERNAME"] = options.user
    os.environ["MLFLOW_TRACKING_PASSWORD"] = options.password_file.read_text().strip()

    from mlflow.exceptions import MlflowException

    now = int(time.time() * 1000)
    demo = Demo(options.url.rstrip("/"), plan(options.runs, now))
    try:
        if demo.is_complete():
            print("The demonstration data is already there.", file=sys.stderr)
            return
        print(f"Filling MLflow with {len(demo.runs)} runs through {demo.url}; this takes a minute or two.", file=sys.stderr)
        demo.fill()
    except MlflowException as error:
        sys.exit(f"The demonstration data could not be completed: {error.message}")
    except KeyboardInterrupt:
        sys.exit("Interrupted; the next time it goes on from here.")
    kinds = Counter(run.status.lower() for run in demo.runs)
    print(f"Done in {time.time() - now / 1000:.0f} s: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}.", file=sys.stderr)


if __name__ == "__main__":
    main()
