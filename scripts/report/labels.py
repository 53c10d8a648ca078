"""Labels of modalities, tasks and columns in tables and figures.

A label follows from the name by a rule with a few exceptions, so a new modality or task needs no entry here.
"""

IRREGULAR_NAMES = {"swuggy": "sWUGGY", "sblimp": "sBLIMP", "topic-storycloze": "Topic-SC", "dev": "dev"}
# Values of evaluation.score_normalization.
NORMALIZATION_LABELS = {
    "total": "total log-probability",
    "per_token": "log-probability per token",
    "per_second": "log-probability per second of speech",
}
# With those that summary.csv and the table of decisions hold besides.
ALL_NORMALIZATION_LABELS = {
    **NORMALIZATION_LABELS,
    **{f"{name}_no_eos": f"{label}, EOS left out" for name, label in NORMALIZATION_LABELS.items()},
}
ACRONYMS = {
    "bpe": "BPE",
    "blimp": "BLiMP",
    "hubert": "HuBERT",
    "mfcc": "MFCC",
    "lm": "LM",
    "asr": "ASR",
    "pnmi": "PNMI",
}


def display_name(name: str) -> str:
    """`text-bpe` -> `Text-BPE`, `swuggy` -> `sWUGGY`, `my-units` -> `My-Units`."""
    if name in IRREGULAR_NAMES:
        return IRREGULAR_NAMES[name]
    return "-".join(ACRONYMS.get(word.lower(), word[:1].upper() + word[1:]) for word in name.split("-"))


def column_words(name: str) -> str:
    """A column's name as words: `bits_per_second` -> `bits per second`, `speaker_pnmi` -> `speaker PNMI`."""
    return " ".join(ACRONYMS.get(word, word) for word in name.split("_"))
