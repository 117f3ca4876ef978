"""Settings, schedule, the guarded optimiser, and runs that go on after SIGKILL with the same numbers."""

import doctest
import itertools
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from learn_llm import training
from learn_llm.errors import UserError
from learn_llm.training import Optimiser, Progress, TrainConfig, generator, learning_rate, torch_generator


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(training, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"steps": 0}, "--steps must be at least 1: it is 0"),
        ({"batch_size": 0}, "--batch-size must be at least 1"),
        ({"micro_batch_size": -1}, "--micro-batch-size must not be negative"),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0"),
        ({"learning_rate": math.inf}, "--learning-rate must be above 0"),
        ({"learning_rate": math.nan}, "--learning-rate must be above 0"),
        ({"warmup": 1.0}, "--warmup is a share"),
        ({"resume": True}, "--resume needs --out"),
    ],
)
def test_settings_that_cannot_be(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        TrainConfig(**setting)


class TestSchedule:
    def test_warm_up_then_down_to_nothing(self) -> None:
        config = TrainConfig(steps=100, learning_rate=2.0, warmup=0.1)
        rates = [learning_rate(step, config) for step in range(1, 101)]
        assert rates[0] == pytest.approx(0.2)
        assert rates[9] == rates[10] == 2.0
        assert all(a > b for a, b in itertools.pairwise(rates[10:]))
        assert 0 < rates[-1] < 0.002
        middle = learning_rate(11 + 45, config)
        assert middle == pytest.approx(1.0)

    def test_constant(self) -> None:
        config = TrainConfig(steps=10, learning_rate=2.0, warmup=0.0, schedule="constant")
        assert {learning_rate(step, config) for step in range(1, 11)} == {2.0}


class TestOptimiser:
    def layer(self) -> nn.Linear:
        layer = nn.Linear(2, 1, bias=True)
        nn.init.ones_(layer.weight)
        nn.init.ones_(layer.bias)
        return layer

    def test_one_step_is_adamw_with_decay_on_matrices_only(self) -> None:
        layer = self.layer()
        optimiser = Optimiser([layer], TrainConfig(learning_rate=0.1, warmup=0.0, weight_decay=0.5, max_grad_norm=0.0))
        (layer(torch.tensor([[3.0, -4.0]])) * 1.0).sum().backward()
        values = optimiser.step(1, 7.0)
        # Adam's first step is the rate times the gradient's sign; before it decay shrinks the weight by rate · 0.5.
        assert layer.weight.tolist() == [[pytest.approx(0.95 - 0.1), pytest.approx(0.95 + 0.1)]]
        assert layer.bias.tolist() == [pytest.approx(0.9)]
        assert values == {"loss": 7.0, "learning_rate": 0.1, "grad_norm": pytest.approx(math.sqrt(9 + 16 + 1))}

    def test_a_long_gradient_is_scaled_down(self) -> None:
        layer = self.layer()
        optimiser = Optimiser([layer], TrainConfig(max_grad_norm=0.5))
        kept: list[float] = []
        optimiser.adam.register_step_pre_hook(
            lambda *_: kept.append(
                math.sqrt(sum(float(p.grad.square().sum()) for p in layer.parameters() if p.grad is not None))
            )
        )
        layer(torch.tensor([[3.0, -4.0]])).sum().backward()
        optimiser.step(1, 0.0)
        assert kept == [pytest.approx(0.5, rel=1e-4)]

    @pytest.mark.parametrize(("loss", "spoilt"), [(math.nan, False), (math.inf, False), (1.0, True)])
    def test_a_number_that_is_none_stops_the_run_and_touches_nothing(self, loss: float, spoilt: bool) -> None:
        layer = self.layer()
        optimiser = Optimiser([layer], TrainConfig())
        layer(torch.tensor([[math.nan if spoilt else 1.0, 1.0]])).sum().backward()
        what = "gradient is nan" if spoilt else f"loss is {loss}"
        with pytest.raises(UserError, match=f"the {what} at step 17"):
            optimiser.step(17, loss)
        assert layer.weight.tolist() == [[1.0, 1.0]]


def test_random_numbers_depend_on_seed_purpose_and_step_alone() -> None:
    config = TrainConfig(seed=3)
    assert generator(config, "a", 1).random() == generator(config, "a", 1).random()
    drawn = {generator(c, p, s).random() for c in (config, TrainConfig(seed=4)) for p in ("a", "b") for s in (1, 2)}
    assert len(drawn) == 8
    assert torch.equal(
        torch.rand(3, generator=torch_generator(config, "a", 1)),
        torch.rand(3, generator=torch_generator(config, "a", 1)),
    )


@dataclass
class Run:
    """A little run that learns to give 0, to see what Progress keeps."""

    config: TrainConfig

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.layer, self.count = nn.Linear(3, 1), torch.zeros(())
        self.layer.register_buffer("count", self.count)
        self.optimiser = Optimiser([self.layer], self.config)
        self.exported: list[int] = []
        self.progress = Progress(
            self.config, {"layer": self.layer}, self.optimiser, lambda folder: self.exported.append(self.progress.step)
        )

    def go(self, until: int | None = None, fail_at: int = -1) -> None:
        with self.progress as progress:
            for step in progress.steps():
                x = torch.randn(8, 3, generator=torch_generator(self.config, "x", step))
                loss = self.layer(x).square().mean()
                loss.backward()
                values = self.optimiser.step(step, math.nan if step == fail_at else loss.detach())
                self.count += 1
                progress.done(step, values, doubled=2.0 * step)
                if step == until:
                    raise GeneratorExit


class TestProgress:
    config = TrainConfig(steps=10, save_every=4, learning_rate=0.1)

    def test_an_interrupted_run_goes_on_with_the_same_numbers(self, tmp_path: Path) -> None:
        whole = Run(self.config)
        whole.go()
        config = replace(self.config, out=str(tmp_path / "out"))
        first = Run(config)
        with pytest.raises(GeneratorExit):
            first.go(until=6)
        assert first.exported == [4, 6]
        second = Run(replace(config, resume=True))
        assert second.progress.step == 6
        assert second.progress.extra == {"doubled": 12.0}
        second.go()
        assert second.progress.history == whole.progress.history
        assert torch.equal(second.layer.weight, whole.layer.weight)
        assert float(second.count) == 10
        third = Run(replace(config, resume=True))
        assert list(third.progress.steps()) == []
        assert torch.equal(third.layer.weight, whole.layer.weight)

    def test_a_run_that_fails_keeps_its_last_good_state(self, tmp_path: Path) -> None:
        config = replace(self.config, out=str(tmp_path))
        with pytest.raises(UserError, match="last good checkpoint is kept"):
            Run(config).go(fail_at=7)
        assert Run(replace(config, resume=True)).progress.step == 4

    def test_a_folder_with_a_run_is_not_overwritten(self, tmp_path: Path) -> None:
        config = replace(self.config, out=str(tmp_path))
        Run(config).go()
        with pytest.raises(UserError, match="holds a run already"):
            Run(config)

    def test_nothing_to_go_on_with(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="there is no run to go on with"):
            Run(replace(self.config, out=str(tmp_path), resume=True))

    def test_another_setting_is_refused_and_named(self, tmp_path: Path) -> None:
        config = replace(self.config, out=str(tmp_path))
        Run(config).go()
        with pytest.raises(UserError, match=r"started with learning_rate 0\.1, not 0\.2"):
            Run(replace(config, resume=True, learning_rate=0.2))
        Run(replace(config, resume=True, save_every=1))

    def test_a_damaged_state_is_said(self, tmp_path: Path) -> None:
        config = replace(self.config, out=str(tmp_path))
        Run(config).go()
        file = tmp_path / training.STATE
        file.write_bytes(file.read_bytes()[:100])
        with pytest.raises(UserError, match="damaged"):
            Run(replace(config, resume=True))

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match="cannot be written"):
            Run(replace(self.config, out=str(tmp_path / "file" / "out")))

    def test_an_old_state_survives_a_write_that_was_cut_off(self, tmp_path: Path) -> None:
        config = replace(self.config, out=str(tmp_path))
        Run(config).go()
        (tmp_path / training.STATE).with_suffix(".part").write_bytes(b"half of a")
        assert Run(replace(config, resume=True)).progress.step == 10


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """`sft` in a process of its own, on one thread so that sums are taken in one order."""
    command = [sys.executable, "-m", "learn_llm.minimal_impls.sft", "--json", "--device", "cpu", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_run_killed_by_sigkill_goes_on_bit_for_bit(tmp_path: Path) -> None:
    from tests.small_models import llama_folder

    model = llama_folder(tmp_path / "llama")
    data = tmp_path / "data.jsonl"
    rows = [
        {"prompt": f"hi {a}", "completion": f"hello {a}"}
        for a in ["one", "two", "three", "four", "five", "six", "seven"]
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    steps, size = ["--steps", "120"], ["--batch-size", "2", "--save-every", "3"]
    common = ["--model", model, "--data", str(data), *steps, *size]

    whole = start(tmp_path, *common, "--out", "whole")
    told, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, told

    killed = start(tmp_path, *common, "--out", "killed")
    assert killed.stdout is not None
    for line in killed.stdout:
        if json.loads(line).get("step", 0) >= 20:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert (tmp_path / "killed" / training.STATE).exists()

    again = start(tmp_path, *common, "--out", "killed", "--resume")
    told_again, _ = again.communicate(timeout=300)
    assert again.returncode == 0
    events = [json.loads(line) for line in told_again.splitlines()]
    first = next(event["step"] for event in events if event["event"] == "metrics")
    assert 19 <= first < 120
    after = {event["step"]: event["values"] for event in events if event["event"] == "metrics"}
    before = [json.loads(line) for line in told.splitlines()]
    assert all(event["values"] == after[event["step"]] for event in before if event.get("step", 0) >= first)
    assert events[-1] == before[-1]
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()
