"""The titles of the charts and tables that the demos draw, and the same in Japanese, by demo."""

from collections.abc import Mapping

from learn_llm.demos.entry import Sentence

_SKILLS = "スキル（1から5）"
_PAIRS_OF_STEP = {"Loss and accuracy on the pairs of each step": "各ステップのペアでの損失と正解率"}
_CALIBRATION = {"Calibration on held-out pairs": "ホールドアウトのペアでのキャリブレーション"}

_TITLES: Mapping[str, Mapping[str, str]] = {
    # Basic questions, 1 to 17
    "what-is-ai": {
        "The learner's share of lost games against the rules": "ルールとの対局で学習器が負けた割合",
        "{games} games against the rules, half of them as X": "ルールとの{games}局（半分は先手X）",
        "Won / drawn / lost in {games} games": "{games}局の勝ち／引き分け／負け",
    },
    "preprocessing": {
        "Accuracy of {neighbours} nearest neighbours after each preparation": "各前処理後の{neighbours}近傍法の正解率",
        "Means over {rounds} data sets": "{rounds}個のデータセットの平均",
    },
    "activations": {
        "{name}: the class it says over the plane": "{name}: 平面の各点に答えるクラス",
        "Accuracy on new points": "新しい点での正解率",
        "After training": "訓練後",
    },
    "learning-paradigms": {
        "Accuracy (supervised, reinforcement) and adjusted Rand index (unsupervised)": (
            "正解率（教師あり・強化学習）と調整ランド指数（教師なし）"
        ),
        "The three learners, means over {streams} streams": "三つの学習器（{streams}系列の平均）",
    },
    "curse-of-dimensionality": {
        "Contrast between the farthest and the nearest point": "最も遠い点と最も近い点のコントラスト",
        "Accuracy of {neighbours} nearest neighbours as noise columns are added": (
            "ノイズの列を増やしたときの{neighbours}近傍法の正解率"
        ),
        "Dimension by dimension": "次元ごとの値",
    },
    "search": {
        "breadth-first: {steps} steps, cost {cost} (optimum {optimum})": (
            "幅優先探索: {steps}歩、コスト{cost}（最適は{optimum}）"
        ),
        "A*: {steps} steps, cost {cost} (optimum {optimum})": "A*: {steps}歩、コスト{cost}（最適は{optimum}）",
        "The first maze": "最初の迷路",
        "Cells visited, mean of {mazes} mazes": "訪れたマスの数（{mazes}個の迷路の平均）",
    },
    "cnn-vs-mlp": {
        "Accuracy by place of the shape (trained on {low} to {high}; chance {chance})": (
            "図形の位置ごとの正解率（訓練は{low}から{high}、偶然は{chance}）"
        ),
        "Parameters and accuracy": "パラメータ数と正解率",
    },
    "clustering-pca": {
        "Elbow: inertia for each k, {blobs} blobs": "エルボー図: kごとの慣性（塊は{blobs}個）",
        "Scree: variance along each component; the centres lie in {dimensions} dimensions": (
            "スクリープロット: 各主成分の分散（中心は{dimensions}次元にある）"
        ),
        "PCA": "主成分分析（PCA）",
    },
    "bayesian-networks": {
        "Error of P(rain | wet), root mean square over {runs} runs": "P(雨 | 濡れ)の誤差（{runs}回の二乗平均平方根）",
        "Means over {runs} runs, and what {samples} samples are worth; P(rain) = {rain}": (
            "{runs}回の平均と、{samples}サンプルの値打ち。P(雨) = {rain}"
        ),
    },
    "bias-variance": {
        "Where the error comes from": "誤差はどこから来るか",
        "Means over {resamples} training sets of {points} points": "{points}点の訓練集合{resamples}個の平均",
    },
    "cross-validation": {
        "Accuracy on coin flips, by cross-validation": "コイン投げの予測の正解率（交差検証による）",
        "Means over {rounds} data sets; the truth is {truth}": "{rounds}個のデータセットの平均（真の値は{truth}）",
    },
    "regularisation": {
        "The lasso from a strong penalty (right) to a weak one (left)": "ラッソ: 強い罰則（右）から弱い罰則（左）まで",
        "Test error, mean of {rounds} data sets; the noise alone is {noise}": (
            "テスト誤差（{rounds}個のデータセットの平均、ノイズだけで{noise}）"
        ),
        "Means over {rounds} data sets, every strength chosen by cross-validation": (
            "{rounds}個のデータセットの平均（強さは毎回、交差検証で選ぶ）"
        ),
    },
    "ensembles": {
        "Test error of votes, mean of {sets} training sets": "多数決のテスト誤差（訓練集合{sets}個の平均）",
        "AdaBoost: one small tree after the other": "AdaBoost: 小さな木を一本ずつ",
        "Variance of averages of trees": "木の平均の分散",
    },
    "imbalanced-metrics": {
        "ROC, AUC {area}: it would look the same at any share of positives": (
            "ROC曲線（AUC {area}）: 正例の割合が変わっても同じ形"
        ),
        "Precision and recall, average precision {mean}": "適合率と再現率（平均適合率{mean}）",
        "Rules of decision; a false alarm costs {alarm}, a miss {miss}": (
            "判定の規則（誤警報のコスト{alarm}、見逃しのコスト{miss}）"
        ),
    },
    "explainability-fairness": {
        "One case: prediction {prediction}, average {average}; what each feature adds": (
            "ある事例: 予測{prediction}、平均{average}。各特徴量の寄与"
        ),
        "The model as a whole: accuracy lost when a column is shuffled": (
            "モデル全体: 列をシャッフルすると失われる正解率"
        ),
        "The group is not among the features": "集団は特徴量に含まれていない",
    },
    "loss-functions": {
        "Learning from a start at logit {logit} for the right class": "正解クラスのロジット{logit}から始める学習",
        "Both losses on the way from the wrong weights to the right ones": (
            "誤った重みから正しい重みへの道での二つの損失"
        ),
        "Both losses": "二つの損失",
    },
    "gradient-descent": {
        "The loss at four rates": "四つの学習率での損失",
        "Noisy gradients: a constant rate and a decaying one": "ノイズのある勾配: 一定の学習率と減らす学習率",
        "After {steps} steps, λmax = {steepest}, κ = {kappa}": "{steps}ステップ後、λmax = {steepest}、κ = {kappa}",
    },
    # Intermediate questions, 18 to 34
    "backpropagation": {
        "Digits on which all three gradients agree (the claim: at least {digits})": (
            "三つの勾配が一致する桁数（主張は{digits}桁以上）"
        ),
        "Largest relative error": "最大の相対誤差",
        "The network learns XOR with these gradients": "この勾配でネットワークはXORを学ぶ",
    },
    "vanishing-gradients": {
        "How much of the gradient is left t steps back": "tステップ前に残る勾配の割合",
        "Per step back in time": "1ステップさかのぼるごとに",
    },
    "optimisers": {
        "Distance to the minimum, κ = {condition}": "最小点までの距離、κ = {condition}",
        "Size of Adam's first step over the learning rate (ε = {epsilon})": (
            "Adamの最初の一歩の大きさ÷学習率（ε = {epsilon}）"
        ),
        "Steps until the distance is {tolerance} of that at the start": (
            "距離が初めの{tolerance}倍になるまでのステップ数"
        ),
    },
    "normalisation": {
        "Variance of the residual stream": "残差ストリームの分散",
        "x = (1, 2, 3, 6)": "xが(1, 2, 3, 6)のとき",
        "Change of one example when the rest of its batch is exchanged": "バッチの残りを入れ替えたときの一つの例の変化",
    },
    "q-learning": {
        "Learning, from random states": "学習の経過（ランダムな状態から）",
        "Value of each state, max Q (walls 0, goal 1, pits -1)": "各状態の価値（Qの最大、壁0、ゴール1、穴-1）",
        "What the learner would do (G goal, X pit, # wall)": "学習器が選ぶ行動（Gはゴール、Xは穴、#は壁）",
    },
    "bandits": {
        "Regret, mean of {runs} runs": "リグレット（{runs}回の平均）",
        "After {rounds} rounds": "{rounds}ラウンド後",
    },
    "policy-gradient": {
        "Distance of the mean from the exact gradient": "平均と厳密な勾配との距離",
        "Gradients from {batch} samples each": "{batch}サンプルずつから求めた勾配",
        "Mean of {samples} samples": "{samples}サンプルの平均",
    },
    "generative-vs-discriminative": {
        "Test error, features independent": "テスト誤差（特徴量は独立）",
        "Test error, features correlated": "テスト誤差（特徴量に相関あり）",
        "Test error": "テスト誤差",
    },
    "transfer-learning": {
        "Loss on held-out rows of the dialect": "方言のホールドアウトの行での損失",
        "Loss on the old text": "元のテキストでの損失",
        "Loss in nats per token on held-out rows": "ホールドアウトの行での損失（ナット／トークン）",
    },
    "tokenisation": {
        "Tokens per byte": "バイトあたりのトークン数",
        "The first merges and the last": "最初と最後のマージ",
        "What a text costs, vocabulary of {size}": "テキストに要するトークン数（語彙は{size}）",
    },
    "embeddings": {
        "Analogies solved, of {questions}": "解けたアナロジー（全{questions}問）",
        "The animals, in the plane that separates the forms best": "動物の単語（語形を最もよく分ける平面で）",
        "Nearest word": "最も近い単語",
    },
    "attention": {
        "What each question reads (one sequence)": "各質問が読む場所（一つの系列）",
        "Accuracy on fresh sequences (chance {chance})": "新しい系列での正解率（偶然は{chance}）",
        "Entropy of the weights of random queries and keys, as a share of log n": (
            "ランダムなクエリとキーの重みのエントロピー（log nに対する割合）"
        ),
    },
    "transformer-masks-positions": {
        "Change of the logits at a position (across) when a token is edited (down)": (
            "トークン（縦）を変えたときの各位置（横）のロジットの変化"
        ),
        "Did A come before B? (chance 0.5)": "AはBより前にあったか（偶然は0.5）",
        "Order task": "順序の課題",
    },
    "perplexity": {
        "Held-out loss of the GPT, and what the source allows": "GPTのホールドアウト損失と、情報源が許す下限",
        "Loss and perplexity": "損失とパープレキシティ",
    },
    "decoding": {
        "Temperature buys diversity with quality": "温度は品質と引き換えに多様性を増す",
        "Diversity against quality of each rule": "各手法の多様性と品質",
        "Where the beam gains most": "ビームサーチが最も得をする例",
    },
    "kv-cache": {
        "Time for one more token": "次の1トークンにかかる時間",
        "One more token": "次の1トークン",
    },
    "scaling-laws": {
        "Loss by size; the last, N = {size}, was not fitted": (
            "モデルの大きさと損失（最後のN = {size}は当てはめに使わない）"
        ),
        "Without the fitted floor: a straight line": "当てはめた下限を引くと直線になる",
        "Prediction for N = {size} from N = {low} to {high}": "N = {low}から{high}までによるN = {size}の予測",
        "C = 6·N·D (arithmetic, nothing measured)": "C = 6·N·D（計算だけで、測定はしない）",
    },
    # Advanced questions, 35 to 50
    "ways-of-training": {
        "Score against trained numbers, of {known}": "訓練した数値の個数とスコア（全{known}個）",
        "One base of {known} parameters; score: exact answers to {asked} questions": (
            "{known}パラメータのベース。スコアは{asked}問の完全一致率"
        ),
    },
    "sft": {
        "Exact answers to questions kept back": "取り分けた質問への完全一致",
        "Loss on response tokens": "応答のトークンでの損失",
    },
    "in-context-learning": {
        "Loss by position in the list": "リスト内の位置ごとの損失",
        "How much the loss on the second reading rises without each head": (
            "各ヘッドを除いたときの、二度目に読むリストの損失の増加"
        ),
        "Mean loss over {lists} lists of {length} words": "{length}語のリスト{lists}個の平均損失",
    },
    "icil": {
        "Held-out tasks behind each prefix": "各プレフィックスを付けたホールドアウトのタスク",
        "Held-out tasks, with options and with free answers": "ホールドアウトのタスク（選択肢ありと自由回答）",
        "Exact match by task": "タスクごとの完全一致",
    },
    "lora": {
        "Gold score, -1 to 1": "ゴールドスコア（-1から1）",
        "Gold score against the rank": "ランクとゴールドスコア",
    },
    "adapters-prompt-tuning": {
        "Gold score, -1 to 1": "ゴールドスコア（-1から1）",
        "Gold score against the number of soft tokens": "ソフトトークンの数とゴールドスコア",
    },
    "quantisation": {
        "Mean squared error on Gaussian weights, σ = 1": "ガウス分布の重みでの平均二乗誤差（σ = 1）",
        "Blocks of {block}": "ブロックの大きさは{block}",
        "Loss on held-out responses": "ホールドアウトの応答での損失",
    },
    "reward-model": {**_PAIRS_OF_STEP, **_CALIBRATION},
    "ppo": {
        "Reward and gold score of each round": "各ラウンドの報酬とゴールドスコア",
        "KL to the start": "出発点とのKL",
        "Skills, 1 to 5, on held-out prompts": f"ホールドアウトのプロンプトでの{_SKILLS}",
        "Ratios that were clipped": "クリップされた比率",
    },
    "why-rl": {
        "Share of pairs where the opposite comes out worse; nats a token": (
            "反対の意味のほうが悪くなるペアの割合（単位はナット／トークン）"
        ),
        "Gold score: the opposite minus the same meaning": "ゴールドスコア: 反対の意味と同じ意味の差",
        "Cross-entropy: the opposite minus the same meaning": "交差エントロピー: 反対の意味と同じ意味の差",
        "Gold score of what is sampled": "サンプルのゴールドスコア",
        "{samples} responses each; {prompts} held-out prompts": (
            "応答は{samples}個ずつ、ホールドアウトのプロンプトは{prompts}個"
        ),
        "Gold score": "ゴールドスコア",
    },
    "chain-of-hindsight": {
        "Loss of {arm}": "{arm}の損失",
        "Gold score when asked for good and for bad answers, held-out prompts": (
            "良い答え・悪い答えを求めたときのゴールドスコア（ホールドアウト）"
        ),
        "Gold score on prompts kept back": "取り分けたプロンプトでのゴールドスコア",
    },
    "over-optimisation": {
        **_PAIRS_OF_STEP,
        **_CALIBRATION,
        "The best of n on {prompts} held-out prompts": "ホールドアウトのプロンプト{prompts}個でのbest-of-n",
        "Proxy score of the best of n": "best-of-nの代理スコア",
        "Gold score of the best of n": "best-of-nのゴールドスコア",
        "Fitted on n ≤ {size}; gold peaks at √KL = {peak}": "n ≤ {size}で当てはめ。ゴールドの山は√KL = {peak}",
        "Gain of gold over one sample": "1サンプルに対するゴールドの上昇",
    },
    "kl-dpo": {
        "β = {beta}: probability of each answer": "β = {beta}: 各回答の確率",
        "Where they arrive": "行き着く先",
    },
    "flask": {
        "Skills, 1 to 5": _SKILLS,
        "Domain": "ドメイン",
        "Difficulty, 1 to 5": "難易度（1から5）",
        "Hard questions (difficulty 4, 5) minus easy ones (1, 2)": "難しい質問（難易度4、5）と易しい質問（1、2）の差",
        "Asked in other words, and the share of new 4-grams in right answers": (
            "言い換えた質問と、正答に含まれる新しい4-gramの割合"
        ),
        "Logical thinking and background knowledge": "論理的思考と背景知識",
        "Problem handling and user alignment": "問題処理と利用者との整合",
    },
    "self-instruct": {
        "What the filters reject": "各フィルタが除いたもの",
        "The funnel": "フィルタを通るごとの残り",
        "ROUGE-L of at least {least} against planted near-duplicates": "仕込んだ近似重複に対するROUGE-L {least}以上",
        "SFT on {tasks} tasks of each kind, then {questions} new questions": (
            "それぞれ{tasks}タスクでSFTした後の新しい質問{questions}問"
        ),
    },
    "llama2": {
        "Parameters": "パラメータ数",
        "Serving in {bits} bits: caches of {tokens} tokens that fit in {memory} GB": (
            "{bits}ビットでの運用: {memory} GBに収まる{tokens}トークンのキャッシュ数"
        ),
        "KV cache of one sequence, {bits} bits": "1系列のKVキャッシュ（{bits}ビット）",
    },
}

TITLES = tuple(
    Sentence(demo, english, japanese) for demo, titles in _TITLES.items() for english, japanese in titles.items()
)
