"""PPO: fine-tune a language model on a reward, in small steps that stay near the model it started from."""

from typing import Literal

import torch
from torch import Tensor

Estimator = Literal["k1", "k2", "k3"]
Position = Literal["last", "after"]
MissingEos = Literal["replace", "subtract", "none"]


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of x over the tokens whose mask is 1, a scalar.

    >>> masked_mean(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[1, 1, 0]]))
    tensor(2.)
    """
    return (x * mask).sum() / mask.sum().clamp(min=1)


def kl_estimate(logprobs: Tensor, ref_logprobs: Tensor, kind: Estimator = "k1") -> Tensor:
    """Estimates KL(π‖π_ref) from each sampled token alone; in the mean over tokens drawn from π, k1 and k3 are exact.

    With δ = log π(a) - log π_ref(a):  k1 = δ,  k2 = δ²/2,  k3 = e^-δ - 1 + δ  (never negative).

    Args:
        logprobs, ref_logprobs: (B, T) in nats, of the sampled tokens.
    Returns:
        (B, T) in nats.

    A token that became twice as likely:

    >>> kl_estimate(torch.tensor([0.5]).log(), torch.tensor([0.25]).log(), "k1")
    tensor([0.6931])
    >>> kl_estimate(torch.tensor([0.5]).log(), torch.tensor([0.25]).log(), "k3")
    tensor([0.1931])
    """
    delta = logprobs - ref_logprobs
    if kind == "k1":
        return delta
    if kind == "k2":
        return delta.square() / 2
    return torch.expm1(-delta) + delta


def whiten(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    """(x - μ) / √(σ² + 1e-8), with μ and σ² over the tokens whose mask is 1; 0 elsewhere.

    Args:
        x, mask: (B, T).
        shift_mean: False adds μ again: only the scale changes.
        unbiased: divide the squares by n - 1 rather than n.

    >>> whiten(torch.tensor([[1.0, 3.0, 99.0]]), torch.tensor([[1, 1, 0]]), unbiased=False)
    tensor([[-1.,  1.,  0.]])
    """
    count = mask.sum()
    mean = masked_mean(x, mask)
    variance = masked_mean((x - mean).square(), mask)
    if unbiased:
        variance = variance * count / (count - 1).clamp(min=1)
    whitened = (x - mean) * torch.rsqrt(variance + 1e-8)
    return (whitened if shift_mean else whitened + mean) * mask


def value_mask(mask: Tensor, position: Position) -> Tensor:
    """The tokens whose value counts, (B, T): the response's, and one more where the score comes after it.

    >>> value_mask(torch.tensor([[1, 1, 0, 0]]), "after")
    tensor([[1, 1, 1, 0]])
    """
    if position == "last":
        return mask
    return torch.cat((torch.ones_like(mask[:, :1]), mask[:, :-1]), dim=1)


def token_rewards(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: Position = "last") -> Tensor:
    """r_t = -β·KL_t, and the score of the whole response is added at its end.

    Args:
        scores: (B,), one a response.
        kl: (B, T), from `kl_estimate`.
        mask: (B, T), 1 on response tokens and their EOS, on the left; padding behind them is 0.
        position: "last": on the last sampled token; "after": on the first padding behind it, where there is room.

    >>> token_rewards(torch.tensor([1.0]), torch.tensor([[0.1, 0.2]]), torch.tensor([[1, 1]]), kl_coef=0.5)
    tensor([[-0.0500,  0.9000]])
    """
    rewards = -kl_coef * kl * mask
    end = mask.sum(1).long() if position == "after" else mask.sum(1).long() - 1
    return rewards.scatter_add(1, end.clamp(0, mask.shape[1] - 1)[:, None], scores[:, None].to(rewards.dtype))


def missing_eos(scores: Tensor, ended: Tensor, rule: MissingEos, penalty: float) -> Tensor:
    """What a response scores that never ended.

    Args:
        scores, ended: (B,); `ended` is True where the response has an EOS.
        rule: "replace": it scores -penalty, however good it is so far; "subtract": penalty less; "none": as scored.

    >>> missing_eos(torch.tensor([0.7, 0.7]), torch.tensor([True, False]), "replace", penalty=1.0)
    tensor([ 0.7000, -1.0000])
    """
    if rule == "none":
        return scores
    return torch.where(ended, scores, -penalty if rule == "replace" else scores - penalty)


def gae(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438, Eq. 16), backwards from the end.

        δ_t = r_t + γ·V_t+1 - V_t          A_t = δ_t + γλ·A_t+1          R_t = A_t + V_t

    Args:
        rewards, values, mask: (B, T); behind the last token whose mask is 1 the value is 0.
    Returns:
        advantages and returns, (B, T) each, 0 where the mask is 0.

    γ = λ = 1: the advantage is what the response still earns, less what the value head expected.

    >>> gae(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.75]]), torch.tensor([[1, 1]]), lam=1.0)
    (tensor([[0.5000, 0.2500]]), tensor([[1., 1.]]))
    """
    rewards, values = rewards * mask, values * mask
    following = torch.cat((values[:, 1:], torch.zeros_like(values[:, :1])), dim=1)
    deltas = rewards + gamma * following - values
    advantage = torch.zeros_like(deltas[:, 0])
    advantages = torch.zeros_like(deltas)
    for t in reversed(range(deltas.shape[1])):
        advantage = deltas[:, t] + gamma * lam * advantage
        advantages[:, t] = advantage
    return advantages, advantages + values


def policy_loss(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    """L = mean over tokens of max(-A·ρ, -A·clip(ρ, 1 - ε, 1 + ε)),  ρ = π(a) / π_old(a)  (arXiv 1707.06347, Eq. 7).

    Args:
        logprobs: (B, T) of the policy as it is now, with gradient.
        old_logprobs: (B, T) of the policy that sampled the tokens.
        advantages, mask: (B, T).

    Beyond 1 + ε a good token earns no more, so its gradient is 0:

    >>> policy_loss(torch.tensor([[1.5]]).log(), torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    tensor(-1.2000)
    """
    ratio = (logprobs - old_logprobs).exp()
    return masked_mean(torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)), mask)


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    """½ · mean over tokens of max((V - R)², (clip(V, V_old ± ε) - R)²);  clip 0: plain ½ · mean (V - R)².

    Args:
        values: (B, T) of the value head as it is now, with gradient.
        old_values, returns, mask: (B, T), from the rollout.

    >>> value_loss(torch.ones(1, 1), torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1), clip=0.2)
    tensor(0.3200)
    """
    error = (values - returns).square()
    if clip:
        clipped = old_values + (values - old_values).clamp(-clip, clip)
        error = torch.max(error, (clipped - returns).square())
    return 0.5 * masked_mean(error, mask)


def adapt_kl_coef(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    """β ← β·(1 + e·n / horizon),  e = KL / target - 1 cut to ±0.2  (Ziegler et al. 2019, arXiv 1909.08593, 2.2).

    >>> round(adapt_kl_coef(0.1, kl=12.0, target=6.0, horizon=1000, episodes=500), 6)
    0.11
    """
    error = min(max(kl / target - 1, -0.2), 0.2)
    return kl_coef * (1 + error * episodes / horizon)
