"""vLLM servers for a check, each on the same one core."""

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from devcluster.processes import Daemon

MODEL_NAME = "target"
SPECULATIVE_TOKENS = 4
FLAGS = (
    "--dtype=float32",
    "--max-model-len=1024",
    "--max-num-seqs=16",
    "--enforce-eager",
    "--distributed-executor-backend=uni",
)
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
}
START_SECONDS = 300.0


@dataclass(frozen=True)
class Server:
    """A server that answers at `url`, and the seconds from its start to its first healthy answer."""

    url: str
    start_seconds: float


@contextlib.contextmanager
def serving(models: Path, logs: Path, *, speculative: bool) -> Iterator[Server]:
    """Serve the target, with its draft if `speculative`, while the block runs.

    Raises:
        NotReadyError: the server ended or was not healthy in five minutes; the message shows its log's end.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    argv = (*_command(models, port), *(_speculation(models) if speculative else ()))
    daemon = Daemon("speculative" if speculative else "plain", logs, argv, ENVIRONMENT)
    started = time.monotonic()
    try:
        daemon.start(lambda: _is_healthy(url), seconds=START_SECONDS)
        yield Server(url, time.monotonic() - started)
    finally:
        daemon.stop()


def serving_core() -> int:
    """The core that all servers share: the last one that this process may use; the client has the others."""
    return max(os.sched_getaffinity(0))


def _command(models: Path, port: int) -> tuple[str, ...]:
    # The API server's module, since `vllm serve` needs metadata that vLLM's package for CPUs lacks.
    return (
        *("taskset", "--cpu-list", str(serving_core())),
        *(sys.executable, "-m", "vllm.entrypoints.launchers.api_server.entry"),
        *("--host=127.0.0.1", f"--port={port}", f"--model={models / 'target'}", f"--served-model-name={MODEL_NAME}"),
        *FLAGS,
    )


def _speculation(models: Path) -> tuple[str, str]:
    config = {
        "method": "draft_model",
        "model": str(models / "draft"),
        "num_speculative_tokens": SPECULATIVE_TOKENS,
    }
    return "--speculative-config", json.dumps(config)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _is_healthy(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/health").is_success
    return False
