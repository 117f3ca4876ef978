"""Records what TRL 1.12's PPOTrainer computes on one tiny batch: the golden tensors of tests/test_ppo.py.

TRL 1.12 is the last release that has PPO.  Its real training loop runs here on a random Llama of 16 tokens; at every
call of `backward` the loop's own variables are read and written to `trl_ppo.json`.

    python -m venv trl && trl/bin/pip install "trl==1.12.*" "torch==2.13.*" pandas
    trl/bin/python tests/oracles/record_trl_ppo.py

Tokens: 0 is PAD, 1 is EOS.  A seed counts only if no PAD was sampled, and if some responses ended and some did not.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast
from trl.experimental.ppo import PPOConfig, PPOTrainer

PAD, EOS, WORDS, BATCH, RESPONSE = 0, 1, 16, 8, 6
ROLLOUT = ["query_responses", "responses", "logprobs", "ref_logprobs", "values", "scores", "sequence_lengths"]
ROLLOUT += ["padding_mask", "padding_mask_p1", "contain_eos_token", "kl", "rewards", "advantages", "returns"]
UPDATE = ["micro_batch_inds", "new_logprobs", "vpred", "pg_loss", "vf_loss", "vf_clipfrac", "loss"]
CASES: dict[str, dict[str, Any]] = {
    "k1": {},
    "k3": {"kl_estimator": "k3"},
    "whitened": {"whiten_rewards": True},
    "penalty": {"missing_eos_penalty": 1.0},
    "discounted": {"gamma": 0.9, "lam": 0.8, "kl_coef": 0.3},
}


def _tokenizer() -> Any:
    words = {f"w{i}": i for i in range(WORDS)}
    plain = Tokenizer(models.WordLevel(words, unk_token="w2"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=plain, pad_token="w0", eos_token="w1", padding_side="left")


def _llama(kind: type[Any], seed: int) -> Any:
    torch.manual_seed(seed)
    shape: dict[str, Any] = {
        "vocab_size": WORDS,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        "pad_token_id": PAD,
        "eos_token_id": EOS,
        "bos_token_id": None,
        "num_labels": 1,
        "initializer_range": 0.3,
    }
    return kind(LlamaConfig(**shape))


def _numbers(value: Any) -> Any:
    """Plain lists; float32 keeps nine significant digits, which give the same float32 back."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return json.loads(json.dumps(value.tolist()), parse_float=lambda text: float(f"{float(text):.9g}"))
    return value.tolist() if hasattr(value, "tolist") else value


def record(seed: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """One PPO batch of TRL with `options`: the rollout's tensors and those of each update, as lists."""
    numpy.random.seed(seed)  # TRL draws its mini-batches from the global state
    words = torch.Generator().manual_seed(seed)
    queries = [torch.randint(2, WORDS, (4 - i % 3,), generator=words).tolist() for i in range(BATCH)]
    policy, reference = _llama(LlamaForCausalLM, seed), _llama(LlamaForCausalLM, seed + 1)
    with tempfile.TemporaryDirectory() as folder:
        arguments = PPOConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            lr_scheduler_type="constant",
            report_to="none",
            disable_tqdm=True,
            save_strategy="no",
            learning_rate=0.03,
            per_device_train_batch_size=BATCH,
            gradient_accumulation_steps=1,
            num_ppo_epochs=3,
            num_mini_batches=1,
            total_episodes=BATCH,
            response_length=RESPONSE,
            stop_token="eos",
            num_sample_generations=0,
            seed=seed,
            **options,
        )
        trainer = PPOTrainer(
            args=arguments,
            processing_class=_tokenizer(),
            model=policy,
            ref_model=reference,
            reward_model=_llama(LlamaForSequenceClassification, seed + 2),
            value_model=_llama(LlamaForSequenceClassification, seed + 3),
            train_dataset=Dataset.from_dict({"input_ids": queries}),
        )
        captured: dict[str, Any] = {"seed": seed, "updates": []}
        backward = trainer.accelerator.backward

        def spy(loss: torch.Tensor, **keywords: Any) -> None:
            loop = sys._getframe(1).f_locals
            captured.update({name: _numbers(loop[name]) for name in ROLLOUT})
            captured["updates"].append({name: _numbers(loop[name]) for name in UPDATE if name in loop})
            captured["context_length"] = loop["context_length"]
            backward(loss, **keywords)

        trainer.accelerator.backward = spy
        trainer.train()
    settings = ("kl_estimator", "kl_coef", "gamma", "lam", "cliprange", "cliprange_value", "vf_coef", "whiten_rewards")
    captured["settings"] = {name: getattr(arguments, name) for name in (*settings, "missing_eos_penalty")}
    return captured


def _is_clear(captured: Mapping[str, Any]) -> bool:
    ended = captured["contain_eos_token"]
    for row, length, end in zip(captured["responses"], captured["sequence_lengths"], ended, strict=True):
        if PAD in row[: length + 1] or (not end and length != RESPONSE - 1):
            return False
    return any(ended) and not all(ended)


def main() -> None:
    recorded = {}
    for name, options in CASES.items():
        seed = 0
        while not _is_clear(captured := record(seed, options)):
            seed += 10
        recorded[name] = captured
        print(name, "seed", seed, "ended", sum(captured["contain_eos_token"]), "of", BATCH)
    versions = {"trl": "1.12", "torch": torch.__version__.split("+")[0]}
    file = Path(__file__).with_name("trl_ppo.json")
    file.write_text(json.dumps({"versions": versions, "cases": recorded}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
