"""What the other methods say, from in-context learning to data that a model writes."""

LOST = {
    "random_inputs": "those with random words in place of the demonstrations' inputs",
    "random_outputs": "those with random words in place of the demonstrations' outputs",
    "random_definitions": "those with random words in place of the demonstrations' definitions",
    "noise": "those with a prefix of random words of the same length",
    "no_answers": "those with the same prefix, its answers left out",
    "shared_options": "those with demonstrations that all have the same options",
    "shuffled_order": "those with the same demonstrations in a random order",
    "1_demonstrations": "those with the first demonstration alone",
    "2_demonstrations": "those with the first 2 demonstrations",
    "4_demonstrations": "those with the first 4 demonstrations",
    "6_demonstrations": "those with the first 6 demonstrations",
    "half_with_free_answers": "those with half of the demonstrations of tasks whose answers are written freely",
    "all_with_free_answers": "those with demonstrations of tasks whose answers are written freely",
    "similar_demonstrations": "those with demonstrations of its own for every question, which resemble it",
    "zero_shot_in_the_chat_format": "those without a prefix in the checkpoint's own chat format",
}
"""What exact matches with ICIL's prefix are compared with."""

ENTRIES = """
# In-Context Instruction Learning

by_likelihood | share
    Share of questions whose right option is the likeliest one; compare it with chance.
valid_gain | share
    Rate of valid answers with the prefix minus that without.
valid_gain_low | share
    Lower end of the 95 % interval over tasks of valid_gain.
over_chance | share
    Exact matches with the prefix minus guessing among the options, mean over the tasks that have options.
over_chance_low | share
    Lower end of its 95 % interval over tasks; above 0 means better than guessing.
over_chance_high | share
    Upper end of it; below 0 means worse than guessing.
zero_shot_rouge_l | share
    Mean ROUGE-L over tasks without the prefix.
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
small_ahead | share
    Exact matches of the smallest model behind the prefix minus those of the largest one without it.
small_ahead_low | share
    Lower end of its 95 % interval over tasks.
small_ahead_high | share
    Upper end of it.
skills_rising
    Skills that rise from the smallest model to the largest: the interval of their gain, 95 % for all skills together,
    lies above 0.
skills_saturated
    Skills that gain less than half a point from the smallest model to the largest, with their whole interval, and
    could have gained it.
skills_at_ceiling
    Skills in which the smallest model is within half a point of the best score: they cannot say what size does.
size_gain | points
    How much higher the largest model scores on this skill than the smallest.
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
"""

ENTRIES += "".join(
    f"lost_by_{arm} | share\n    Exact matches with the prefix minus {others}.\n"
    f"lost_by_{arm}_low | share\n    Lower end of the 95 % interval over tasks of lost_by_{arm}.\n"
    f"lost_by_{arm}_high | share\n    Upper end of the 95 % interval over tasks of lost_by_{arm}.\n"
    for arm, others in LOST.items()
)
