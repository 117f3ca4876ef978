"""What the demos of the basic questions, 1 to 17, claim, and the same in Japanese."""

from learn_llm.demos.entry import Sentence

CLAIMS = (
    Sentence(
        demo="what-is-ai",
        english="Minimax loses none of 200 games against the rules and none of 200 against random moves, and the "
        "learner's share of games lost to the rules falls by at least half",
        japanese="ミニマックスは、ルールとの200局でもランダムなプレイヤーとの200局でも一度も負けません。"
        "学習器がルールに負ける割合は、学習前の半分以下に下がります。",
    ),
    Sentence(
        demo="preprocessing",
        english="Imputing and standardising add at least 15 points of accuracy, and fitting them on the test rows "
        "too is flagged as a leak every time while fitting on the training rows never is",
        japanese="補完と標準化で、正解率は15ポイント以上上がります。"
        "テストの行まで使ってフィットすると必ずリークとして検出され、"
        "訓練の行だけでフィットすると一度も検出されません。",
    ),
    Sentence(
        demo="activations",
        english="With the identity at most 75 % of XOR are right and the network equals a single matrix to 1e-6; "
        "with ReLU at least 99 % are right",
        japanese="恒等関数では、XORの正解率は75 %を超えず、ネットワークは一つの行列と1e-6の精度で一致します。"
        "ReLUでは、正解率が99 %以上になります。",
    ),
    Sentence(
        demo="learning-paradigms",
        english="Every learner passes with its own signal (accuracy at least 0.95, adjusted Rand index at least "
        "0.9), the rewarded one needs more points than the supervised one, and shuffled labels leave "
        "chance (within 4 s.e.)",
        japanese="どの学習器も、自分に与えられる信号だけで合格します（正解率0.95以上、調整ランド指数0.9以上）。"
        "報酬で学ぶ学習器には、教師あり学習器より多くのデータ点が要ります。ラベルをシャッフルすると、"
        "正解率は偶然の水準になります（標準誤差の4倍以内）。",
    ),
    Sentence(
        demo="curse-of-dimensionality",
        english="The contrast of distances falls at every added dimension, to under a twentieth from d = 2 to d = "
        "1000, and kNN loses at least 20 points of accuracy to noise columns",
        japanese="距離のコントラストは次元を増やすたびに下がり、d = 2からd = 1000までに20分の1未満になります。"
        "kNNの正解率は、ノイズの列が加わると20ポイント以上下がります。",
    ),
    Sentence(
        demo="search",
        english="A* and uniform-cost search pay exactly the optimum in every maze, A* never visits more cells, and "
        "breadth-first takes the fewest steps in every maze but pays more in most",
        japanese="どの迷路でも、A*と一様コスト探索の経路のコストはちょうど最適で、"
        "A*が展開するセルは一様コスト探索より多くなりません。幅優先探索はどの迷路でも歩数が最小ですが、"
        "大半の迷路でコストが高くつきます。",
    ),
    Sentence(
        demo="bias-variance",
        english="bias² + variance + noise is the test error to 5 % at every degree; the test error is at least "
        "half as high again at degree 1 and at degree 15 as at its lowest, while the training error never "
        "rises",
        japanese="どの次数でも、バイアスの2乗、バリアンス、ノイズの和は、テスト誤差と5 %以内で一致します。"
        "次数1と次数15のテスト誤差は最小値の1.5倍以上ですが、訓練誤差は次数が上がっても一度も増えません。",
    ),
    Sentence(
        demo="regularisation",
        english="The lasso sets at least 70 % of the weights without effect to zero and at most 10 % of the real "
        "ones, ridge sets none to zero, and ridge beats least squares on test data",
        japanese="lassoは、効果のない特徴量の重みの70 %以上を0にし、本物の特徴量の重みは10 %までしか0にしません。"
        "ridgeは重みを一つも0にせず、テストデータで最小二乗法に勝ちます。",
    ),
    Sentence(
        demo="gradient-descent",
        english="At 1.99/λmax the loss falls to below 1/100, at 2.01/λmax it grows more than a hundredfold; the "
        "best rate shrinks the distance by (κ - 1)/(κ + 1) a step to 2 %; with noise a decaying rate ends "
        "below a constant one",
        japanese="学習率が1.99/λmaxなら損失は1/100未満に下がり、2.01/λmaxなら100倍を超えて増えます。"
        "最良の学習率では、最小点までの距離が1ステップごとに(κ - 1)/(κ + 1)倍になります（誤差2 %以内）。"
        "ノイズがあると、最後の損失は、学習率が一定のときより減衰させたときのほうが低くなります。",
    ),
    Sentence(
        demo="backpropagation",
        english="Backpropagation agrees with finite differences and with torch.autograd to a relative error below "
        "1e-6, for every operation and for a whole network",
        japanese="誤差逆伝播法の勾配は、どの演算についてもネットワーク全体についても、"
        "有限差分ともtorch.autogradとも相対誤差1e-6未満で一致します。",
    ),
    Sentence(
        demo="loss-functions",
        english="Started sure and wrong, the gradient of squared error is below 1 % of that of cross-entropy, "
        "cross-entropy needs at most a fifth of the steps, and it alone is convex on the way to the right "
        "weights",
        japanese="自信満々で間違った状態から始めると、二乗誤差の勾配は交差エントロピーの勾配の1 %未満です。"
        "交差エントロピーが必要とするステップ数は5分の1以下で、"
        "正しい重みに至る道筋で凸なのも交差エントロピーだけです。",
    ),
    Sentence(
        demo="imbalanced-metrics",
        english='"Always no" is 99 % right and finds nobody; the AUC by ranks is the area under the curve to 1e-9; '
        "at 80 % recall fewer than half of the alarms are right with an AUC above 0.85; the threshold from "
        "the costs beats 0.5",
        japanese="「常にいいえ」は正解率が99 %なのに、一人も見つけません。順位から求めたAUCは、"
        "曲線下の面積と1e-9の精度で一致します。AUCが0.85を超えていても、再現率80 %では、"
        "警報のうち正しいものは半分未満です。しきい値をコストから決めると、"
        "0.5とするよりコストが下がります。",
    ),
    Sentence(
        demo="cross-validation",
        english="On labels that are coin flips, features selected on all rows look at least 70 % accurate in "
        "cross-validation; selected inside each fold they are within 4 standard errors of 50 %",
        japanese="ラベルがコイン投げでも、すべての行を使って特徴量を選ぶと、交差検証の正解率は70 %以上に見えます。"
        "各フォールドの中で選ぶと、正解率は50 %から標準誤差の4倍以内に収まります。",
    ),
    Sentence(
        demo="ensembles",
        english="The vote of a forest errs less on test rows than a single tree, the variance of averages is ρσ² + "
        "(1 - ρ)σ²/B to 20 %, and AdaBoost's training error reaches 0 on every training set",
        japanese="テストの行では、フォレストの多数決は一本の木より誤りが少なくなります。B本の木の平均の分散は、"
        "20 %以内の誤差でρσ² + (1 - ρ)σ²/Bに等しくなります。AdaBoostの訓練誤差はどの訓練データでも0に達しま"
        "す。",
    ),
    Sentence(
        demo="clustering-pca",
        english="The inertia of k-means never rises, starts of k-means++ end lower than random ones on average "
        "over k, and the error of PCA is the sum of the discarded eigenvalues to 1e-8 for every number of "
        "components",
        japanese="k-meansの慣性は一度も増えません。k-means++で始めると、最終的な慣性は、kについて平均して、"
        "ランダムに始めたときより低くなります。PCAの誤差は、成分数がいくつでも、"
        "捨てた固有値の和と1e-8の精度で一致します。",
    ),
    Sentence(
        demo="bayesian-networks",
        english="Likelihood weighting and Gibbs sampling are within 4 standard errors of enumeration on both "
        "questions, and all three find rain less likely once the sprinkler is known to have run",
        japanese="どちらの問いでも、尤度重み付けとギブスサンプリングの答えは、"
        "列挙による答えから標準誤差の4倍以内にあります。三つの方法のどれでも、"
        "スプリンクラーが動いていたとわかると雨の確率は下がります。",
    ),
    Sentence(
        demo="explainability-fairness",
        english="Shapley values add up to f(x) - E[f] to 1e-9, income is the most important feature, and the "
        "postcode gives the group away (AUC above 0.75, without it within 0.05 of chance) and most of the "
        "gap in approvals with it",
        japanese="シャープレイ値の和はf(x) - E[f]と1e-9の精度で一致し、最も重要な特徴量は収入です。"
        "郵便番号はグループを明かし（AUCは0.75を超え、郵便番号を除くと偶然の水準との差は0.05未満）、"
        "承認率の差も大半は郵便番号から生じます。",
    ),
)
