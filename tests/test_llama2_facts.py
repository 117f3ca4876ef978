"""Llama 2's numbers from its configurations, and checkpoints of Llama 2 and 3 as transformers writes them."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from learn_llm.checkpoints import load, save
from learn_llm.demos import kv_cache, llama2
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.hf_config import read_config

RELEASED = {  # config.json of the released checkpoints, in part
    "7B": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32},
    "13B": {"hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 40, "num_attention_heads": 40},
    "70B": {
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
    },
}
PARAMETERS = {"7B": 6_738_415_616, "13B": 13_015_864_320, "70B": 68_976_648_192}
CACHE_A_TOKEN = {"7B": 524_288, "13B": 819_200, "70B": 327_680}
"""Bytes in 16 bits."""
SHARED = {"model_type": "llama", "vocab_size": 32_000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}


def config_of(name: str) -> GPTConfig:
    return read_config({**SHARED, **RELEASED[name], "tie_word_embeddings": False}, name)


@pytest.mark.parametrize("name", RELEASED)
def test_parameters_and_cache_follow_from_the_configuration(name: str) -> None:
    config = config_of(name)
    assert config.num_parameters == PARAMETERS[name]
    assert config.kv_cache_bytes(1) == CACHE_A_TOKEN[name]
    own_heads = replace(config, num_key_value_heads=config.num_attention_heads)
    assert own_heads.kv_cache_bytes(4096) == config.kv_cache_bytes(4096) * (8 if name == "70B" else 1)
    assert llama2.configuration(llama2.MODELS[name]) == config


def test_without_gqa_the_cache_of_70b_is_larger_than_a_gpu_at_a_batch_of_8() -> None:
    shared, own = config_of("70B"), replace(config_of("70B"), num_key_value_heads=64)
    assert own.kv_cache_bytes(1) == 2_621_440
    assert 8 * own.kv_cache_bytes(4096) == 80 * 2**30
    assert 8 * shared.kv_cache_bytes(4096) == 10 * 2**30


def test_the_formulas_are_what_a_model_and_its_cache_hold() -> None:
    config = GPTConfig(40, 24, 40, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2, head_dim=8)
    model = GPT(config)
    assert config.num_parameters == sum(weight.numel() for weight in model.parameters())
    cache = model.new_cache(1, 20)
    held = sum(tensor.numel() * tensor.element_size() for tensor in (*cache.keys, *cache.values))
    assert config.kv_cache_bytes(20, bytes_per_number=4) == held == kv_cache.cache_bytes(3, 2, 8, 20)


def random_llama(seed: int, scaled: bool) -> LlamaForCausalLM:
    """A small Llama of random shape, with Llama 3's stretched rotary positions or plain ones."""
    rng = random.Random(seed)
    kv_heads, head_size = rng.choice([1, 2, 3]), rng.choice([8, 16])
    heads = kv_heads * rng.choice([1, 2, 4])
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": rng.choice([10_000.0, 500_000.0])}
    if scaled:
        rope |= {
            "rope_type": "llama3",
            "factor": rng.choice([2.0, 8.0, 32.0]),
            "low_freq_factor": rng.choice([1.0, 2.0]),
            "high_freq_factor": rng.choice([3.0, 4.0]),
            "original_max_position_embeddings": rng.choice([8, 32]),
        }
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=rng.randint(40, 90),
        hidden_size=head_size * heads if rng.random() < 0.5 else 48,
        head_dim=head_size,
        intermediate_size=rng.choice([40, 96]),
        num_hidden_layers=rng.choice([1, 3]),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=128,
        rms_norm_eps=rng.choice([1e-5, 1e-6]),
        tie_word_embeddings=rng.random() < 0.5,
        rope_parameters=rope,
        initializer_range=0.15,  # logits of the size of a trained model's
    )
    model: LlamaForCausalLM = LlamaForCausalLM(config)
    model.eval()
    return model


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scaled", [False, True], ids=["llama 2", "llama 3"])
@torch.no_grad()
def test_a_checkpoint_of_transformers_gives_the_same_logits_and_goes_back(
    tmp_path: Path, seed: int, scaled: bool
) -> None:
    theirs = random_llama(seed, scaled)
    theirs.save_pretrained(tmp_path / "theirs")
    ours, _ = load(str(tmp_path / "theirs"))
    assert (ours.config.rope_scaling is not None) is scaled
    tokens = torch.randint(0, ours.config.vocab_size, (2, 120), generator=torch.Generator().manual_seed(seed))
    expected = theirs(tokens).logits
    assert float(expected.std()) > 0.3
    torch.testing.assert_close(ours(tokens), expected, rtol=0, atol=1e-4)
    save(ours, None, tmp_path / "ours")
    again = LlamaForCausalLM.from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(again(tokens).logits, expected, rtol=0, atol=1e-4)


@torch.no_grad()
def test_the_stretched_positions_matter(tmp_path: Path) -> None:
    """Read without them, the same weights say something else: the test above can fail."""
    random_llama(0, True).save_pretrained(tmp_path / "theirs")
    ours, _ = load(str(tmp_path / "theirs"))
    plain = GPT(replace(ours.config, rope_scaling=None))
    plain.load_state_dict(ours.state_dict())
    tokens = torch.randint(0, ours.config.vocab_size, (1, 120), generator=torch.Generator().manual_seed(0))
    assert float((plain(tokens) - ours(tokens)).abs().max()) > 0.01
