"""Two processes that train one model say and save what one process does."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from learn_llm import minimal_impls, parallel
from learn_llm.errors import MissingError, UserError
from learn_llm.events import Metrics
from learn_llm.training import STATE, choose_device
from tests.small_models import WORDS, llama_folder
from tests.two_processes import trained, two_processes

METHODS: dict[str, dict[str, Any]] = {
    "sft": {"batch_size": 5, "micro_batch_size": 2},
    "lora": {"batch_size": 5},
    "reward_model": {"batch_size": 5, "micro_batch_size": 2},
    "dpo": {"batch_size": 5},
    "coh": {"batch_size": 4, "max_length": 100},
    "best_of_n": {"batch_size": 4, "best_of": 2, "n": 2, "samples": 4, "prompts": 2, "mini_batch_size": 3},
    "grpo": {"batch_size": 9, "group_size": 3, "mini_batch_size": 4, "kl_coef": 0.1},
    "reinforce": {"batch_size": 9, "group_size": 3, "mini_batch_size": 4},
    "ppo": {"batch_size": 9, "mini_batch_size": 4, "micro_batch_size": 2, "epochs": 2},
    "pretrain": {"size": "nano", "batch_size": 3},
    "seq2seq": {"batch_size": 3},
}
"""Batches that two processes cannot share out evenly, and remainders of one row, of which one process has none."""
SAMPLED = ("best_of_n", "grpo", "reinforce", "ppo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, a little Llama, a reward that says something else each time, and what is to be run."""
    folder = tmp_path_factory.mktemp("parallel")
    rows = [{"prompt": f"hi {w}", "completion": f"{w} good", "chosen": "good", "rejected": f"bad {w}"} for w in WORDS]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "responses.json").write_text(json.dumps(["good", "bad one two", "yes good", "no", "three good bad good"]))
    (folder / "counting_reward.py").write_text(
        "def count(prompts, responses, rows):\n    return [float(r.split().count('good')) for r in responses]\n"
    )
    own = {"model": llama_folder(folder / "llama", context=128), "data": str(folder / "data.jsonl")}
    sampling = {"reward": "counting_reward:count", "max_new_tokens": 8}
    shared = {"steps": 3, "device": "cpu", "learning_rate": 1e-3}
    runs = {
        name: {**shared, **({} if name in ("pretrain", "seq2seq") else own), **settings}
        | (sampling if name in SAMPLED else {})
        for name, settings in METHODS.items()
    }
    for name in ("sft", "ppo"):
        runs[name]["out"] = str(folder / name)
    (folder / "runs.json").write_text(json.dumps(runs))
    return folder


@pytest.fixture(scope="module")
def seen(folder: Path) -> list[dict[str, Any]]:
    """What each of two processes saw."""
    pytest.importorskip("accelerate", reason="several processes need accelerate")
    return two_processes(folder)


@pytest.mark.parametrize("method", METHODS)
def test_every_step_is_that_of_one_process(
    folder: Path, seen: list[dict[str, Any]], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(folder))
    settings = {**json.loads((folder / "runs.json").read_text())[method], "out": str(folder / "alone" / method)}
    alone = trained(method, settings, folder / "responses.json")
    assert len(alone) >= 3
    for one, two in zip(alone, seen[0][method], strict=True):
        assert two == pytest.approx(one, abs=1e-4, rel=1e-4)
    assert seen[1][method] == seen[0][method]
    if method in ("sft", "ppo"):
        ours, theirs = (load_file(where / STATE) for where in (folder / method, folder / "alone" / method))
        for name, tensor in theirs.items():
            torch.testing.assert_close(ours[name], tensor, atol=1e-5, rtol=0)


def test_all_know_what_each_found(seen: list[dict[str, Any]]) -> None:
    first, second = (one["known"] for one in seen)
    assert (first.pop("own"), second.pop("own")) == ([0, 2, 4], [1, 3])
    assert first == second
    assert first["gathered"] == [0, 10, 20, 30, 40]
    assert first["nothing"] == []
    assert first["added"] == {"a": 3.5, "b": 1.0}
    assert first["from_first"] == 7
    assert first["asked"] == ["hi", "hi one two", "good", "hi one two", "no"]
    assert first["answered"][1] != first["answered"][3]  # one prompt, answered by two processes: draws of their own


