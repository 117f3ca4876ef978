"""What the demos note beside their figures, and the same in Japanese."""

from learn_llm.demos.entry import Sentence

NOTES = (
    # Basic questions, 1 to 17
    Sentence(
        demo="what-is-ai",
        english="Minimax looked at all {positions} positions that can be reached; its value of the game is {value} (0 "
        "is a draw).",
        japanese="ミニマックスは到達できる{positions}局面をすべて調べました。このゲームの価値は{value}です（0は引き分け）。",
    ),
    Sentence(
        demo="what-is-ai",
        english="--break: final positions are worth what a coin says: there is no goal that a move could serve.",
        japanese="--break: 終局の価値をコイン投げで決めるので、指し手が目指せる目標がありません。",
    ),
    Sentence(
        demo="preprocessing",
        english="Peeking changes the accuracy by {change}: a leak is found by what depends on what, not by a score "
        "that looks too good.",
        japanese="のぞき見による正解率の変化は{change}です。リークは、良すぎる点数からではなく、"
        "何が何に依存するかを調べて見つけます。",
    ),
    Sentence(
        demo="preprocessing",
        english="--break: every column has the same scale and no gaps; preprocessing has nothing to repair.",
        japanese="--break: どの列もスケールが同じで欠損もなく、前処理で直すものがありません。",
    ),
    Sentence(
        demo="activations",
        english="The best of all straight lines gets {line} right. The trained identity network is the one matrix "
        "({first}, {second}) with bias {bias}, to {gap}.",
        japanese="直線では、どう引いても正解率は{line}が最高です。訓練した恒等関数のネットワークは一つの行列"
        "({first}, {second})とバイアス{bias}に等しく、差は{gap}です。",
    ),
    Sentence(
        demo="activations",
        english="--break: every activation is the identity, so all four networks are straight lines.",
        japanese="--break: すべての活性化が恒等関数なので、四つのネットワークはどれも直線です。",
    ),
    Sentence(
        demo="learning-paradigms",
        english="With shuffled labels: {mean} ± {error} over {shufflings} shufflings; chance is {chance}.",
        japanese="ラベルをシャッフルすると、{shufflings}回の平均で{mean} ± {error}。偶然の水準は{chance}です。",
    ),
    Sentence(
        demo="learning-paradigms",
        english="--break: labels are shuffled, so labels and rewards say nothing; k-means never asked for them.",
        japanese="--break: ラベルがシャッフルされ、ラベルも報酬も何も語りません。k-meansはもともとラベルを見ません。",
    ),
    Sentence(
        demo="curse-of-dimensionality",
        english="--break: the extra columns are mixtures of the first two; the intrinsic dimension stays 2.",
        japanese="--break: 追加する列は最初の2列の混合なので、内在次元は2のままです。",
    ),
    Sentence(
        demo="search",
        english="In the maps the path is darkest, then walls, mud, open cells. From top left to bottom right.",
        japanese="地図で最も濃いのが経路で、壁、ぬかるみ、平地の順に薄くなります。左上から右下へ進みます。",
    ),
    Sentence(
        demo="search",
        english="--break: the heuristic of A* is ten times too high, so the first way it finds need not be the "
        "cheapest.",
        japanese="--break: A*のヒューリスティックが10倍に過大なので、最初に見つかる経路が最小コストとは限りません。",
    ),
    Sentence(
        demo="bias-variance",
        english="bias² is taken from the mean of {fits} fits, so one part in {parts} of the variance is still in it: "
        "that is why it rises again at the right.",
        japanese="バイアス²は{fits}回のフィットの平均から求めるので、バリアンスの{parts}分の1がまだ混じっています。"
        "右端でまた上がるのはそのためです。",
    ),
    Sentence(
        demo="bias-variance",
        english="--break: labels without noise. Every training set is the same, so there is no variance.",
        japanese="--break: ラベルにノイズがありません。どの訓練データも同じなので、バリアンスがありません。",
    ),
    Sentence(
        demo="regularisation",
        english="--break: every penalty is 0, so all four are least squares.",
        japanese="--break: 正則化がすべて0なので、四つともただの最小二乗法です。",
    ),
    Sentence(
        demo="gradient-descent",
        english="At the best rate the distance shrinks by a factor {measured} per step, (κ - 1)/(κ + 1) is {expected}.",
        japanese="最良の学習率では、距離は1ステップごとに{measured}倍になります。(κ - 1)/(κ + 1)は{expected}です。",
    ),
    Sentence(
        demo="gradient-descent",
        english="--break: the limit was taken from the flattest direction; the steepest one does not forgive it.",
        japanese="--break: 限界を最も平らな方向から計算したので、最も急な方向では発散します。",
    ),
    Sentence(
        demo="backpropagation",
        english="The network has {weights} weights: finite differences took {evaluations} evaluations, "
        "backpropagation one evaluation and one sweep.",
        japanese="ネットワークの重みは{weights}個です。有限差分では{evaluations}回の評価が要りましたが、"
        "誤差逆伝播法では順方向に1回、逆方向に1回で済みました。",
    ),
    Sentence(
        demo="backpropagation",
        english="--break: gradients are overwritten where they should be added; look which expressions suffer.",
        japanese="--break: 足すべき勾配を上書きします。どの式が影響を受けるかを見てください。",
    ),
    Sentence(
        demo="loss-functions",
        english="From p the cross-entropy of a unit at logit -1000 would be -log 0; from the logit it is {loss}.",
        japanese="ロジットが-1000のユニットの交差エントロピーは、pから計算すると-log 0ですが、"
        "ロジットから計算すれば{loss}です。",
    ),
    Sentence(
        demo="loss-functions",
        english="--break: the unit starts undecided, where the sigmoid is steepest; both losses learn at once.",
        japanese="--break: ユニットは、シグモイドが最も急なp = 0.5から始まるので、どちらの損失でもすぐに学びます。",
    ),
    Sentence(
        demo="imbalanced-metrics",
        english='--break: half of the cases are positive, and "always no" is no better than a coin.',
        japanese="--break: 事例の半分が正例なので、「いつもno」はコイン投げと変わりません。",
    ),
    Sentence(
        demo="cross-validation",
        english="The best of {features} noise features correlates {largest} with the labels it was chosen by; a single "
        "one {single}.",
        japanese="{features}個のノイズの特徴量のうち最良のものは、選ぶのに使ったラベルと{largest}の相関があります。"
        "選ばずに取った一つでは{single}です。",
    ),
    Sentence(
        demo="cross-validation",
        english="--break: the selection outside looked at other coin flips, so it knew nothing about these labels.",
        japanese="--break: 検証の外での選択は別のコイン投げを見たので、このラベルについては何も知りません。",
    ),
    Sentence(
        demo="ensembles",
        english="Out of bag, on training rows that a tree has not seen, the forest errs {estimate}; on test rows "
        "{error}. The estimate is free.",
        japanese="木が見ていない訓練の行で測るOOB誤差は、フォレストでは{estimate}、テストの行での誤差は{error}です。"
        "この推定に追加のデータは要りません。",
    ),
    Sentence(
        demo="ensembles",
        english="--break: every tree has the same rows and all features, so all trees are one tree.",
        japanese="--break: どの木にも同じ行とすべての特徴量を渡すので、どの木も同じになります。",
    ),
    Sentence(
        demo="clustering-pca",
        english="Inertia of one run with k = {k}, after each assignment and each move: {course}",
        japanese="k = {k}での1回の実行で、割り当てと移動のたびに測ったイナーシャ: {course}",
    ),
    Sentence(
        demo="clustering-pca",
        english="--break: no mean. Centroids move to a random one of their points, and PCA does not centre.",
        japanese="--break: 平均を使いません。セントロイドは所属する点のどれか一つへ移り、PCAは中心化をしません。",
    ),
    Sentence(
        demo="bayesian-networks",
        english="--break: weights are 1 and the children are not asked, so the wet grass says nothing about rain.",
        japanese="--break: 重みはすべて1で、子の表も見ないので、濡れた芝生は雨について何も語りません。",
    ),
    Sentence(
        demo="explainability-fairness",
        english="AUC on group: how well a model trained for it tells the group from these features. Gaps: approval "
        "rate outside the group minus that inside, of all and of those who would repay. Right: agrees with "
        "who would repay.",
        japanese="AUC on group: グループを当てるように訓練したモデルが、この特徴量からどれだけ当てられるか。"
        "gap: グループの外の承認率から中の承認率を引いた値。全員についてと、返済する人についての二つがあります。"
        "right: 返済する人かどうかと一致する割合。",
    ),
    Sentence(
        demo="explainability-fairness",
        english="--break: all subsets weigh alike, so the values do not add up; the postcode is drawn by lot.",
        japanese="--break: どの部分集合にも同じ重みを付けるので、寄与の和が合いません。郵便番号はくじで決めます。",
    ),
    # Intermediate questions, 18 to 34
    Sentence(
        demo="cnn-vs-mlp",
        english="--break: the pixels of all images are scrambled in the same way; nothing local is left.",
        japanese="--break: すべての画像の画素を同じ順序でかき混ぜるので、局所的なものが何も残りません。",
    ),
    Sentence(
        demo="vanishing-gradients",
        english="Clipping to norm 1 makes {norm} a 1. No factor brings the others back: near steps drown them.",
        japanese="ノルムを1にクリップすると、{norm}が1になります。消えたほうは、何倍しても戻りません。"
        "近いステップの勾配に埋もれるからです。",
    ),
    Sentence(
        demo="vanishing-gradients",
        english="--break: the forget gate starts at bias {bias}; f is about {gate}.",
        japanese="--break: 忘却ゲートはバイアス{bias}から始まり、fは約{gate}です。",
    ),
    Sentence(
        demo="optimisers",
        english="Adam, at a fixed rate of {rate}: distance {distance} after {steps} steps.",
        japanese="学習率を{rate}に固定したAdam: {steps}ステップ後の距離は{distance}。",
    ),
    Sentence(
        demo="optimisers",
        english="--break: β = 0, which is gradient descent; and Adam does not correct its averages for their start.",
        japanese="--break: β = 0はただの勾配降下法です。Adamも、平均の初期値を補正しません。",
    ),
    Sentence(
        demo="normalisation",
        english="--break: the pre-norm stack has lost its norm.",
        japanese="--break: pre-normのスタックに正規化がありません。",
    ),
    Sentence(
        demo="q-learning",
        english="--break: the target is the reward alone; what an action leads to counts for nothing.",
        japanese="--break: 目標は報酬だけで、行動の先に何があるかは数えられません。",
    ),
    Sentence(
        demo="bandits",
        english="Random plays alone cost ε times the average gap, {epsilon}·{gap} = {cost} a round, for ever.",
        japanese="ランダムに選ぶ分だけで、毎回ε × 平均の差、つまり{epsilon}·{gap} = {cost}を失い続けます。",
    ),
    Sentence(
        demo="bandits",
        english="--break: UCB without its bonus and Thompson without its draw: both play the best mean so far.",
        japanese="--break: ボーナスのないUCBと、サンプリングをしないThompson。"
        "どちらもそれまでの平均が最良の腕を引きます。",
    ),
    Sentence(
        demo="policy-gradient",
        english="--break: each group mean holds the action's own reward; the gradient shrinks to {shrunk}.",
        japanese="--break: グループの平均に行動自身の報酬が入っているので、勾配は{shrunk}に縮みます。",
    ),
    Sentence(
        demo="generative-vs-discriminative",
        english="--break: naive Bayes assumes nothing about the covariances any more and estimates them all.",
        japanese="--break: ナイーブベイズは共分散について何も仮定せず、すべてを推定します。",
    ),
    Sentence(
        demo="transfer-learning",
        english="--break: the numbers within every weight matrix of the base are shuffled.",
        japanese="--break: ベースモデルの各重み行列の中で、数値をシャッフルしてあります。",
    ),
    Sentence(
        demo="tokenisation",
        english="English in tokens: {tokens}",
        japanese="英語の文をトークンに分けると: {tokens}",
    ),
    Sentence(
        demo="tokenisation",
        english="--break: {missing} of the 256 bytes do not occur in the training text and are unknown.",
        japanese="--break: 256バイトのうち{missing}個は訓練テキストに現れず、未知になります。",
    ),
    Sentence(
        demo="embeddings",
        english="Without excluding the three words of the question {included} are solved, not {excluded}.",
        japanese="問いの3語を候補から除かなければ、解ける割合は{excluded}ではなく{included}です。",
    ),
    Sentence(
        demo="embeddings",
        english="--break: the words of the corpus are shuffled; their frequencies are as before.",
        japanese="--break: コーパスの単語をシャッフルします。頻度は元のままです。",
    ),
    Sentence(
        demo="attention",
        english="--break: the attention arm has fixed weights 1/n; it cannot look, so it cannot look up.",
        japanese="--break: アテンションの重みが1/nに固定され、見る場所を選べないので、値を引けません。",
    ),
    Sentence(
        demo="transformer-masks-positions",
        english="--break: no arm has a mask; an edit changes logits before it too.",
        japanese="--break: どの条件にもマスクがなく、変更はそれより前のロジットも変えます。",
    ),
    Sentence(
        demo="perplexity",
        english="--break: the training sequences were shuffled; the held-out text was not.",
        japanese="--break: 訓練テキストはシャッフルされ、ホールドアウトのテキストは元のままです。",
    ),
    Sentence(
        demo="decoding",
        english="The nucleus for p = {p} has {least} to {most} words, depending on how sure the model is; top-k always "
        "keeps {k}. Over 100 words at T = 1 at least one from the tail comes with probability {tail}.",
        japanese="p = {p}の核は、モデルの自信に応じて{least}語から{most}語です。top-kはいつも{k}語を残します。"
        "T = 1で100語を選ぶと、裾の語が少なくとも一つ出る確率は{tail}です。",
    ),
    Sentence(
        demo="decoding",
        english="--break: top-p does not cut; what it draws comes from the whole distribution.",
        japanese="--break: top-pが切り捨てず、分布全体からサンプリングします。",
    ),
    Sentence(
        demo="kv-cache",
        english="{parameters}M parameters; logits up to {largest}, cached and uncached differ by {difference}",
        japanese="パラメータは{parameters}M、ロジットは最大{largest}。キャッシュの有無による差は{difference}です。",
    ),
    Sentence(
        demo="kv-cache",
        english="--break: the cached arm runs without its cache.",
        japanese="--break: キャッシュありの側もキャッシュなしで動きます。",
    ),
    Sentence(
        demo="scaling-laws",
        english="--break: all directions of the data have the same variance.",
        japanese="--break: データのどの方向も分散が同じです。",
    ),
    # Advanced questions, 35 to 50
    Sentence(
        demo="ways-of-training",
        english="Not in the table: pretraining, which made the base, and RLHF, which learns from comparisons.",
        japanese="表にない方法: ベースモデルを作った事前学習と、比較から学ぶRLHF。",
    ),
    Sentence(
        demo="sft",
        english="tiny-base, {questions} questions kept back: {right} answered exactly in the chat format",
        japanese="tiny-base、訓練に使わない{questions}問: チャット形式での完全一致は{right}。",
    ),
    Sentence(
        demo="in-context-learning",
        english="the bundled base is measured as it is: no weight changes here",
        japanese="同梱のベースモデルをそのまま測ります。ここでは重みは一つも変わりません。",
    ),
    Sentence(
        demo="in-context-learning",
        english="--break: the second reading is another list.",
        japanese="--break: 2回目に読むのは別のリストです。",
    ),
    Sentence(
        demo="icil",
        english="Of a gain of {gain} in exact matches {lost} is lost with random outputs. In the paper they take most "
        "of it: there the model has learnt that answers come from the definition.",
        japanese="完全一致の向上{gain}のうち、出力をランダムにして失われるのは{lost}です。論文ではほとんどが失われます。"
        "論文のモデルは、答えが定義から決まることを学んでいるからです。",
    ),
    Sentence(
        demo="icil",
        english="Guessing among the options would be right in {chance}. The right option is the likeliest one in "
        "{likely}, but it is written out less often: {valid} are valid.",
        japanese="選択肢から当てずっぽうに選んでも{chance}は正解です。正しい選択肢が最も高い確率になるのは{likely}ですが、"
        "それを書き出すことはもっと少なく、有効な答えは{valid}です。",
    ),
    Sentence(
        demo="lora",
        english="{new} numbers are trained, {share} of the base's {all}: gradients and Adam's moments take {ours} MiB "
        "instead of {theirs}",
        japanese="学習するパラメータは{new}個で、ベースモデルの{all}個の{share}です。"
        "勾配とAdamのモーメントは{theirs} MiBではなく{ours} MiBで済みます。",
    ),
    Sentence(
        demo="adapters-prompt-tuning",
        english="{tokens} soft tokens are {product} = {new} trained numbers, {share} of the base's {all}",
        japanese="{tokens}個のソフトトークンは{product} = {new}個のパラメータで、ベースモデルの{all}個の{share}です。",
    ),
    Sentence(
        demo="reward-model",
        english="tiny-reward was trained beforehand; {pairs} pairs of prompts kept back are new to it",
        japanese="tiny-rewardは訓練済みです。訓練に使わなかったプロンプトの{pairs}ペアは、このモデルにとって新しいものです。",
    ),
    Sentence(
        demo="reward-model",
        english="{pairs} pairs, {held_out} held out, {too_long} too long and left out",
        japanese="{pairs}ペア、ホールドアウト{held_out}ペア。長すぎて除いたもの: {too_long}。",
    ),
    Sentence(
        demo="ppo",
        english="{prompts} prompts, {held_out} held out, {too_long} too long",
        japanese="プロンプト{prompts}個、ホールドアウト{held_out}個、長すぎるもの{too_long}個。",
    ),
    Sentence(
        demo="why-rl",
        english="Token by token: a cost for each, and one weight in RL for all of an answer: its gold less the mean.",
        japanese="トークンごとに見ると、損失はトークンごとに決まりますが、RLの重みは答え全体で一つ、"
        "ゴールドスコアから平均を引いた値です。",
    ),
    Sentence(
        demo="chain-of-hindsight",
        english="Prompt and feedback get no gradient: only answers and their ends are learnt.",
        japanese="プロンプトとフィードバックには勾配がなく、学ぶのは答えとその終わりだけです。",
    ),
    Sentence(
        demo="chain-of-hindsight",
        english="{pairs} pairs, {too_long} too long and left out",
        japanese="{pairs}ペア。長すぎて除いたもの: {too_long}。",
    ),
    Sentence(
        demo="over-optimisation",
        english="the proxy on held-out pairs: accuracy {accuracy}, ceiling {ceiling}",
        japanese="ホールドアウトのペアでの代理: 正解率{accuracy}、上限{ceiling}。",
    ),
    Sentence(
        demo="icil",
        english="With options, exact match minus guessing is {over} ({low} to {high}): above chance",
        japanese="選択肢のあるタスクで、完全一致から当てずっぽうの正解率を引くと{over}({low}から{high})で、偶然を上回ります。",
    ),
    Sentence(
        demo="icil",
        english="With options, exact match minus guessing is {over} ({low} to {high}): below chance, as an answer that "
        "is no option is wrong, and guessing gives none",
        japanese="選択肢のあるタスクで、完全一致から当てずっぽうの正解率を引くと{over}({low}から{high})で、偶然を下回ります。"
        "選択肢にない答えは不正解で、当てずっぽうにはそれがないからです。",
    ),
    Sentence(
        demo="icil",
        english="With options, exact match minus guessing is {over} ({low} to {high}): not told from chance",
        japanese="選択肢のあるタスクで、完全一致から当てずっぽうの正解率を引くと{over}({low}から{high})で、偶然と区別できません。",
    ),
    Sentence(
        demo="over-optimisation",
        english="{ties} of the pairs of samples tie, so the KL is lower than log n - (n - 1)/n",
        japanese="サンプルのペアの{ties}は点数が同じなので、KLはlog n - (n - 1)/nより小さくなります。",
    ),
    Sentence(
        demo="flask",
        english="A: {first} at temperature {cold}; B: {second} at temperature {warm}, the best of {n} by the reward "
        "model",
        japanese="A: {first}、温度{cold}。B: {second}、温度{warm}、報酬モデルで選んだ{n}個中の最良。",
    ),
    Sentence(
        demo="flask",
        english="Made wordier: {kept} of the scores stay, conciseness moves by {moved}; the reward model's one score "
        "rises for {rises} of the answers",
        japanese="冗長にすると、点数の{kept}は変わらず、簡潔さは{moved}動きます。報酬モデルの一つだけの点数は、"
        "答えの{rises}で上がります。",
    ),
    Sentence(
        demo="kl-dpo",
        english="β·log(π / π_ref) of DPO is the reward to within {error}, up to a constant: it never saw it.",
        japanese="DPOのβ·log(π / π_ref)は、定数を除いて報酬と誤差{error}以内で一致します。"
        "DPOは報酬を一度も見ていません。",
    ),
    Sentence(
        demo="kl-dpo",
        english="--break: neither method knows π_ref; both take it for uniform.",
        japanese="--break: どちらの方法もπ_refを知らず、一様とみなします。",
    ),
    Sentence(
        demo="self-instruct",
        english="start is the model before SFT, asked in the same chat format, which the tiny base has never seen. The "
        "intervals are over questions; which few tasks were drawn moves a score by several points, too",
        japanese="startはSFT前のモデルで、同じチャット形式で尋ねます。小さなベースモデルはこの形式を見たことがありません。"
        "区間は質問についてのものです。どのタスクを引いたかによっても、点数は数ポイント動きます。",
    ),
    Sentence(
        demo="llama2",
        english="one layer, {parameters} parameters: width {width}, {heads} query heads on {kv_heads} key-value heads, "
        "MLP {mlp}",
        japanese="1層、{parameters}パラメータ: 幅{width}、クエリヘッド{heads}個、KVヘッド{kv_heads}個、MLPの幅{mlp}。",
    ),
    Sentence(
        demo="llama2",
        english="own heads: as if each of the 64 query heads of 70B kept keys and values of its own.  4 bits: weights "
        "in 4 bits, the cache in 16 all the same.  Activations and the server itself come on top.",
        japanese="own heads: 70Bの64個のクエリヘッドが、それぞれ自分のキーと値を持つとした場合。"
        "4 bits: 重みは4ビット、キャッシュは16ビットのまま。"
        "活性化とサーバー自体のメモリは別に要ります。",
    ),
)
