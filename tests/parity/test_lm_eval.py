"""A text model's pair scores equal those of EleutherAI's evaluation harness on the exported folder.

The harness is no part of the environment (it brings many packages): `pip install --group parity` adds it, and
without it this test is skipped with that reason.
"""

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from scripts.common.files import write_jsonl
from scripts.evaluation.logprobs import score
from scripts.lm.model.load import load_model
from scripts.tokens import tokenizer
from tests.factories.cuts import TEXTS, spoken_cut
from tests.factories.models import tiny_llama
from tests.tokens.conftest import modality

PAIRS = [
    ("The dogs sat.", "The dogs sit the."),
    ("She said: the cat sat on the mat.", "She said: the cats sat on a mats."),
    ("A dog ran.", "A dogs ran."),
]


def test_blimp_style_scores_equal_the_harness(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval", reason="lm_eval is not installed; pip install --group parity")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    folder = tmp_path / "model"
    folder.mkdir()
    write_jsonl(tmp_path / "cuts.jsonl.gz", [spoken_cut(str(i), text) for i, text in enumerate(TEXTS)])
    tokenizer.build([str(tmp_path / "cuts.jsonl.gz")], [], None, modality("text-bpe"), folder)
    own = AutoTokenizer.from_pretrained(folder)
    tokens = {"bos_token_id": own.bos_token_id, "eos_token_id": own.eos_token_id}
    tiny_llama(len(own), context=256, **tokens).save_pretrained(folder)

    texts = [text for pair in PAIRS for text in pair]
    sequences = {
        text: np.array([own.bos_token_id, *own(text, add_special_tokens=False).input_ids, own.eos_token_id])
        for text in texts
    }
    ours = score(load_model(folder), sequences, 512, "text")

    harness = HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=1, add_bos_token=False)
    # An empty context is BOS to the harness; the end token it takes as part of the text.
    requests = [Instance("loglikelihood", {}, ("", text + own.eos_token), 0) for text in texts]
    theirs = [logprob for logprob, _ in harness.loglikelihood(requests)]
    for text, logprob in zip(texts, theirs, strict=True):
        assert ours[text] == pytest.approx(logprob, abs=1e-4)
