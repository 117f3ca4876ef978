"""What learning from preferences says: rewards, reinforcement learning, Chain of Hindsight."""

ENTRIES = """
# Reward models

ceiling | share
    Accuracy of the true order on the same noisy labels: no reward model can expect more.
accuracy_gap | share | .. 0.03
    ceiling minus accuracy: what the reward model has still to learn.
    outside: Above 0.03: more pairs or more training would help; the noise is not the limit.
margin |  | 0 ..
    Mean score of the chosen response minus that of the rejected one.
    outside: Below 0: the model prefers what the annotators rejected; chosen and rejected may be swapped.
chosen_reward
    Mean score of chosen responses. In DPO it may fall while the margin grows: that is normal.
rejected_reward
    Mean score of rejected responses; the margin to the chosen ones is what counts.
calibration_error | share | 0 .. 0.05
    Mean gap between how sure the reward model is of a pair and how often it is right.
    outside: Above 0.05: its probabilities are not to be believed; overtrained models are too sure.
reward_mean |  | -0.1 .. 0.1
    Mean score over responses of the SFT model; 0 after normalisation.
    outside: Away from 0: the scores are not normalised, and no fixed kl_coef fits.
reward_std |  | 0.8 .. 1.25
    Standard deviation of the scores over responses of the SFT model; 1 after normalisation.
    outside: Away from 1: the scores are not normalised, and no fixed kl_coef fits.

# Reinforcement learning, and comparing with the start

gold |  | -1 .. 1
    Mean score of the responses by the gold rubric, from -1 to 1; nothing is trained on it.
    outside: Outside -1 to 1 cannot be.
reward
    Mean score by the reward model, the proxy that is maximised. Rising while gold falls: reward hacking.
correctness |  | 1 .. 5
    Mean of the rubric's correctness, from 1 to 5.
    outside: Outside 1 to 5 cannot be.
kl | nats | -0.5 .. 20
    KL divergence of the policy from the reference, summed over the response.
    outside: High: the policy has left the reference, it may exploit the reward model; raise kl_coef. Clearly
    negative: the two log-probabilities are computed differently (temperature, mask).
kl_per_token | nats per token | -0.05 .. 1
    KL divergence of the policy from the reference, mean over tokens.
    outside: High: the policy has left the reference; raise kl_coef.
kl_coef |  | 0 .. 1
    Weight of the KL penalty in the reward; changes by itself when it is adaptive.
    outside: High: the penalty drowns the reward and the policy stays where it is.
kl_penalty
    What the KL penalty takes from the reward of a response: kl_coef times kl.
first_ratio | | 0.99999 .. 1.00001
    Mean ratio of the new to the old policy before the first update of a round: the same policy, so 1.
    outside: Sampling and training compute different log-probabilities: padding, temperature or dropout.
clip_fraction | share | 0 .. 0.3
    Share of tokens whose ratio left the clip range, so that they give no gradient.
    outside: High: the steps are too large; lower the learning rate or the number of epochs.
value_clip_fraction | share | 0 .. 0.5
    Share of tokens whose value moved further than the clip range.
    outside: High: the value function changes fast, or its scale does not fit the clip range.
ratio |  | 0.9 .. 1.1
    Mean probability ratio of the new to the old policy; 1 at the first update.
    outside: Away from 1: old and new log-probabilities do not belong together, or the steps are too large.
approx_kl | nats per token | -0.01 .. 0.1
    How far one round of updates moved the policy from the one that sampled.
    outside: High: the steps are too large; lower the learning rate or the number of epochs.
entropy | nats per token | 0.02 ..
    How undecided the policy is about the next token.
    outside: Near 0: the policy always says the same and can learn nothing more; raise kl_coef or the
    temperature.
policy_loss
    The clipped objective; near 0 by construction, so its value says little. It may be negative.
value_loss
    Squared error of the value function, clipped; it should fall as the values learn the returns.
explained_variance |  | -0.2 .. 1
    Share of the returns' variance that the values explain; 0 is a constant guess.
    outside: Below 0: worse than a constant; normal in the first steps, later raise the value learning rate.
response_length | tokens
    Mean number of tokens in a response, EOS counted.
eos_rate | share | 0.8 .. 1
    Share of responses that end by themselves within the limit.
    outside: Low: responses are cut off; the policy may be paid for length, look at the penalty without EOS.
advantage_mean
    Mean advantage before whitening; near 0 once the values are right.
advantage_std |  | 1e-06 ..
    Standard deviation of the advantages before whitening.
    outside: Near 0: all responses are paid alike, there is nothing to learn from.
return_mean
    Mean of the returns that the values are to predict.
value_mean
    Mean of the predicted values; it should follow return_mean.
gold_difference
    Mean gold score minus that of the model it is compared with, on the same prompts.
ci_low
    Lower end of the 95 % interval of the difference; above 0 means better beyond chance.
ci_high
    Upper end of the 95 % interval of the difference.
reward_difference
    Mean reward minus that of the model it is compared with; the reward is what was trained on, so it shows learning,
    not quality.
best_temperature
    The temperature at which the model before training has its best gold score.
difference_to_best
    Mean gold score minus that of the model before training at its best temperature: more than sharpening.
difference_to_best_low
    Lower end of the 95 % interval of difference_to_best; above 0 means that the model has learnt more than to be sure.
correctness_difference | points | 0 ..
    Mean correctness (1 to 5) minus that of the model before training.
    outside: Below 0: the score was bought with wrong answers.
correctness_low | points
    Lower end of the 95 % interval of correctness_difference.
prompts
    Held-out prompts that the verdict rests on.
seeds
    Seeds that the verdict rests on.
win_rate | share
    Share of prompts where the response beats the other model's, ties counted half; 0.5 is equal.
best_reward
    Mean reward of the best of each prompt's samples: what fine-tuning on the best imitates.
best_of_n_difference
    Mean gold score of the best of n by the reward minus that of one sample, on the same prompts.
best_of_n_low
    Lower end of the 95 % interval of best_of_n_difference; above 0 means that choosing by the reward helps.
best_of_n_kl | nats | 0 ..
    log n - (n - 1)/n: the KL of the best of n from one sample where no scores tie, at most that where some do.
    outside: Below 0 cannot be.
ties | share | 0 .. 0.5
    Share of pairs of samples to one prompt that score alike; where there are none best_of_n_kl is exact.
    outside: High: the samples are mostly the same responses, and choosing among them changes little.
even_groups | share | 0 .. 0.8
    Share of groups whose responses all have the same reward: their advantages are 0 and teach nothing.
    outside: High: the prompts are too easy or too hard, or the policy always says the same.
repetition | share | 0 .. 0.5
    Share of word pairs in a response that occur in it before.
    outside: High: the policy loops; a reward for length or a missing EOS invites it.
distinct | share
    Share of different responses among all; low means that the policy has one answer for everything.

# Why RL, and over-optimisation

ordered_by_rank | share
    Share of held-out pairs that the model of ranks orders as annotators did.
ordered_by_rank_low | share
    Lower end of the 95 % interval of ordered_by_rank.
ordered_by_likelihood | share
    Share of held-out pairs that the likelihoods of the model of responses order as annotators did.
gold_ranks
    Gold score of what a model answers that has learnt ranks.
gold_responses
    Gold score of what a model answers that has learnt the responses.
responses_over_ranks
    gold_responses minus gold_ranks.
responses_over_ranks_low
    Lower end of the 95 % interval of responses_over_ranks, paired by prompt.
ranks_over_base
    Gold score after learning the ranks minus that of the base.
right_by_gold | share
    Share of pairs in which the gold score puts the answer turned into its opposite below a harmless change.
right_by_reward | share
    Share of pairs in which the reward model does so; it has seen only what annotators were shown.
right_by_cross_entropy | share
    Share of pairs in which mean token cross-entropy does so; it asks how usual the words are.
right_by_cross_entropy_high | share
    Upper end of the 95 % interval of right_by_cross_entropy.
gain_people
    Gold score after more demonstrations by people minus that of the start.
best_over_people
    Gold score after cross-entropy on the best own samples minus that after as many demonstrations.
best_over_people_low
    Lower end of the 95 % interval of best_over_people, paired by prompt.
ppo_over_people
    Gold score after PPO minus that after as many demonstrations.
ppo_over_people_low
    Lower end of the 95 % interval of ppo_over_people, paired by prompt.
ppo_over_best
    Gold score after PPO minus that after cross-entropy on the best of as many samples.
ppo_over_best_low
    Lower end of the 95 % interval of ppo_over_best, paired by prompt.
ppo_over_best_high
    Upper end of the 95 % interval of ppo_over_best, paired by prompt.
gold_base
    Gold score of the base, which has not learnt to answer.
gold_sft
    Gold score after SFT alone.
gold_rl
    Gold score after RL alone.
gold_both
    Gold score after SFT and then RL.
both_over_sft
    Gold score after SFT and then RL minus that after SFT alone, on as many responses.
both_over_sft_low
    Lower end of the 95 % interval of both_over_sft, paired by prompt.
both_over_rl
    Gold score after SFT and then RL minus that after RL alone, on as many responses.
both_over_rl_low
    Lower end of the 95 % interval of both_over_rl, paired by prompt.
asks_back | share
    How likely the policy is to ask back in turn 1, learnt from the reward of the whole dialogue.
asks_back_per_turn | share
    The same, learnt from the reward of each turn.
dialogue_gold
    Gold score summed over the turns of a dialogue.
dialogue_gain
    Gold score over both turns, learnt from the reward of the dialogue, minus that learnt from each turn.
turn_1_cost
    Gold score of turn 1, learnt from the reward of each turn, minus that learnt from the reward of the dialogue.
gold_at_peak
    Highest mean gold score of the best of n over all n.
n_at_peak
    The n at which gold is highest.
gold_fall
    Gold score at the peak minus that at the largest n; the peak is the one of the other half of the prompts.
gold_fall_low
    Lower end of the 95 % interval of gold_fall; above 0 means over-optimised beyond chance.
proxy_rise
    Proxy score at the largest n minus that at the peak of gold.
predicted_error
    Gain of gold at the largest n as d·(α - β·d) foresees it, fitted to small n, minus the measured one.
predicted_error_low
    Lower end of the 95 % interval of predicted_error, paired by prompt.
predicted_error_high
    Upper end of the 95 % interval of predicted_error, paired by prompt.
predicted_peak | √nats
    √KL at which d·(α - β·d), fitted to small n, is highest; 99 where it only rises.
measured_peak | √nats
    √KL at which gold is highest.
ppo_gold
    Gold score of the last round of PPO against the proxy.
ppo_gold_fall
    Gold score near its highest round of PPO against the proxy minus that of the last round.
ppo_predicted_error
    Gain of gold as d·(α - β·log d) foresees it, fitted to PPO's first rounds, minus the measured one behind them.
ppo_predicted_peak | √nats
    √KL at which d·(α - β·log d), fitted to PPO's first rounds, is highest; 99 where it only rises.
ppo_measured_peak | √nats
    √KL of the round of PPO against the proxy with the highest gold score.

# Chain of Hindsight

feedback_loss | nats per token
    Cross-entropy of the answers behind their feedback; prompts and feedback carry none.
pretraining_loss | nats per token
    Cross-entropy of the pretraining text that is mixed in; rising means that the model forgets it.
loss_tokens | tokens
    Tokens with loss so far: those of answers.
gap |  | 0 .. 2
    Mean gold score when asked for good answers minus that when asked for bad ones, on the same prompts.
    outside: Below 0: the words that ask are ignored, or good and bad are swapped.
gap_difference
    The gap minus that of conditional SFT, which read single answers behind their feedback and no chains.
gap_difference_low
    Lower end of the 95 % interval of gap_difference; above 0 means that chains widen the gap.
gap_difference_high
    Upper end of the 95 % interval of gap_difference; below 0 means that chains narrow the gap.
gap_without_chains
    The gap of conditional SFT: the same pairs and feedback, one answer a text.
gradient_at_prompt |  | .. 0
    The largest gradient of the loss on a logit that predicts prompt or feedback.
    outside: Not 0: the mask lets tokens carry loss that are given, not learnt.
gradient_at_response
    The largest gradient of the loss on a logit that predicts a response.
gold_difference_low
    Lower end of the 95 % interval of gold_difference.
gold_difference_high
    Upper end of the 95 % interval of gold_difference.

# Two reward models

harmless | share
    Share of prompts tagged as unsafe to which what the combined rule picked is harmless.
harmless_alone | share
    The same for what the helpful reward model picked alone.
harmless_difference | share
    harmless minus harmless_alone, prompt by prompt.
harmless_ordinary_difference | share
    The same difference on prompts that are not tagged.
helpfulness
    What the helpful annotators see in a response, -1 to 1; to help with a deed that hurts is helpful.
helpfulness_difference
    Helpfulness of what the rule picked minus that of what helpfulness alone picked, on prompts that are not tagged.
helpfulness_difference_low
    Lower end of the 95 % interval of helpfulness_difference.
"""
