"""Adapters in PEFT's format: the `peft` package opens ours, we open its; what does not fit is one clear line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from learn_llm.checkpoints import load, save
from learn_llm.errors import UserError
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.lora import adapt, adapters, save_with_adapter
from learn_llm.minimal_impls.lora_rank import LoRAConfig
from learn_llm.training import prepare
from tests.small_models import little_llama, llama_folder, word_tokenizer

TOKENS = torch.tensor([[9, 10, 11, 12, 13], [14, 15, 16, 17, 18]])


def trained(base: str, targets: Any, out: Path) -> GPT:
    """An adapted model with changes that are not zero, kept in `out`."""
    setup = prepare(LoRAConfig(model=base, device="cpu"))
    model = adapt(setup.model, 2, 6.0, targets)
    for layer in adapters(model).values():
        layer.lora_B.data.normal_(0.0, 0.3, generator=torch.Generator().manual_seed(1))
    save_with_adapter(setup, model, out)
    return model


def peft_logits(base: str, adapter: Path) -> Tensor:
    peft = pytest.importorskip("peft")
    model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter))
    with torch.no_grad():
        logits: Tensor = model(input_ids=TOKENS).logits
    return logits


@pytest.mark.parametrize("targets", ["all", "qv"])
@torch.no_grad()
def test_what_is_kept_opens_as_the_same_model(tmp_path: Path, targets: Any) -> None:
    base = llama_folder(tmp_path / "base")
    expected = trained(base, targets, tmp_path / "out")(TOKENS)
    plain, _ = load(base)
    assert float((plain(TOKENS) - expected).abs().max()) > 0.05
    for kept in (tmp_path / "out", tmp_path / "out" / "adapter"):
        model, tokenizer = load(str(kept))
        assert tokenizer is not None
        torch.testing.assert_close(model(TOKENS), expected, atol=1e-5, rtol=0)
        assert all(weight.requires_grad for weight in model.parameters())


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("targets", ["all", "qv"])
def test_the_peft_package_opens_it_with_the_same_logits(tmp_path: Path, targets: Any) -> None:
    base = llama_folder(tmp_path / "base")
    expected = trained(base, targets, tmp_path / "out")(TOKENS)
    torch.testing.assert_close(peft_logits(base, tmp_path / "out" / "adapter"), expected, atol=1e-5, rtol=0)


@pytest.mark.filterwarnings("default")
@torch.no_grad()
def test_an_adapter_of_the_peft_package_opens_here(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    base = llama_folder(tmp_path / "base")
    config = peft.LoraConfig(r=3, lora_alpha=5, target_modules=["k_proj", "down_proj"], init_lora_weights=False)
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    model.save_pretrained(str(tmp_path / "adapter"))
    expected = model(input_ids=TOKENS).logits
    assert float((load(base)[0](TOKENS) - expected).abs().max()) > 0.01
    torch.testing.assert_close(load(str(tmp_path / "adapter"))[0](TOKENS), expected, atol=1e-5, rtol=0)


def test_an_adapter_on_an_adapted_model(tmp_path: Path) -> None:
    base = llama_folder(tmp_path / "base")
    trained(base, "mlp", tmp_path / "first")
    expected = trained(str(tmp_path / "first" / "adapter"), "attention", tmp_path / "second")(TOKENS)
    torch.testing.assert_close(load(str(tmp_path / "second" / "adapter"))[0](TOKENS), expected, atol=1e-5, rtol=0)


def settings(change: dict[str, Any]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        file = folder / "adapter_config.json"
        kept = {**json.loads(file.read_text()), **change}
        file.write_text(json.dumps({name: value for name, value in kept.items() if value is not None}))

    return changed


def tensors(change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        file = folder / "adapter_model.safetensors"
        save_file(change(load_file(file)), file)

    return changed


def cut_short(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:100])


def other_width(folder: Path) -> None:
    tokenizer = word_tokenizer()
    wide = little_llama(tokenizer).config
    save(GPT(type(wide)(**{**vars(wide), "hidden_size": 32})), tokenizer, folder.parent.parent / "base")


def other_depth(folder: Path) -> None:
    tokenizer = word_tokenizer()
    flat = little_llama(tokenizer).config
    save(GPT(type(flat)(**{**vars(flat), "num_hidden_layers": 1})), tokenizer, folder.parent.parent / "base")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (other_width, r"was made for another base than .*: model.layers.0.* has the shape \(.*32.*\), the adapter's"),
        (other_depth, "was made for another base than .*: no model.layers.1"),
        (settings({"base_model_name_or_path": "no-such-base"}), "the base of the adapter in .*'no-such-base'"),
        (settings({"base_model_name_or_path": None}), "has no 'base_model_name_or_path'"),
        (settings({"peft_type": "IA3"}), "is of type IA3; only LORA can be read"),
        (settings({"use_dora": True, "bias": "all"}), "sets use_dora, bias, which is not supported"),
        (settings({"r": 4}), "its tensors are not of rank 4"),
        (tensors(lambda kept: dict(list(kept.items())[1:])), "is incomplete or not LoRA's: it has no"),
        (tensors(lambda kept: {}), "its tensors are not of rank 2"),
        (tensors(lambda kept: {**kept, "base_model.model.x.magnitude": torch.ones(1)}), "incomplete or not LoRA's"),
        (cut_short, "is damaged or cut short"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    trained(llama_folder(tmp_path / "base"), "all", tmp_path / "out")
    damage(tmp_path / "out" / "adapter")
    with pytest.raises(UserError, match=said) as error:
        load(str(tmp_path / "out" / "adapter"))
    assert "\n" not in str(error.value)


def test_it_is_written_where_one_may_write(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "adapter").write_text("in the way")
    with pytest.raises(UserError, match="adapter cannot be written"):
        trained(llama_folder(tmp_path / "base"), "all", tmp_path / "out")
