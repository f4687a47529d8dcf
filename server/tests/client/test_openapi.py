"""Requests made up from the OpenAPI document: whatever they are, the answer is one that the document tells of."""

import os
import subprocess
import sys

import pytest

from conftest import MEMBER

# What the document does not spell out (a name is not blank, an id is some experiment's) may be refused. And a storm of wrong
# credentials is answered with 429, as it should be.
LEFT_OUT = "positive_data_acceptance,ignored_auth"


@pytest.mark.parametrize("who", ["anonymous", "member", "owner"])
def test_made_up_requests_are_answered_as_documented(flowdeck, tmp_path, who):
    if flowdeck.url.count("/") > 2:
        pytest.skip("once, at the root")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{flowdeck.url}/api/flowdeck/v1/openapi.json"]
    command += ["--phases", "coverage,fuzzing", "--max-examples", "10", "--generation-deterministic", "--exclude-checks", LEFT_OUT]
    # It goes on for as long as somebody listens.
    command += ["--exclude-path", "/experiments/{id}/live"]
    command += ["--header", "X-Forwarded-For: 203.0.113.7"]
    if who != "anonymous":
        name, password = flowdeck.admin if who == "owner" else MEMBER
        command += ["--auth", f"{name}:{password}"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"}, timeout=300)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
