"""What every metric is, its unit, the range a healthy run shows, and what a value outside means.

The terminal, the app and the docs read this one list.  Ranges are rules of thumb for the runs of this package: a value
outside is a reason to look, not an error.  A metric that is not here is shown all the same, without a mark.

An entry is `name | unit | low .. high`, where unit and range may be missing and the range may be open at one end; then
what it means; then, after `outside:`, what a value outside the range means.
"""

from dataclasses import dataclass

_ENTRIES = """
# Training

loss | nats per token
    What the optimiser makes smaller; for a language model the mean cross-entropy.
validation_loss | nats per token
    The same loss on text that was never trained on. Rising while the loss falls: the model learns by heart.
perplexity | tokens | 1 ..
    exp(loss): among how many equally likely tokens the model hesitates.
    outside: Below 1 cannot be: the loss is summed or masked wrongly.
accuracy | share
    Share of right answers; compare it with the chance level and, if known, the ceiling.
token_accuracy | share
    Share of tokens whose most likely prediction is the right one.
learning_rate |  | 0 .. 0.02
    Step size of the optimiser now, after warm-up and decay.
    outside: So large a step makes Adam diverge.
grad_norm |  | 0.0001 .. 20
    Length of the gradient over all parameters, before clipping.
    outside: Very large: the step is unstable, lower the learning rate. Near 0: nothing is learnt, look at the
    mask.
tokens_per_second | tokens per second
    Tokens processed per second, padding not counted.
tokens | tokens
    Tokens trained on so far, padding not counted.
epoch
    Passes over the training data so far.
seconds | s
    Time since the run began.
peak_memory | GiB
    The most memory that the run has held.
parameters
    Trained parameters.

# What a language model can do

copying | share | 0.95 .. 1
    Share of tokens predicted right in the second copy of a list of random words.
    outside: Below 0.95: no induction heads yet; train longer, on text with repeats.
look_up_2 | share | 0.9 .. 1
    Share right when one of 2 facts is asked for by its key, the key said first.
    outside: Below 0.9: the model copies, but not yet what it is asked for. Chance is 0.5.
look_up_4 | share | 0.75 .. 1
    Share right when one of 4 facts is asked for by its key, the key said first.
    outside: Below 0.75: the model copies, but not yet what it is asked for. Chance is 0.25.
checking | share
    Share of true and false statements about the world that are told apart. Chance is 0.5.
checking_facts | share
    Share of facts of a text, said again rightly or wrongly, that are told apart. Chance is 0.5.
checking_labels | share
    Share of right and wrong answers to the question whether a statement is true that are told apart. Chance is 0.5.
reviewing | share
    Share of right and wrong answers to training tasks that are told apart. Chance is 0.5.
pairing | share
    Share right when one of two pairs of random words is asked for by its first word. Chance is 0.5.
look_back_2 | share
    Share right among 2 facts asked for from the value back to the key, the hard form. Chance is 0.5.
look_back_4 | share
    Share right among 4 facts asked for from the value back to the key, the hard form. Chance is 0.25.
knowledge | share | 0.95 .. 1
    Share right of questions about the closed table of general facts.
    outside: Below 0.95: the facts have not been seen often enough.
classifying | share | 0.95 .. 1
    Share right of training tasks that name their options.
    outside: Below 0.95: the base does not know its own training tasks.
zero_shot | share
    Accuracy on held-out tasks from the definition alone.
few_shot | share
    Accuracy on held-out tasks with fixed demonstrations in the context.
held_out_gain | share | 0 ..
    Accuracy on held-out tasks with fixed demonstrations minus that without: what is learnt in the context.
    outside: Below 0: the demonstrations mislead; the model does not learn in context.
copying_short | share | 0.9 .. 1
    Share of short random lists whose second reading costs less than a third of the first.
    outside: Normal before induction heads have formed; on text without repeats they never do.
first_loss | nats per token
    Loss on the first reading of random lists, which nothing can predict.
second_loss | nats per token
    Loss on the second reading of the same lists; far below the first where the model copies.
right | share
    Share of responses whose answer is right; compare it with the chance level.
right_over_chance_low
    Lower end of the 95 % interval of right minus chance; above 0 means better than guessing.
loss_before | nats per token
    Loss on held-out responses before training.
loss_after | nats per token
    Loss on held-out responses after training.
loss_fall | nats per token
    How far the loss on held-out responses fell, mean over responses.
chance | share
    Accuracy of guessing: what a number must be compared with.
exact_match | share
    Share of responses equal to the reference, word for word.
valid_rate | share | 0.9 .. 1
    Share of responses that are an answer at all, right or wrong.
    outside: Below 0.9: an accuracy over these responses mostly measures the format.
rouge_l | share
    Longest common subsequence with the reference, as an F-measure.
pairs
    How many held-out pairs the accuracy was measured on.
tasks
    How many tasks an interval goes over.
lists
    How many random lists were read.
held_out
    How many held-out examples were measured.

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
ppo_gold_at_peak
    Highest mean gold score of a round of PPO against the proxy.
ppo_gold
    Gold score of the last round of PPO against the proxy.

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

# Results

agrees
    Claims whose whole interval lies on the side of the bound that the source says.
does_not
    Claims whose whole interval lies on the other side.
undecided
    Claims whose interval holds the bound.
not_comparable
    Claims whose source measured something else.

# In-Context Instruction Learning

by_likelihood | share
    Share of questions whose right option is the likeliest one; compare it with chance.
valid_gain | share
    Rate of valid answers with the prefix minus that without.
valid_gain_low | share
    Lower end of the 95 % interval over tasks of valid_gain.
lost_by_random_inputs | share
    Exact matches with the prefix minus those with random words in place of the demonstrations' inputs.
lost_by_random_inputs_low | share
    Lower end of the 95 % interval over tasks of lost_by_random_inputs.
lost_by_random_inputs_high | share
    Upper end of the 95 % interval over tasks of lost_by_random_inputs.
lost_by_random_outputs | share
    Exact matches with the prefix minus those with random words in place of the demonstrations' outputs.
lost_by_random_outputs_low | share
    Lower end of the 95 % interval over tasks of lost_by_random_outputs.
lost_by_random_outputs_high | share
    Upper end of the 95 % interval over tasks of lost_by_random_outputs.
lost_by_random_definitions | share
    Exact matches with the prefix minus those with random words in place of the demonstrations' definitions.
lost_by_random_definitions_low | share
    Lower end of the 95 % interval over tasks of lost_by_random_definitions.
lost_by_random_definitions_high | share
    Upper end of the 95 % interval over tasks of lost_by_random_definitions.
lost_by_noise | share
    Exact matches with the prefix minus those with a prefix of random words of the same length.
lost_by_noise_low | share
    Lower end of the 95 % interval over tasks of lost_by_noise.
lost_by_noise_high | share
    Upper end of the 95 % interval over tasks of lost_by_noise.
lost_by_no_answers | share
    Exact matches with the prefix minus those with the same prefix, its answers left out.
lost_by_no_answers_low | share
    Lower end of the 95 % interval over tasks of lost_by_no_answers.
lost_by_no_answers_high | share
    Upper end of the 95 % interval over tasks of lost_by_no_answers.
queries_per_second | questions per second
    Questions answered per second with the prefix computed once.
queries_per_second_uncached | questions per second
    Questions answered per second with the prefix computed for each.
cache_speedup | times | 1 ..
    How many times as many questions per second the shared prefix answers.
    outside: Below 1: the prefix is short against the questions, or the machine was busy.
same_answers | share | 0.97 .. 1
    Share of questions that are answered alike with and without the shared prefix.
    outside: Below 0.97: the cache holds other keys than the whole text gives; in half precision ties may break.

# FLASK
overall | points | 1 .. 5
    Mean over questions of the mean over their skills, from 1 to 5: the one number that hides the profile.
    outside: Outside 1 to 5 cannot be.
overall_gap | points
    Overall score of the second model minus that of the first; it is brought near 0 by the temperature.
temperature |  | 0 .. 2
    Divides the logits before sampling: 0 takes the likeliest token, higher is more random.
    outside: High: the answers are mostly noise.
overall_a | points
    Overall score of model A.
overall_b | points
    Overall score of model B.
widest_gap | points
    The largest difference between both models on one skill.
widest_gap_low | points
    Lower end of the 95 % interval of widest_gap.
gap_the_other_way | points
    The largest difference on a skill where the other model is ahead.
robustness_a | share
    Share of questions that model A answers alike, right or wrong, in all phrasings.
robustness_b | share
    Share of questions that model B answers alike, right or wrong, in all phrasings.
insightfulness_a | share
    Share of 4-grams in right answers of model A that no demonstration holds; new, which is not yet insight.
insightfulness_b | share
    Share of 4-grams in right answers of model B that no demonstration holds; new, which is not yet insight.
scores_kept | share
    Share of scores that stay when an answer is made wordier, completeness and conciseness left out.
reward_rises | share
    Share of answers whose reward rises when they are made wordier: the length bias of the reward model.
fall_correctness | points
    Correctness on hard questions minus that on easy ones.
fall_correctness_high | points
    Upper end of the 95 % interval of fall_correctness; below 0 means that hard questions are harder beyond chance.
fall_style | points
    The largest fall of a skill of user alignment, hard questions minus easy ones.

# Few trained parameters, few bits
trained_share | share | 0 .. 0.05
    Trained numbers over all numbers of the base.
    outside: High: little is saved over training the whole model; take a lower rank or fewer layers.
moved_at_start |  | .. 0
    Largest difference of the adapted model's logits from the base's before training, over the largest logit.
    outside: Not 0: the change is not zero at the start, training begins from a disturbed model.
moved_by_merging |  | 0 .. 1e-05
    Largest difference of the merged model's logits from the adapted one's, over the largest logit: rounding only.
    outside: High: the change was merged with another scale, or into rounded weights.
gold_start
    Gold score of the model before training.
gold_full
    Gold score after full fine-tuning on the same examples.
share_of_gain | share
    What the arm gains in gold over the start, as a share of what full fine-tuning gains.
gold_of_fewest
    Gold score with the fewest soft tokens that were trained.
more_tokens
    Gold score with the most soft tokens minus that with the fewest.
more_tokens_low
    Lower end of the 95 % interval of more_tokens; above 0 means that more vectors steer better.
error_over_half_step |  | 0 .. 1.0001
    Largest rounding error of absmax formats, as a share of half a step of its block.
    outside: Above 1: weights were clipped, or read back with another block's scale.
squared_error_int4
    Mean squared error of 4-bit integers on weights from a normal distribution with σ = 1.
squared_error_nf4
    The same for NF4, whose levels are quantiles of a normal distribution.
added_by_nf4 | nats per token
    What storing the weights in NF4 adds to the loss.
gap_opened | nats per token
    What the frozen base's few bits add to the loss before LoRA is trained on it.
gap_opened_low | nats per token
    Lower end of the 95 % interval of gap_opened; not above 0 means that there is nothing to repair.
gap_left | nats per token
    Loss of LoRA on the base of few bits minus that of LoRA on the base as it was, trained alike.
gap_left_high | nats per token
    Upper end of the 95 % interval of gap_left.
share_repaired | share
    1 - gap_left / gap_opened: how much of the gap LoRA closed.
score_asked_plainly | share
    Share of questions that the base answers exactly in a format it has never seen.
score_prompting | share
    Share answered exactly behind solved exercises of other tasks, nothing trained.
score_prompt_tuning | share
    Share answered exactly with trained vectors before the input.
score_adapters | share
    Share answered exactly with trained bottlenecks behind the sublayers.
score_lora | share
    Share answered exactly with trained changes of low rank.
score_full_fine_tuning | share
    Share answered exactly with every weight trained.
behind_full | share
    LoRA's share of exact answers minus that of full fine-tuning on the same examples.

# Sequence to sequence

exact_match_causal | share
    exact_match of the causal model of equal size, after as many tokens.
exact_difference | share
    exact_match of the encoder-decoder minus that of the causal model, item by item.
loss_difference | nats per token
    Loss of the causal model on held-out targets minus that of the encoder-decoder, item by item.
loss_difference_low | nats per token
    Lower end of the 95 % interval of loss_difference; above 0 the encoder-decoder is the better one.
flops_share
    Multiplications and additions of the encoder-decoder for one item, over those of the causal model.

# Ghost Attention

holds | share
    How often an instruction of the first turn holds in later turns, after training with Ghost Attention.
holds_without | share
    The same after training on conversations whose first turn alone has the instruction.
holds_start | share
    The same before any training.
holds_last | share
    How often it holds in the last turn, with Ghost Attention.
holds_difference | share
    holds minus the larger one of holds_without and holds_start, conversation by conversation.
right_without | share
    Share of right answers after training without Ghost Attention.
conversations
    How many conversations were measured.

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

# Data that a model writes

written
    Tasks that the model has written so far.
kept
    Tasks that passed all filters so far.
kept_exact
    Tasks that are left when only exact duplicates of an instruction are removed.
nearest | share
    ROUGE-L of an instruction with the one of the others that is most like it, the mean over kept tasks.
nearest_high | share
    Upper end of the 95 % interval of nearest.
nearest_exact | share
    The same as nearest over what is left when only exact duplicates are removed.
nearest_exact_low | share
    Lower end of the 95 % interval of nearest_exact; above nearest_high the filtered tasks are more distinct.
distinct_pairs | share
    Different pairs of neighbouring words over all such pairs, in the filtered instructions.
distinct_pairs_exact | share
    The same after the removal of exact duplicates only, for as many tasks.
right_start | share
    Right answers before the model learnt from its own tasks.
right_raw | share
    Right answers after SFT on tasks as they were written.
right_deduplicated | share
    Right answers after SFT on tasks without exact duplicates.
right_filtered | share
    Right answers after SFT on tasks that passed all filters.
over_start | share
    right_filtered minus right_start, question by question.
over_start_low | share
    Lower end of the 95 % interval of over_start; well above 0 the model learnt to answer from its own tasks.
right_gain | share
    right_filtered minus right_raw, question by question.

# Demos
contrast
    (farthest - nearest) / nearest distance of a point to the others; near 0 all are equally far away.
visited_ratio | | 0 .. 1
    Cells that A* visits for each one that uniform-cost search visits, on the same maze.
    outside: Above 1: the heuristic is not consistent, or the order of the frontier is wrong.
squared_error
    Mean squared difference between the output and the target.
gradient_error
    Distance between the mean of the sampled gradients and the exact gradient, without a baseline.
gradient_error_baseline
    The same distance with the leave-one-out baseline; usually far smaller at equal samples.
accuracy_pooled | share
    Share of right answers of the arm that averages instead of attending; it should stay at chance.
gradient_kept | share
    How much of the gradient of a linear recurrence is left 50 steps back in time.
gradient_kept_lstm | share
    How much of the gradient of an LSTM's cell is left 50 steps back; paths through the output can lift it above 1.
distance
    Distance to the minimum, by gradient descent.
distance_momentum
    Distance to the minimum, by gradient descent with momentum.
distance_adam
    Distance to the minimum, by Adam at a fixed learning rate: it does not go to 0.
variance
    Variance of the residual stream after this layer, without a norm.
variance_norm
    Variance of the residual stream after this layer, with pre-norm; it should grow by about 1 a layer.
optimal_states | share
    Share of states in which the greedy action is among the optimal ones.
value_error
    Largest difference between the learnt value of a state and its optimal value.
regret_greedy
    Mean reward lost against the best arm so far, by ε-greedy; it grows linearly.
regret_ucb
    Mean reward lost against the best arm so far, by UCB1; it should bend over.
regret_thompson
    Mean reward lost against the best arm so far, by Thompson sampling; it should bend over.
error_generative | share
    Share of wrong answers of the generative model on held-out data.
error_discriminative | share
    Share of wrong answers of the discriminative model on held-out data.
tokens_per_byte
    Tokens that a byte of the training text costs; 1 before the first merge, and it never rises.
tokens_per_byte_unseen
    Tokens that a byte of held-out text costs.
accuracy_shuffled | share
    Share of right answers of the arm that learnt from shuffled text; it should stay at chance.
accuracy_no_order | share
    Share of right answers of the arm without mask and positions; it should stay at chance.
next_word_entropy | nats
    Mean entropy of the next-word distribution at this temperature; it rises with the temperature.
distinct_2 | share
    Different pairs of words among all pairs of a text: low where the text runs in a circle.
steps_allowed | share
    Share of the steps from word to word that the language allows.
loss_without_head | nats per token
    Loss on the second reading of random lists while one attention head is switched off; above second_loss where the
    head is part of what copies.
distance_policy_gradient | share | 0 .. 1
    Total variation distance of the policy that the policy gradient has reached from the best one; it should go to 0.
    outside: Outside 0 to 1 cannot be.
distance_dpo | share | 0 .. 1
    Total variation distance of the policy that DPO has reached from the best one; what is left are too few pairs.
    outside: Outside 0 to 1 cannot be.
dialect_loss | nats per token
    Loss on held-out text of the new dialect, of the model that started pretrained.
dialect_loss_new | nats per token
    The same of a model that started from random weights.
old_loss | nats per token
    Loss on text as in pretraining, of the model that is tuned on the dialect; what it rises by is forgotten.
old_loss_new | nats per token
    The same of a model that started from random weights and reads the dialect only.
loss_smallest_model
    Mean squared error of the smallest models so far.
loss_largest_model
    Mean squared error of the largest models so far, which the fit does not see.
accuracy_mlp | share
    Share of right answers of the fully connected network, on places that it was not trained on.
ms_per_token | ms
    Time for one more token after a long text, with the KV cache.
ms_per_token_uncached | ms
    Time for one more token after a long text when the whole text runs again.
games_lost | share
    Share of games that the learner loses.
positions_known
    Positions for which the learner holds a value.
accuracy_raw | share
    Share of right answers on the data as they were recorded, without preparation.
accuracy_linear | share
    Share of right answers of the network without a bend; on XOR no straight line gets more than 0.75.
accuracy_rewarded | share
    Share of right answers of the learner that is told only whether its own guess was right.
adjusted_rand
    How far two groupings agree on which pairs belong together: 0 for chance, 1 for the same grouping under any names.
bias_squared
    Squared distance between the mean prediction over training sets and the truth.
prediction_variance
    How far predictions scatter around their mean over training sets, squared.
test_error
    Mean squared error on rows that the model was not fitted to.
train_error
    Mean squared error on the rows that the model was fitted to; it falls with complexity and so cannot choose it.
test_error_ols
    Mean squared error on test rows of plain least squares, without a penalty.
fake_at_zero | share
    Share of the features without effect whose weight is exactly zero.
loss_ratio
    Loss after the last step over the loss before the first; above 1 the run diverges.
right_class | share
    Mean probability that the model gives to the right class.
right_class_squared_error | share
    The same for the model that is trained with squared error.
recall | share
    Share of the positives that are found.
precision | share
    Share of the alarms that are right.
false_positive_rate | share
    Share of the negatives that raise an alarm; with rare positives a small share is many false alarms.
accuracy_outside | share
    Accuracy in cross-validation when the features were selected on all rows: too high.
accuracy_inside | share
    Accuracy in cross-validation when the features are selected anew inside each fold: honest.
error_tree | share
    Share of test rows that a single tree gets wrong.
error_forest | share
    Share of test rows that the vote of a forest gets wrong.
error_boosting_train | share
    Share of training rows that AdaBoost gets wrong after its last round.
inertia
    Sum of squared distances of the points to their centroids, from starts of k-means++; it must not rise.
inertia_random
    The same from random starts.
error_weighting
    Error of the probability found by likelihood weighting, root mean square over independent runs.
error_gibbs
    Error of the probability found by Gibbs sampling, root mean square over independent runs.
additivity_error |  | 0 .. 1e-09
    Distance between the sum of the Shapley values and f(x) - E[f].
    outside: The values are no Shapley values: wrong weights, or another background in f than in E[f].
prediction
    What the model says about the case that is explained.
"""


