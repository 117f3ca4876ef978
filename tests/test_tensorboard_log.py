"""`--log-dir`: what a run says, read back from its TensorBoard logs."""

import doctest
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from learn_llm import tensorboard_log
from learn_llm.events import Event, Metrics, Note, Sample, Verdict
from learn_llm.running import RunConfig, execute, main


def saying(*events: Event) -> Callable[[RunConfig], Iterator[Event]]:
    def run(config: RunConfig) -> Iterator[Event]:
        yield from events

    return run


def test_the_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(tensorboard_log).attempted == 2
    assert doctest.testmod(tensorboard_log).failed == 0


@pytest.mark.filterwarnings("ignore")
def test_metrics_samples_and_verdict_are_in_the_event_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = saying(
        Metrics(1, 2, {"loss": 2.5, "lora/kl": 0.25}),
        Metrics(2, 2, {"loss": 1.5, "lora/kl": float("nan")}),
        Note("not kept"),
        Sample("what is\n*this* ?", "a hat", {"gold": 0.5}),
        Sample("again ?", "a cup"),
        Verdict("it works", True, {"gold_difference": 0.125}),
    )
    folder = tmp_path / "logs" / "one"
    with pytest.raises(SystemExit) as stop:
        main(run, RunConfig, ["--json", "--seed", "3", "--log-dir", str(folder)])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) == 7  # the events are told as without it

    logs = EventAccumulator(str(folder)).Reload()
    assert [(event.step, event.value) for event in logs.Scalars("loss")] == [(1, 2.5), (2, 1.5)]
    assert set(logs.Tags()["scalars"]) == {"loss", "lora/kl"}
    texts = {
        tag.removesuffix("/text_summary"): (event.step, event.tensor_proto.string_val[0].decode())
        for tag in logs.Tags()["tensors"]
        for event in logs.Tensors(tag)
    }
    assert set(texts) == {"config", "sample/1", "sample/2", "verdict"}
    assert '    "seed": 3' in texts["config"][1]
    assert texts["sample/1"][0] == 2
    assert "    *this* ?" in texts["sample/1"][1]
    assert "| gold | 0.5 |" in texts["sample/1"][1]
    assert "it works: **holds**" in texts["verdict"][1]
    assert "| gold_difference | 0.125 |" in texts["verdict"][1]


def test_without_tensorboard_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert execute(saying(Verdict("it works", True, {})), RunConfig(), name="test", log_dir=str(tmp_path)) == 3
    told = capsys.readouterr()
    assert told.err == "error: --log-dir needs tensorboard: pip install 'learn-llm[tensorboard]'\n"
    assert told.out == ""


@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    (tmp_path / "file").write_text("")
    told = execute(
        saying(Verdict("it works", True, {})), RunConfig(), name="test", log_dir=str(tmp_path / "file" / "x")
    )
    assert told == 2
    assert "cannot be written" in capsys.readouterr().err
