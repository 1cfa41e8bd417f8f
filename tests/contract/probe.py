"""Ask vLLM itself: parse and validate argument lists as `vllm serve` does before it touches a GPU or weights.

Runs under the Python of a vLLM environment, not under the project's. Standard input holds a JSON object
`{"lists": [{"words": [...], "env": {...}}, ...]}`. Each line of the file that the command line names is one JSON
object: first what the parser knows, then one answer a list, in order. vLLM writes what it likes to standard output
and error.
"""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

PARSER_MODULES = (
    "vllm.entrypoints.common.cli_args",
    "vllm.entrypoints.launchers.cli_args",
    "vllm.entrypoints.openai.cli_args",
)
"""Where `make_arg_parser` lives: 0.33.0, 0.30.0 to 0.32.0, and before."""


def main() -> None:
    """Answer every list in one process: importing vLLM costs more than a hundred answers."""
    lists = json.load(sys.stdin)["lists"]
    prepare()
    with open(sys.argv[1], "w", encoding="utf-8") as out:  # noqa: PTH123 - the shortest that flushes by line
        parser = serve_parser()
        out.write(json.dumps(known(parser)) + "\n")
        for asked in lists:
            out.write(json.dumps(answer(asked["words"], asked["env"])) + "\n")
            out.flush()


def prepare() -> None:
    """Take the CPU platform where vLLM finds none, and let vLLM choose the model runner as on a GPU.

    The platform: as `vllm bench` does (`vllm/entrypoints/cli/main.py` 0.33.0). The runner: V2 needs Triton, which the
    machine of the test lacks and the image has (`use_v2_model_runner` in `vllm/config/vllm.py`).
    """
    from vllm import platforms  # noqa: PLC0415 - importing vLLM is this function's work

    if platforms.current_platform.is_unspecified():
        from vllm.platforms.cpu import CpuPlatform  # noqa: PLC0415

        platforms.current_platform = CpuPlatform()
    import_module("vllm.config.vllm").HAS_TRITON = True


def serve_parser() -> Any:
    """Return a new parser of `vllm serve`."""
    from vllm.utils.argparse_utils import FlexibleArgumentParser  # noqa: PLC0415

    return _parser_maker()(FlexibleArgumentParser())


def known(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the version and the flags of the parser."""
    import vllm  # noqa: PLC0415

    flags = sorted(flag for action in parser._actions for flag in action.option_strings)
    return {"version": vllm.__version__, "flags": flags}


def answer(words: list[str], env: dict[str, str]) -> dict[str, Any]:
    """Return whether it is `ok`, and then the model runner, else the stage, the error's type and its first lines."""
    with _environment(env):
        namespace, error = _parsed(words)
        if namespace is None:
            return refused("parse", "SystemExit", error)
        return _validated(namespace)


def _parsed(words: list[str]) -> tuple[argparse.Namespace | None, str]:
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return serve_parser().parse_args(words), ""
    except (SystemExit, ValueError) as error:
        lines = complaint.getvalue().strip().splitlines()
        return None, lines[-1] if lines else str(error)


def _validated(namespace: argparse.Namespace) -> dict[str, Any]:
    from vllm import AsyncEngineArgs  # noqa: PLC0415

    if namespace.model_tag is not None:  # as `vllm/entrypoints/cli/serve.py` does
        namespace.model = namespace.model_tag
    try:
        config = AsyncEngineArgs.from_cli_args(namespace).create_engine_config()
    except Exception as error:  # noqa: BLE001 - whatever ends the server before it starts
        return refused("config", type(error).__name__, _short(str(error)))
    return {"ok": True, "runner": "V2" if config.use_v2_model_runner else "V1"}


def refused(stage: str, kind: str, error: str) -> dict[str, Any]:
    """Return the answer to a list that is refused at `parse` or `config`."""
    return {"ok": False, "stage": stage, "type": kind, "error": error}


def _short(text: str) -> str:
    """The sentence of a pydantic error, which stands below its title, without the echo of the input."""
    lines = [line.strip().partition(" [type=")[0] for line in text.strip().splitlines()]
    shown = [line for line in lines if line and not line.startswith("For further information")]
    return " | ".join(shown[:3])[:400]


def _parser_maker() -> Callable[[Any], Any]:
    for name in PARSER_MODULES:
        with contextlib.suppress(ModuleNotFoundError):
            maker: Callable[[Any], Any] = import_module(name).make_arg_parser
            return maker
    sys.exit("this version of vLLM keeps its parser somewhere else")


@contextlib.contextmanager
def _environment(env: dict[str, str]) -> Iterator[None]:
    """The platform's checks write environment variables too, which the next list must not see."""
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
