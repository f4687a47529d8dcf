"""Runs `mlflow server` for Flowdeck, and sees to it that nothing of it outlives Flowdeck.

Standard input is a pipe whose other end Flowdeck holds: it ends when Flowdeck does, however Flowdeck ends. Standard
output is the socket to answer at, which Flowdeck has bound, so that no one else on this machine can take the port
while MLflow starts or restarts. Standard error is the log.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

GRACE = 4.0  # seconds between asking and killing
PR_SET_PDEATHSIG = 1  # linux/prctl.h

lifeline = os.dup(0)
listener = socket.socket(fileno=os.dup(1))
with open(os.devnull) as nothing:
    os.dup2(nothing.fileno(), 0)
os.dup2(2, 1)
# Accepted connections inherit it; uvicorn would not set it on a socket that it was handed.
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def end_with_flowdeck():
    os.read(lifeline, 1)  # nothing is ever written: this returns when the pipe ends
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def end_with_launcher():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:
        os._exit(1)


class Popen(subprocess.Popen):
    """How the MLflow command line starts uvicorn: with the socket, and on Linux not to outlive this process."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, pass_fds=[listener.fileno()], preexec_fn=libc and end_with_launcher, **kwargs)


launcher = os.getpid()
libc = ctypes.CDLL(None) if sys.platform == "linux" else None
subprocess.Popen = Popen
threading.Thread(target=end_with_flowdeck, daemon=True).start()

uvicorn = f"--fd {listener.fileno()} --no-access-log --timeout-graceful-shutdown 5"
sys.argv = ["mlflow", "server", *sys.argv[1:], "--uvicorn-opts", uvicorn]

from mlflow.cli import cli  # noqa: E402  (it takes seconds, and Flowdeck may end meanwhile)

try:
    cli()
except SystemExit as end:
    # uvicorn is gone and nothing is left to do: Python would take two seconds to leave in good order.
    sys.stdout.flush()
    os._exit(end.code if isinstance(end.code, int) else 1)
