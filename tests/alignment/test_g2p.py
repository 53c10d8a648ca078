"""Grapheme-to-phoneme conversion of held-out words."""

from scripts.alignment.g2p import G2pModel, cmudict_pronunciations
from scripts.alignment.lexicon import base


def edits(a, b):
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def test_held_out_phone_error_rate(tmp_path):
    lexicon = cmudict_pronunciations()
    words = sorted(word for word in lexicon if word.isalpha())
    held_out = words[::400]
    g2p = G2pModel.train({word: lexicon[word] for word in words[1::10] if word not in set(held_out)})
    errors = total = 0
    for word in held_out:
        guess = [base(phone) for phone in g2p(word) or ()]
        distance, length = min((edits(guess, [base(p) for p in known]), len(known)) for known in lexicon[word])
        errors += distance
        total += length
    print(f"phone error rate without stress on {len(held_out)} words: {errors / total:.3f}")
    assert errors / total < 0.16  # a tenth of CMUdict; the whole does better

    g2p.save(tmp_path)
    loaded = G2pModel.load(tmp_path)
    assert all(loaded(word) == g2p(word) for word in held_out[:30])
    assert loaded("CAFÉ") is None
