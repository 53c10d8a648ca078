"""How the names of the config are written where people read them.

A rule with a few irregular words, so that a stranger's modality or task needs no line here.
"""

WHOLE = {"swuggy": "sWUGGY", "sblimp": "sBLIMP", "topic-storycloze": "Topic-SC", "dev": "dev"}
# evaluation.score_normalization
WAYS = {
    "total": "total log-probability",
    "per_token": "log-probability per token",
    "per_second": "log-probability per second of speech",
}
WORDS = {"bpe": "BPE", "blimp": "BLiMP", "hubert": "HuBERT", "mfcc": "MFCC", "lm": "LM", "asr": "ASR", "pnmi": "PNMI"}


def display(name: str) -> str:
    """`text-bpe` -> `Text-BPE`, `swuggy` -> `sWUGGY`, `my-units` -> `My-Units`."""
    if name in WHOLE:
        return WHOLE[name]
    return "-".join(WORDS.get(word.lower(), word[:1].upper() + word[1:]) for word in name.split("-"))


def spaced(name: str) -> str:
    """A column's name as words: `bits_per_second` -> `bits per second`, `speaker_pnmi` -> `speaker PNMI`."""
    return " ".join(WORDS.get(word, word) for word in name.split("_"))
