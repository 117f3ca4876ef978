"""What the demos of the intermediate questions, 18 to 34, claim, and the same in Japanese."""

from learn_llm.demos.entry import Sentence

CLAIMS = (
    Sentence(
        demo="cnn-vs-mlp",
        english="On places never trained on the CNN beats the MLP by at least 15 points with at most a fifth of "
        "its parameters, and its feature maps of a shifted image are the shifted feature maps (to 1e-5)",
        japanese="訓練で形を置かなかった場所では、CNNはMLPの5分の1以下のパラメータで、"
        "MLPより正解率が15ポイント以上高くなります。画像をずらすと、"
        "CNNの特徴マップも同じだけずれます（1e-5の精度）。",
    ),
    Sentence(
        demo="vanishing-gradients",
        english="Back in time the log-norm of the linear recurrence's gradient has the slope log ρ, within 10 %, "
        "both where it vanishes and where it explodes, and after 50 steps the LSTM keeps at least 100 "
        "times more than it does where it vanishes",
        japanese="時間をさかのぼると、線形の再帰の勾配の対数ノルムは、消失する場合も爆発する場合も、"
        "傾きlog ρで変化します（誤差10 %以内）。50ステップさかのぼったとき、LSTMに残る勾配は、"
        "勾配が消失する線形の再帰の100倍以上です。",
    ),
    Sentence(
        demo="optimisers",
        english="Momentum takes at most a third of the steps of gradient descent; Adam's first step has the size "
        "of the learning rate, within 1 %, for gradients from 1e-4 to 1e4, until at |g| = ε it is 0.5 of "
        "it with PyTorch's ε, 0.03 with TensorFlow's",
        japanese="モメンタムのステップ数は、勾配降下法の3分の1以下です。Adamの最初の一歩の大きさは、"
        "勾配が1e-4から1e4までのどの大きさでも、1 %以内の誤差で学習率に等しくなります。"
        "勾配が|g| = εまで小さくなると、PyTorchのεでは学習率の0.5倍、TensorFlowのεでは0.03倍です。",
    ),
    Sentence(
        demo="normalisation",
        english="Over {layers} layers the variance grows more than 100-fold without a norm and at most "
        "{bound}-fold with pre-norm; RMSNorm is layer norm where the mean is 0, and not elsewhere; only "
        "batch norm makes an example depend on the others of its batch",
        japanese="{layers}層を通ると、分散は、正規化がなければ100倍を超えて増え、"
        "pre-normなら{bound}倍以下に収まります。RMSNormは、平均が0のときはレイヤー正規化と一致し、"
        "そうでなければ一致しません。一つの例の出力が同じバッチのほかの例に左右されるのは、"
        "バッチ正規化だけです。",
    ),
    Sentence(
        demo="q-learning",
        english="In every reachable state the greedy action of the learned Q is among the optimal actions by value "
        "iteration",
        japanese="到達できるすべての状態で、学習したQの貪欲な行動は、価値反復による最適行動の一つです。",
    ),
    Sentence(
        demo="bandits",
        english="The regret of UCB1 and of Thompson sampling grows sub-linearly (exponent below 0.6), that of "
        "ε-greedy with a fixed ε nearly linearly (exponent above 0.8)",
        japanese="UCB1とThompsonサンプリングのリグレットの増え方は劣線形で（指数0.6未満）、"
        "εを固定したε-greedyではほぼ線形です（指数0.8超）。",
    ),
    Sentence(
        demo="policy-gradient",
        english="The mean of REINFORCE lies within 4 standard errors of the exact gradient with and without a "
        "baseline, and either baseline cuts its variance at least by half",
        japanese="REINFORCEの平均は、ベースラインがあってもなくても、正確な勾配から標準誤差の4倍以内にあります。"
        "どちらのベースラインも、分散を半分以下に抑えます。",
    ),
    Sentence(
        demo="generative-vs-discriminative",
        english="With 40 examples naive Bayes beats logistic regression in both worlds (by more than 4 standard "
        "errors); with 2000 it ties within 1 point where its assumption is true and loses by at least 2 "
        "points where it is false",
        japanese="40例では、どちらの世界でもナイーブベイズがロジスティック回帰に勝ちます（差は標準誤差の4倍超）。"
        "2000例では、仮定が正しい世界では1ポイント以内の差で並び、"
        "仮定が誤っている世界では2ポイント以上の差で負けます。",
    ),
    Sentence(
        demo="transfer-learning",
        english="At every step count the tuned base has a lower loss on the dialect than a new model of its size, "
        "and in the end its loss on the old text has risen",
        japanese="チューニングしたベースモデルは、どのステップ数でも、"
        "方言での損失が同じ大きさの新しいモデルより低くなります。その一方で、元の言葉での損失は、"
        "最後には上がっています。",
    ),
    Sentence(
        demo="tokenisation",
        english="Decoding the encoding gives back any bytes exactly, and tokens per byte never rises with the "
        "number of merges",
        japanese="どんなバイト列も、符号化して復号すれば正確に元へ戻ります。1バイトあたりのトークン数は、"
        "マージの数を増やしても決して増えません。",
    ),
    Sentence(
        demo="embeddings",
        english="PPMI and SVD solve at least 80 % of the analogies planted in the corpus, and at most 10 % after "
        "its words are shuffled",
        japanese="PPMIとSVDは、コーパスに仕込んだアナロジーの80 %以上を解きます。コーパスの単語をシャッフルすると、"
        "解けるのは10 %以下です。",
    ),
    Sentence(
        demo="attention",
        english="One attention head looks values up with at least 99 % accuracy where mean pooling stays at "
        "chance, and without the division by √d the entropy of the weights collapses below a tenth of its "
        "maximum at d = 1024",
        japanese="アテンションのヘッド一つで、値を99 %以上の正解率で検索できますが、"
        "平均プーリングは偶然の水準にとどまります。√dで割らないと、d = 1024では、"
        "重みのエントロピーが最大値の10分の1未満につぶれます。",
    ),
    Sentence(
        demo="transformer-masks-positions",
        english="Editing a future token changes past logits by less than 1e-6; RoPE's scores depend only on the "
        "offset (to 1e-5); one layer without mask and positions stays at chance in the order task (4 "
        "standard errors), where one with RoPE, and two with the mask alone, are right at least 90 % of "
        "the time",
        japanese="未来のトークンを書き換えても、過去のロジットの変化は1e-6未満です。"
        "RoPEのスコアは相対距離だけで決まります（1e-5の精度）。順序のタスクでは、"
        "マスクも位置もない1層は偶然の水準のままですが（標準誤差の4倍以内）、RoPEのある1層と、"
        "マスクだけの2層は、90 %以上正解します。",
    ),
    Sentence(
        demo="perplexity",
        english="The GPT's held-out loss is not below the entropy rate of the source (3 standard errors allowed), "
        "and it is below the loss of the best bigram model (by more than 3 standard errors)",
        japanese="GPTのホールドアウト損失は、情報源のエントロピーレートを下回らず（標準誤差の3倍までは許容）、"
        "最良のバイグラムモデルの損失を下回ります（差は標準誤差の3倍超）。",
    ),
    Sentence(
        demo="decoding",
        english="Entropy rises with the temperature, and from the coldest to the hottest diversity rises and "
        "quality falls; top-p never leaves the nucleus, the smallest set that reaches p; beam search finds "
        "texts at least as probable as greedy ones, some more so",
        japanese="温度とともにエントロピーは上がり、最低の温度から最高の温度にかけて、多様性は上がり、"
        "品質は下がります。top-pは、確率の和がpに達する最小の集合（核）の外に出ません。"
        "ビームサーチが見つけるテキストの確率は、貪欲法のテキスト以上で、上回るものもあります。",
    ),
    Sentence(
        demo="kv-cache",
        english="The logits are the same with the cache and without (differences below 1e-5 of the largest logit), "
        "and from length 32 to 512 the time per token grows at most 2 times with the cache, at least 4 "
        "times without",
        japanese="キャッシュがあってもなくても、ロジットは同じです（差は最大のロジットの1e-5未満）。"
        "長さが32から512になると、1トークンあたりの時間は、キャッシュがあれば2倍以下、"
        "なければ4倍以上になります。",
    ),
    Sentence(
        demo="scaling-laws",
        english="A power law with a floor, fitted on N = 8 to 128, has R² > 0.95 in log-log axes and predicts the "
        "loss at N = 256 within 10 %; without a floor it is further off",
        japanese="N = 8から128までに当てはめた下限付きのべき乗則は、両対数でR² > 0.95となり、"
        "N = 256での損失を10 %以内の誤差で予測します。下限がないと、予測はそれより外れます。",
    ),
)
