"""`--lora-rank` of SFT, reward model, DPO and PPO: what is trained, what is kept, going on; rank 0 is as before."""

import json
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm.checkpoints import load, open_checkpoint
from learn_llm.errors import UserError
from learn_llm.events import Event
from learn_llm.minimal_impls.lora import TARGETS
from learn_llm.minimal_impls.lora_rank import LoRAConfig, with_lora
from learn_llm.training import prepare
from tests.rl_method import SIZES, metrics, settings_of
from tests.small_models import WORDS, llama_folder

METHODS = ("sft", "reward_model", "dpo", "ppo")
TOKENS = torch.tensor([[9, 10, 11, 12, 13]])


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """For each method two steps on a file."""
    of_ppo = {**settings_of(tmp_path, monkeypatch), **SIZES["ppo"], "kl_coef": 0.5}
    both = [{"prompt": f"hi {w}", "completion": f"{w} good", "chosen": "good", "rejected": f"bad {w}"} for w in WORDS]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in both))
    shared = {"model": of_ppo["model"], "steps": 2, "batch_size": 4, "device": "cpu"}
    others = {**shared, "data": str(tmp_path / "data.jsonl")}
    return {"sft": others, "reward_model": others, "dpo": others, "ppo": of_ppo}


def run(method: str, **settings: Any) -> list[Event]:
    module = import_module(f"learn_llm.minimal_impls.{method}")
    return list(module.run(module.Config(**settings)))


@pytest.mark.parametrize("method", METHODS)
def test_only_the_projections_move_and_the_adapter_is_the_model(
    settings: dict[str, dict[str, Any]], tmp_path: Path, method: str
) -> None:
    given = {**settings[method], "lora_rank": 2, "learning_rate": 0.05}
    events = run(method, **given, out=str(tmp_path / "out"))
    base, tuned = load(given["model"])[0], open_checkpoint(str(tmp_path / "out"))
    for name, weight in base.state_dict().items():
        if name != "lm_head.weight" or not tuned.heads:  # a reward model is kept without it
            projection = any(f".{target}." in name for target in TARGETS["all"])
            assert torch.equal(tuned.model.state_dict()[name], weight) is not projection, name
    if method == "reward_model":
        assert "score.weight" in tuned.heads
    else:
        adapted, _ = load(str(tmp_path / "out" / "adapter"))
        torch.testing.assert_close(adapted(TOKENS), tuned.model(TOKENS), atol=1e-5, rtol=0)
    if method == "ppo":  # it starts as the reference
        first = metrics(events)[0]
        assert first["kl"] == pytest.approx(0, abs=1e-5)
        assert first["first_ratio"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("method", ["sft", "ppo"])
def test_an_interrupted_run_goes_on_with_the_same_numbers(
    settings: dict[str, dict[str, Any]], tmp_path: Path, method: str
) -> None:
    given = {**settings[method], "lora_rank": 1, "steps": 3}
    whole = run(method, **given)
    module = import_module(f"learn_llm.minimal_impls.{method}")
    stopped = module.run(module.Config(**given, out=str(tmp_path / "out")))
    for event in stopped:
        if metrics([event]):
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(method, **given, out=str(tmp_path / "out"), resume=True)
    assert metrics(again) == metrics(whole)[1:]
    assert again[-1] == whole[-1]


def test_rank_0_is_the_whole_model(tmp_path: Path) -> None:
    config = LoRAConfig(model=llama_folder(tmp_path / "llama"), device="cpu")
    setup = prepare(config)
    drawn = torch.get_rng_state()
    assert with_lora(setup, config.lora_rank) is setup
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(weight.requires_grad for weight in setup.model.parameters())


@pytest.mark.parametrize(
    ("rank", "said"), [(-1, "--lora-rank must not be negative"), (9, "rank 9 is more than the smaller side of k_proj")]
)
def test_bad_ranks(settings: dict[str, dict[str, Any]], rank: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        run("dpo", **settings["dpo"], lora_rank=rank)
