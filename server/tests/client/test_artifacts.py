"""Large files: whole, unchanged, and not through Flowdeck's memory."""

import hashlib
import os
import re
import sys
from pathlib import Path

import mlflow
import pytest

SIZE = 200 * 1024 * 1024
PIECE = 1024 * 1024
ROOM = 32 * 1024 * 1024


def checksum(file):
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() if sys.version_info >= (3, 11) else hashlib.sha256(data.read()).hexdigest()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    file = tmp_path_factory.mktemp("large") / "weights.bin"
    noise = os.urandom(PIECE)
    with file.open("wb") as data:
        for number in range(SIZE // PIECE):
            data.write(number.to_bytes(8, "big") + noise[8:])
    yield file
    file.unlink()


class Memory:
    """The most that a process has held since, over what it held then."""

    def __init__(self, pid):
        self.process = Path(f"/proc/{pid}")
        (self.process / "clear_refs").write_text("5")  # sets the peak back to the present (proc(5))
        self.before = self.kilobytes("VmRSS")

    def kilobytes(self, field):
        return int(re.search(rf"{field}:\s+(\d+) kB", (self.process / "status").read_text())[1])

    def growth(self):
        return (self.kilobytes("VmHWM") - self.before) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_large_file_goes_up_and_down(flowdeck, client, experiment, large, tmp_path):
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, "warm", "warm.txt")

    memory = Memory(flowdeck.pid)
    client.log_artifact(run_id, str(large), "checkpoints")
    assert memory.growth() < ROOM, "while going up"
    (listed,) = client.list_artifacts(run_id, "checkpoints")
    assert listed.file_size == SIZE

    memory = Memory(flowdeck.pid)
    down = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="checkpoints/weights.bin", dst_path=str(tmp_path)))
    assert memory.growth() < ROOM, "while coming down"
    assert checksum(down) == checksum(large)
    down.unlink()

    artifact = f"/get-artifact?run_uuid={run_id}&path=checkpoints/weights.bin"
    with flowdeck.ask("GET", artifact, stream=True) as whole:
        assert whole.status_code == 200
        assert whole.headers["Content-Length"] == str(SIZE)
        assert "Content-Encoding" not in whole.headers
    with large.open("rb") as data:
        data.seek(3 * PIECE - 5)
        expected = data.read(1000)
    first = 3 * PIECE - 5
    part = flowdeck.ask("GET", artifact, headers={"Range": f"bytes={first}-{first + 999}"})
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes {first}-{first + 999}/{SIZE}"
    assert part.headers["Content-Length"] == "1000"
    assert part.content == expected


def test_small_files_of_every_kind(client, experiment, tmp_path):
    run_id = client.create_run(experiment).info.run_id
    files = {"empty.txt": b"", "zeros.bin": bytes(4096), "page.html": b"<script>alert(1)</script>", "a/b/c/deep.json": b'{"a": 1}'}
    for name, content in files.items():
        file = tmp_path / "up" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    client.log_artifacts(run_id, str(tmp_path / "up"))
    down = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path / "down")))
    assert {str(file.relative_to(down)): file.read_bytes() for file in down.rglob("*") if file.is_file()} == files
