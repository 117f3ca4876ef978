"""One of two processes that train together: `python -m tests.two_processes FOLDER`, with a launcher's environment.

It runs what `runs.json` in the folder names and writes what it saw to `seen.RANK.json`.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from learn_llm import parallel, rollouts
from learn_llm.examples import Prompt
from learn_llm.gpt import GPT
from learn_llm.rollouts import Response, respond
from learn_llm.running import execute, steps_of
from learn_llm.training import Optimiser, Setup, TrainConfig, choose_device, prepare

ROOT = Path(__file__).parents[1]


def trained(method: str, settings: Mapping[str, Any], responses: Path) -> list[dict[str, float]]:
    """What a method measures at each step; what its policy answers is read from a file instead of sampled."""
    rows: list[str] = json.loads(responses.read_text())

    def answer(setup: Setup, model: GPT, prompts: Sequence[Prompt], *rest: Any, **named: Any) -> list[Response]:
        texts = (rows[(3 * i + len(prompt.text)) % len(rows)] for i, prompt in enumerate(prompts))
        ids = map(setup.encoder.response, texts)
        return [Response(prompt, some, ended=True) for prompt, some in zip(prompts, ids, strict=True)]

    sampling, rollouts.respond = rollouts.respond, answer
    try:
        module = import_module(f"learn_llm.minimal_impls.{method}")
        return [dict(metrics.values) for metrics in steps_of(module.run(module.Config(**settings)))]
    finally:
        rollouts.respond = sampling


def known(model: str) -> dict[str, Any]:
    """What comes out where the processes put things together."""
    setup = prepare(TrainConfig(model=model, device="cpu"))
    prompts = [Prompt(setup.encoder.prompt(text), text) for text in ("hi", "hi one two", "good", "hi one two", "no")]
    answered = respond(setup, setup.model, prompts, max_new_tokens=12)
    return {
        "own": list(parallel.own(range(5))),
        "gathered": parallel.gathered([10 * i for i in parallel.own(range(5))]),
        "nothing": parallel.gathered([]),
        "added": parallel.added({"a": 1.5} if parallel.is_first() else {"a": 2.0, "b": 1.0}),
        "from_first": parallel.from_first(lambda: parallel.index() + 7),
        "asked": [response.prompt.text for response in answered],
        "answered": [list(response.ids) for response in answered],
    }


def moments_held(model: str) -> float:
    """The share of Adam's moments that this process keeps after a step."""
    setup = prepare(TrainConfig(model=model, device="cpu"))
    optimiser = Optimiser([setup.model], setup.config)
    torch.stack([parameter.sum() for parameter in optimiser.parameters]).sum().backward()
    optimiser.step(1, 0.0)
    state = getattr(optimiser.adam, "optim", optimiser.adam).state
    held: int = sum(some[name].numel() for some in state.values() for name in ("exp_avg", "exp_avg_sq"))
    return held / (2 * setup.model.num_parameters())


def two_processes(folder: Path, **environment: str) -> list[dict[str, Any]]:
    """Start both, wait, and return what each of them saw, with what it printed.  Raises where one of them fails."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= environment
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.two_processes", str(folder)],
            cwd=ROOT,
            env={**os.environ, **shared, "OMP_NUM_THREADS": "1", "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        printed = [process.communicate(timeout=300) for process in started]
    finally:
        for process in started:
            process.kill()
            process.communicate()
    for process, (_, errors) in zip(started, printed, strict=True):
        assert process.returncode == 0, errors[-3000:]
    return [{**_written(folder, rank), "printed": out} for rank, (out, _) in enumerate(printed)]


def _written(folder: Path, rank: int) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads((folder / f"seen.{rank}.json").read_text())
    return {**seen, "threads": json.loads((folder / f"threads.{rank}.json").read_text())}


def _all(folder: Path) -> Iterator[tuple[str, Any]]:
    runs = json.loads((folder / "runs.json").read_text())
    sys.path.insert(0, str(folder))
    yield "known", known(runs["sft"]["model"])
    yield "moments", moments_held(runs["sft"]["model"])
    for method, settings in runs.items():
        yield method, trained(method, settings, folder / "responses.json")
    sft = import_module("learn_llm.minimal_impls.sft")
    config = sft.Config(**{**runs["sft"], "out": str(folder / "shown")})
    yield "code", execute(sft.run, config, name="sft", json_output=True)


def threads() -> list[str]:
    """The names of this process's threads, as Linux knows them."""
    return sorted(file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm"))


def _note_threads(folder: Path) -> None:
    (folder / f"threads.{parallel.index()}.json").write_text(json.dumps(threads()))


if __name__ == "__main__":
    atexit.register(_note_threads, Path(sys.argv[1]))  # registered first, so called last
    choose_device("cpu")
    seen = dict(_all(Path(sys.argv[1])))
    Path(sys.argv[1], f"seen.{parallel.index()}.json").write_text(json.dumps(seen))
