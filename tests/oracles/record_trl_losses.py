"""Records what TRL 1.16's DPO, GRPO, RLOO and reward trainers compute on tiny batches: golden tensors of four tests.

The trainers' own loops run here on random Llamas of 16 tokens; at every call of their loss its inputs, what the model
said and the loss are written to `trl_losses.json`, for tests/test_dpo.py, test_grpo.py, test_reinforce.py and
test_reward_model.py.

    python -m venv trl && trl/bin/pip install "trl==1.16.*" "torch==2.13.*" pandas
    trl/bin/python tests/oracles/record_trl_losses.py

Tokens: 0 is PAD, 1 is EOS.  A seed counts only if some responses ended and some did not.
"""

import copy
import json
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    RewardConfig,
    RewardTrainer,
    RLOOConfig,
    RLOOTrainer,
)

PAD, EOS, WORDS, GROUPS, GROUP, RESPONSE = 0, 1, 16, 3, 4, 6
PLAIN: dict[str, Any] = {
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "lr_scheduler_type": "constant",
    "report_to": "none",
    "disable_tqdm": True,
    "save_strategy": "no",
    "learning_rate": 0.01,
    "gradient_accumulation_steps": 1,
}
DPO_CASES: dict[str, dict[str, Any]] = {
    "sigmoid": {"loss_type": "sigmoid"},
    "robust": {"loss_type": "robust", "label_smoothing": 0.1},
    "ipo": {"loss_type": "ipo"},
}
GRPO_CASES: dict[str, dict[str, Any]] = {
    "dapo": {"loss_type": "dapo", "beta": 0.04, "epsilon_high": 0.28},
    "grpo": {"loss_type": "grpo", "beta": 0.1},
    "dr_grpo": {"loss_type": "dr_grpo", "scale_rewards": "none"},
    "batch_scaled": {"loss_type": "grpo", "scale_rewards": "batch"},
}
RLOO_CASES: dict[str, dict[str, Any]] = {"rloo": {"beta": 0.05}, "normalised": {"normalize_advantages": True}}

REWARD_CASES = {"plain": False, "margin": True}
"""Whether the rows have a margin."""


def _tokenizer() -> Any:
    words = {f"w{i}": i for i in range(WORDS)}
    plain = Tokenizer(models.WordLevel(words, unk_token="w2"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=plain, pad_token="w0", eos_token="w1", padding_side="left")


def _llama(seed: int, model: Any = LlamaForCausalLM, **options: Any) -> Any:
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
        "initializer_range": 0.3,
    }
    return model(LlamaConfig(**shape, **options))


