"""What the demos of the advanced questions, 35 to 50, claim, and the same in Japanese."""

from learn_llm.demos.entry import Sentence

CLAIMS = (
    Sentence(
        demo="ways-of-training",
        english="Prompting answers at least half of what asked plainly gets at most a tenth of; with equal "
        "examples LoRA, under 5 % of the numbers, comes within 10 points of full fine-tuning; prompt "
        "tuning, under 1 %, lies between",
        japanese="そのまま尋ねると1割以下しか正解できない質問に、プロンプティングなら半分以上正解します。"
        "同じ例で学習すると、訓練するパラメータが5 %未満のLoRAは、"
        "フルファインチューニングに10ポイント以内の差まで迫ります。1 %未満のプロンプトチューニングは、"
        "そのまま尋ねる場合とLoRAの間に入ります。",
    ),
    Sentence(
        demo="sft",
        english="SFT teaches a chat format that the base never saw: exact answers rise from at most 10 % to at "
        "least 90 %; and no gradient reaches the logits that predict prompt tokens",
        japanese="ベースモデルは、見たことのないチャット形式をSFTで覚えます。"
        "完全一致は10 %以下から90 %以上に上がり、プロンプトのトークンを予測するロジットには勾配がまったく届"
        "きません。",
    ),
    Sentence(
        demo="in-context-learning",
        english="On the second reading of a random list the loss is at most a third of that on the first, and "
        "lower than with the same words in another order: the base reads its context, and copies",
        japanese="ランダムなリストを読む2回目の損失は、1回目の3分の1以下で、"
        "同じ単語を別の順序で読むときより低くなります。ベースモデルは文脈を読み、そこから写しているのです。",
    ),
    Sentence(
        demo="icil",
        english="On held-out tasks the prefix raises valid answers and exact matches over zero-shot; random words "
        "for its inputs cost at most 30 % of the gain, leaving its answers out at least 70 %",
        japanese="ホールドアウトのタスクで、プレフィックスは有効な答えと完全一致をゼロショットより増やします。"
        "プレフィックスの入力をランダムな単語に変えても、失われる向上は30 %以下ですが、"
        "解答を除くと70 %以上が失われます。",
    ),
    Sentence(
        demo="lora",
        english="LoRA with under 5 % of the parameters reaches at least 95 % of what full fine-tuning gains; at "
        "the start it changes nothing, and merged it says the same",
        japanese="パラメータの5 %未満を訓練するLoRAが、フルファインチューニングによる向上の95 %以上に達します。"
        "訓練前のLoRAは出力をまったく変えず、重みに統合しても出力は同じです。",
    ),
    Sentence(
        demo="adapters-prompt-tuning",
        english="{most} trained soft tokens raise the gold score of a frozen model by at least 0.1, more than "
        "{fewest} does",
        japanese="訓練した{most}個のソフトトークンは、凍結したモデルのゴールドスコアを0.1以上上げ、"
        "その上げ幅は{fewest}個のときより大きくなります。",
    ),
    Sentence(
        demo="adapters-prompt-tuning",
        english="{most} trained soft tokens raise the gold score of a frozen model by at least 0.1",
        japanese="訓練した{most}個のソフトトークンは、凍結したモデルのゴールドスコアを0.1以上上げます。",
    ),
    Sentence(
        demo="quantisation",
        english="Absmax rounds by at most half a step; on Gaussian weights NF4 has a smaller squared error than "
        "int4; and LoRA on a frozen base of {bits} bits closes at least half of the gap in loss that they "
        "opened",
        japanese="absmaxの丸め誤差は半ステップ以下です。ガウス分布の重みでは、"
        "NF4の二乗誤差はint4より小さくなります。{bits}ビットの凍結したベースの上でLoRAを訓練すると、"
        "量子化で開いた損失の差の半分以上が埋まります。",
    ),
    Sentence(
        demo="reward-model",
        english="The bundled reward model goes at least 85 % of the way from chance to the best accuracy that the "
        "annotators' noise allows, and a constant added to all scores leaves the loss as it is",
        japanese="同梱の報酬モデルの正解率は、偶然の水準から、アノテーターのノイズが許す上限までの、"
        "85 %以上のところに達します。すべての点数に定数を足しても、損失は変わりません。",
    ),
    Sentence(
        demo="ppo",
        english="PPO raises the gold score over SFT near its start: the ratio is 1 before each round's first "
        "update, and the value head explains part of the returns, at no more than 6 nats of KL",
        japanese="PPOは、開始点の近くにとどまりながら、ゴールドスコアをSFTより上げます。"
        "各回の最初の更新の前は確率比が1で、価値ヘッドはリターンの一部を説明し、KLは6 natを超えません。",
    ),
    Sentence(
        demo="why-rl",
        english="One word reverses an answer: the gold score puts it below a harmless change of a word in every "
        "pair, mean token cross-entropy in fewer than 75%. From the same start, own samples that a reward "
        "model has scored gain more gold than as many of people's demonstrations, with PPO and with "
        "cross-entropy on the best of them",
        japanese="1語変えるだけで、答えは逆の意味になります。ゴールドスコアは、すべてのペアで、"
        "逆の意味になった答えを、1語を変えても意味の変わらない答えより下に置きます。"
        "トークン平均の交差エントロピーがそうするのは75 %未満のペアです。同じ開始点から、"
        "モデル自身のサンプルを報酬モデルで採点して学ぶと、"
        "同じ数の人のデモンストレーションで学ぶよりゴールドスコアが大きく上がります。PPOでも、"
        "最良のサンプルだけを使う交差エントロピーでも同じです。",
    ),
    Sentence(
        demo="chain-of-hindsight",
        english="Prompt and feedback get no gradient, and on unseen prompts CoH answers better when asked for a "
        "good answer than when asked for a bad one, by at least 0.02 in gold",
        japanese="プロンプトとフィードバックには勾配が届きません。未見のプロンプトで、CoHは、"
        "良い答えを求められると、悪い答えを求められたときより良い答えを返し、"
        "その差はゴールドスコアで0.02以上です。",
    ),
    Sentence(
        demo="over-optimisation",
        english="A proxy that saw {pairs} comparisons rises throughout as the best of ever more is chosen by it, "
        "while gold peaks and falls by n = {samples}; d·(α - β·d), fitted to n ≤ {fitted}, foresees it",
        japanese="{pairs}件の比較から学んだ代理で、より多くのサンプルから最良のものを選んでいくと、"
        "代理の点数は最後まで上がります。一方、ゴールドスコアは途中で頂点に達し、"
        "n = {samples}までに下がります。n ≤ {fitted}に当てはめたd·(α - β·d)は、その下落を予測します。",
    ),
    Sentence(
        demo="kl-dpo",
        english="For β = 0.5, 1, 2 the policy gradient with a KL penalty, and DPO, which sees no reward, both "
        "arrive at π_ref·exp(r/β)/Z: total variation below 0.02",
        japanese="β = 0.5、1、2のどれでも、KLペナルティ付きの方策勾配と、報酬を見ないDPOは、"
        "どちらもπ_ref·exp(r/β)/Zに到達します（全変動距離は0.02未満）。",
    ),
    Sentence(
        demo="flask",
        english="Two models with the same mean score differ by at least a point on some skill; on hard questions "
        "correctness falls, and further than any skill of user alignment",
        japanese="平均点が同じ二つのモデルが、少なくとも一つのスキルで1点以上違います。"
        "難しい質問では正しさが下がり、その下げ幅は、利用者との整合のどのスキルよりも大きくなります。",
    ),
    Sentence(
        demo="self-instruct",
        english="The filters keep fewer, more distinct tasks than removing exact duplicates; SFT on them teaches "
        "the model to answer, and it is not behind SFT on as many raw ones",
        japanese="フィルタを通すと、完全な重複だけを除いたときより、タスクは少なくなり、互いの違いは大きくなります。"
        "残ったタスクでSFTを行うと、モデルは答えられるようになり、同じ数の生のタスクでのSFTに劣りません。",
    ),
    Sentence(
        demo="llama2",
        english="7B, 13B and 70B have exactly 6,738,415,616, 13,015,864,320 and 68,976,648,192 parameters; GQA "
        "cuts the KV cache of 70B to an eighth; and a block with the same parts learns: its loss falls "
        "below a tenth of guessing's",
        japanese="7B、13B、70Bのパラメータ数は、ちょうど6,738,415,616、13,015,864,320、68,976,648,192です。GQAは、"
        "70BのKVキャッシュを8分の1にします。同じ部品からなるブロックは学習し、"
        "その損失は当て推量の損失の10分の1未満に下がります。",
    ),
)
