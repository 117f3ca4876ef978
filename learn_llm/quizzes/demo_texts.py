"""The texts of a demo's parameters, of two runs side by side and of the last verdict, in English and Japanese."""

ENGLISH = {
    "parameters.title": "Parameters of the demo",
    "parameters.seed": "What is drawn at random.",
    "parameters.default": "default {value}",
    "parameters.range": "{low} to {high}",
    "parameters.wrong": "It must be a number in the range {range}.",
    "runs.now": "now",
    "runs.before": "before",
    "runs.defaults": "the defaults",
    "runs.compare": "Now: {now}. Drawn with it, before: {before}.",
    "card.ran": "Last run ({options}), {ago}:",
    "card.ran.heading": "What its demo said",
    "ago": "{interval} ago",
    "ago.soon": "just now",
    "key.parameters": "parameters",
}

JAPANESE = {
    "parameters.title": "デモのパラメータ",
    "parameters.seed": "乱数の種。",
    "parameters.default": "既定値 {value}",
    "parameters.range": "{low} から {high}",
    "parameters.wrong": "{range} の範囲の数を入力してください。",
    "runs.now": "今回",
    "runs.before": "前回",
    "runs.defaults": "既定値",
    "runs.compare": "今回: {now}。重ねた前回: {before}。",
    "card.ran": "前回の実行 ({options})、{ago}:",
    "card.ran.heading": "デモの判定",
    "ago": "{interval}前",
    "ago.soon": "たった今",
    "key.parameters": "パラメータ",
}
