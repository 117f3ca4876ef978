"""What only the demos say."""

ENTRIES = """
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