def test_the_first_one_shows_and_saves(folder: Path, seen: list[dict[str, Any]]) -> None:
    events = [json.loads(line) for line in seen[0]["printed"].splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("start", "verdict")
    assert seen[1]["printed"] == ""
    assert seen[0]["code"] == seen[1]["code"] == 0
    assert {"model.safetensors", STATE} <= {file.name for file in (folder / "shown").iterdir()}


def _left_properly(seen: list[dict[str, Any]]) -> None:
    """No thread of the group runs on into the end of the interpreter, which now and then aborted the process."""
    names = [name for one in seen for name in one["threads"]]
    assert not any("gloo" in name or "store" in name for name in names), names


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed in Linux's /proc")
def test_the_groups_threads_end_before_the_process_does(seen: list[dict[str, Any]]) -> None:
    assert all(one["threads"] for one in seen)
    _left_properly(seen)


def test_sharded_the_steps_stay_and_each_process_keeps_a_share_of_the_moments(
    folder: Path, seen: list[dict[str, Any]], tmp_path: Path
) -> None:
    runs = json.loads((folder / "runs.json").read_text())
    mine = {name: {**runs[name], "out": str(tmp_path / name), "save_every": 2} for name in ("sft", "ppo")}
    (tmp_path / "runs.json").write_text(json.dumps(mine))
    for file in ("responses.json", "counting_reward.py"):
        (tmp_path / file).write_text((folder / file).read_text())
    sharded = two_processes(tmp_path, ACCELERATE_USE_FSDP="true")
    assert [one["moments"] for one in seen] == [1, 1]
    _left_properly(sharded)
    held = [one["moments"] for one in sharded]
    assert sum(held) == pytest.approx(1)
    assert min(held) > 0.3
    for name in mine:
        for ours, theirs in zip(sharded[0][name], seen[0][name], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-6, rel=1e-5)
        assert sharded[1][name] == sharded[0][name]
        state, whole = (load_file(where / name / STATE) for where in (tmp_path, folder))
        assert state.keys() == whole.keys()
        for key, tensor in whole.items():
            torch.testing.assert_close(state[key], tensor, atol=1e-5, rtol=0)


def test_accelerates_own_switch_shards_and_a_killed_run_goes_on(folder: Path, tmp_path: Path) -> None:
    """`accelerate launch --use_fsdp`; interrupted after 2 of 4 steps it ends as one process does."""
    pytest.importorskip("accelerate")
    sft = import_module("learn_llm.minimal_impls.sft")
    settings = {**json.loads((folder / "runs.json").read_text())["sft"], "steps": 4, "save_every": 2}
    list(sft.run(sft.Config(**{**settings, "out": str(tmp_path / "alone")})))
    halfway = sft.run(sft.Config(**{**settings, "out": str(tmp_path / "shared")}))
    for event in halfway:
        if isinstance(event, Metrics) and event.step == 2:
            break
    halfway.close()
    options = {**settings, "out": str(tmp_path / "shared"), "resume": True}
    words = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}") for name, value in options.items()]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--use_fsdp", "--num_processes", "2"]
    launch += ["--main_process_port", "0", "-m", "learn_llm.minimal_impls.sft", "--json", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(launch, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["step"] for event in events if event["event"] == "metrics"] == [3, 4]
    ours, theirs = (load_file(tmp_path / name / STATE) for name in ("shared", "alone"))
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, atol=1e-5, rtol=0)


def test_every_loop_takes_its_own_rows() -> None:
    """Without it every process would go through all rows, and the gradients would be counted twice."""
    files = [file for file in Path(minimal_impls.__path__[0]).glob("*.py") if "optimiser.step(step" in file.read_text()]
    assert len(files) >= 11
    assert [file.name for file in files if not re.search(r"\bown\(", file.read_text())] == []


@pytest.mark.parametrize(
    ("environment", "devices", "device", "said"),
    [
        ({"LOCAL_WORLD_SIZE": "2"}, 1, "auto", "2 processes, but 1 CUDA devices here"),
        ({}, 1, "cuda", "2 processes, but 1 CUDA devices here"),
        ({}, 0, "cuda", "not on cuda"),
        ({}, 0, "mps", "not on mps"),
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, 2, "auto", "DeepSpeed is not used here: give --use_fsdp"),
    ],
)
def test_what_cannot_be_shared_out_is_one_line(
    environment: dict[str, str], devices: int, device: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("accelerate")
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    with pytest.raises(UserError, match=said):
        choose_device(device)


def test_without_accelerate_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingError, match=r"pip install 'learn-llm\[accelerate\]'"):
        choose_device("cpu")


def test_one_process_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    rows, tensor = [1, 2, 3], torch.tensor([1.0, 2.0])
    assert parallel.own(rows) is rows
    assert parallel.gathered(rows) == rows
    assert parallel.added({"a": 0.1}) == {"a": 0.1}
    assert parallel.summed(tensor) is tensor
    assert parallel.from_first(lambda: 5) == 5
    parameter = SimpleNamespace(grad=None)
    parallel.sum_gradients([parameter])  # type: ignore[list-item]
    assert parameter.grad is None


def test_a_launcher_that_starts_one_process_instead_of_two_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `accelerate launch --num_processes 2` does without GPUs."""
    assert not parallel.started_alone()
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    assert not parallel.started_alone()
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert parallel.started_alone()
    monkeypatch.setenv("RANK", "0")
    assert not parallel.started_alone()