@dataclass(frozen=True)
class Metric:
    """One entry: `low` and `high` bound the healthy range, None where there is no bound on that side."""

    name: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    outside: str = ""

    @property
    def healthy(self) -> str:
        """The healthy range in words.

        >>> METRICS["clip_fraction"].healthy, METRICS["margin"].healthy, METRICS["loss"].healthy
        ('0 to 0.3', 'at least 0', '')
        """
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return "" if self.high is None else f"at most {self.high:g}"


def find(name: str) -> Metric | None:
    """The entry of a metric, None where there is none.  A qualified name (`sft/gold`) is found by its last part.

    >>> find("sft/gold") is METRICS["gold"], find("no such metric")
    (True, None)
    """
    return METRICS.get(name) or METRICS.get(name.rpartition("/")[2])


def mark(name: str, value: float) -> str:
    """Where the value lies: "low" or "high" outside the healthy range, "" inside or where no range is known.

    >>> mark("clip_fraction", 0.45), mark("clip_fraction", 0.1), mark("no such metric", 7.0)
    ('high', '', '')
    """
    metric = find(name)
    if metric is None:
        return ""
    if metric.low is not None and value < metric.low:
        return "low"
    return "high" if metric.high is not None and value > metric.high else ""


def _read(entries: str) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {}
    head, text = "", ""
    for line in [*entries.splitlines(), "end"]:
        if line.startswith(" "):
            text += " " + line.strip()
        elif line and not line.startswith("#"):
            if head:
                metric = _metric(head, text)
                metrics[metric.name] = metric
            head, text = line, ""
    return metrics


def _metric(head: str, text: str) -> Metric:
    name, unit, bounds = (part.strip() for part in (head + " | |").split("|")[:3])
    low, _, high = (bound.strip() for bound in bounds.partition(".."))
    meaning, _, outside = (part.strip() for part in text.partition("outside:"))
    return Metric(name, meaning, unit, float(low) if low else None, float(high) if high else None, outside)


METRICS: dict[str, Metric] = _read(_ENTRIES)