def _numbers(value: Any) -> Any:
    """Plain lists; float32 keeps nine significant digits, which give the same float32 back."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return json.loads(json.dumps(value.tolist()), parse_float=lambda text: float(f"{float(text):.9g}"))
    return value.tolist() if hasattr(value, "tolist") else value


def _text(words: torch.Generator, most: int) -> str:
    count = int(torch.randint(1, most + 1, (), generator=words))
    return " ".join(f"w{i}" for i in torch.randint(2, WORDS, (count,), generator=words).tolist())


def record_dpo(options: Mapping[str, Any]) -> dict[str, Any]:
    """One batch of DPO: tokens, mask, the logits of policy and reference, the loss, and TRL's metrics."""
    words = torch.Generator().manual_seed(0)
    text = partial(_text, words)
    rows = [{"prompt": text(4), "chosen": " " + text(6), "rejected": " " + text(6)} for _ in range(5)]
    policy, reference = _llama(0), _llama(1)
    plain = {"policy": copy.deepcopy(policy), "reference": copy.deepcopy(reference)}
    with tempfile.TemporaryDirectory() as folder:
        arguments = DPOConfig(
            output_dir=folder, per_device_train_batch_size=len(rows), max_steps=1, beta=0.3, **PLAIN, **options
        )
        trainer = DPOTrainer(
            model=policy,
            ref_model=reference,
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            processing_class=_tokenizer(),
        )
        captured: dict[str, Any] = {"beta": arguments.beta, "label_smoothing": arguments.label_smoothing}
        compute = trainer._compute_loss

        def spy(model: Any, inputs: Any, return_outputs: bool) -> Any:
            captured["tokens"], captured["mask"] = _numbers(inputs["input_ids"]), _numbers(inputs["completion_mask"])
            for name, copied in plain.items():
                with torch.no_grad():
                    logits = copied(inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
                captured[name] = _numbers(logits)
            found = compute(model, inputs, return_outputs)
            captured["loss"] = _numbers(found[0] if return_outputs else found)
            for name in ("rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies"):
                captured[name] = trainer._metrics["train"][name][-1]
            return found

        trainer._compute_loss = spy
        trainer.train()
    return captured


def record_reward(margin: bool) -> dict[str, Any]:
    """One batch of pairs: tokens, mask, the trunk's last layer, the head, the scores, the margins and the loss."""
    text = partial(_text, torch.Generator().manual_seed(0))
    rows: list[dict[str, Any]] = [
        {"prompt": text(4), "chosen": " " + text(6), "rejected": " " + text(6)} for _ in range(5)
    ]
    rows = [{**row, "margin": i % 3 / 2} if margin else row for i, row in enumerate(rows)]
    model = _llama(0, LlamaForSequenceClassification, num_labels=1)
    plain = copy.deepcopy(model)
    captured: dict[str, Any] = {"head": _numbers(plain.score.weight.detach())}
    with tempfile.TemporaryDirectory() as folder:
        trainer = RewardTrainer(
            model=model,
            args=RewardConfig(output_dir=folder, per_device_train_batch_size=len(rows), max_steps=1, **PLAIN),
            train_dataset=Dataset.from_list(rows),
            processing_class=_tokenizer(),
        )
        compute = trainer.compute_loss

        def spy(model: Any, inputs: Any, **options: Any) -> Any:
            names = {"input_ids": "tokens", "attention_mask": "mask", "margin": "margins"}
            captured.update({ours: _numbers(inputs[theirs]) for theirs, ours in names.items() if theirs in inputs})
            with torch.no_grad():
                captured["hidden"] = _numbers(plain.model(inputs["input_ids"], inputs["attention_mask"])[0])
            loss, outputs = compute(model, inputs, return_outputs=True)
            captured["scores"] = _numbers(outputs.logits.detach().squeeze(-1))
            captured["loss"], captured["accuracy"] = _numbers(loss.detach()), trainer._metrics["train"]["accuracy"][-1]
            return (loss, outputs) if options.get("return_outputs") else loss

        trainer.compute_loss = spy
        trainer.train()
    return captured


def record_rl(kind: str, options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Two rounds of sampling with two updates each, by GRPO or RLOO: rewards, log-probabilities, advantages, losses."""
    words = torch.Generator().manual_seed(seed)
    prompts = [
        " ".join(f"w{i}" for i in torch.randint(2, WORDS, (4 - i % 3,), generator=words).tolist())
        for i in range(2 * GROUPS)
    ]

    def reward(completion_ids: list[list[int]], **_: Any) -> list[float]:
        return [sum(ids) % 7 / 4 + (ids[-1] == EOS) for ids in completion_ids]

    with tempfile.TemporaryDirectory() as folder:
        _llama(seed).save_pretrained(folder)
        config, trainer_of = (GRPOConfig, GRPOTrainer) if kind == "grpo" else (RLOOConfig, RLOOTrainer)
        arguments = config(
            output_dir=folder,
            per_device_train_batch_size=GROUPS * GROUP,
            num_generations=GROUP,
            num_iterations=2,
            max_steps=4,
            max_completion_length=RESPONSE,
            seed=seed,
            **PLAIN,
            **options,
        )
        trainer: Any = trainer_of(
            model=folder,
            reward_funcs=reward,
            args=arguments,
            train_dataset=Dataset.from_dict({"prompt": prompts}),
            processing_class=_tokenizer(),
        )
        captured: dict[str, Any] = {"seed": seed, "updates": []}
        scored: list[Any] = []
        said: list[Any] = []
        compute, rewards = trainer._compute_loss, trainer._calculate_rewards
        logprobs = trainer._get_per_token_logps_and_entropies

        def spy_logprobs(*values: Any, **keywords: Any) -> Any:
            found = logprobs(*values, **keywords)
            said.append(found[0].detach())
            return found

        def spy_rewards(*values: Any, **keywords: Any) -> Any:
            found = rewards(*values, **keywords)
            scored.append((found.sum(1), list(said)))
            said.clear()
            return found

        def spy(model: Any, inputs: Any) -> Any:
            said.clear()
            loss = compute(model, inputs)
            names = ("completion_mask", "advantages", "old_per_token_logps", "ref_per_token_logps", "old_logps")
            update = {name: _numbers(inputs[name]) for name in names if name in inputs}
            update |= {"loss": _numbers(loss), "logprobs": _numbers(said[-1]), "round": len(scored) - 1}
            captured["updates"].append(update)
            return loss

        trainer._compute_loss = spy
        trainer._calculate_rewards = spy_rewards
        trainer._get_per_token_logps_and_entropies = spy_logprobs
        with mock.patch.object(sys.modules[trainer_of.__module__], "shuffle_sequence_dict", lambda rows: rows):
            trainer.train()  # unshuffled: each reward stays beside its row
    captured["rounds"] = [
        {"rewards": _numbers(given), "before": [_numbers(table) for table in tables]} for given, tables in scored
    ]
    names = ("beta", "epsilon", "epsilon_high", "max_completion_length", "loss_type", "scale_rewards")
    captured["settings"] = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    captured["settings"]["group_size"] = GROUP
    return captured


def _is_clear(captured: Mapping[str, Any]) -> bool:
    lengths = [sum(row) for update in captured["updates"] for row in update["completion_mask"]]
    return bool(min(lengths) < max(lengths))


def main() -> None:
    recorded: dict[str, Any] = {"dpo": {name: record_dpo(options) for name, options in DPO_CASES.items()}}
    for kind, cases in (("grpo", GRPO_CASES), ("rloo", RLOO_CASES)):
        recorded[kind] = {}
        for name, options in cases.items():
            seed = 0
            while not _is_clear(captured := record_rl(kind, options, seed)):
                seed += 10
            recorded[kind][name] = captured
    recorded["reward"] = {name: record_reward(margin) for name, margin in REWARD_CASES.items()}
    versions = {"trl": trl.__version__, "torch": torch.__version__.split("+")[0]}
    file = Path(__file__).with_name("trl_losses.json")
    file.write_text(json.dumps({"versions": versions, **recorded}, separators=(",", ":")) + "\n")
    print(file, file.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
