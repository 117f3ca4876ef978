"""What any run may say: training, what a language model can do, results."""

ENTRIES = """
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

# Results

agrees
    Claims whose whole interval lies on the side of the bound that the source says.
does_not
    Claims whose whole interval lies on the other side.
undecided
    Claims whose interval holds the bound.
not_comparable
    Claims whose source measured something else.
"""
