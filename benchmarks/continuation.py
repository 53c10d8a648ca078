"""Sampling speed of batched continuations against transformers' one-at-a-time `generate`, same model and prompts.

Run `python -m benchmarks.continuation` from the repository root; tokens per second of processor time, one thread.
"""

import time

import numpy as np
import torch
import yaml
from transformers import GenerationConfig

from scripts.common import cpu
from scripts.common.config import part_json
from scripts.continuation.token_sampling import Request, continue_all
from scripts.lm.config import LMConfig, parse_config
from scripts.lm.model.llama import build_model

VOCABULARY, PROMPT, SAMPLES, ALONE = 103, 100, 60, 4
NEVER = 10**9  # nothing ends, so that both say as many tokens


def main() -> None:
    cpu.prepare(1)
    with open("config.yaml", encoding="utf-8") as file:
        config = yaml.safe_load(file)
    lm, asked = parse_config(part_json(config["lm"], LMConfig)), config["continuation"]
    model = build_model(lm.model, VOCABULARY, 1, 2, 0).eval()
    model.set_attn_implementation("sdpa")
    model.get_output_embeddings().weight.data[2] = 0.0
    rng = np.random.default_rng(0)
    print(f"{'tokens':>8}{'batched':>10}{'one at a time':>16}{'ratio':>8}")
    for limit in (50, 300):
        requests = [
            Request(np.concatenate([[1], rng.integers(3, VOCABULARY, PROMPT)]), limit, rng.random(limit))
            for _ in range(SAMPLES)
        ]
        began = time.process_time()
        said = sum(len(t) for _, t, _ in continue_all(model, requests, asked["batch"], 1.0, asked["top_p"]))
        ours = said / (time.process_time() - began)
        options = GenerationConfig(
            do_sample=True, top_p=asked["top_p"], max_new_tokens=limit, eos_token_id=NEVER, pad_token_id=0
        )
        began, said = time.process_time(), 0
        for request in requests[:ALONE]:
            ids = torch.tensor(request.prompt)[None]
            said += model.generate(ids, generation_config=options).shape[1] - ids.shape[1]
        theirs = said / (time.process_time() - began)
        print(f"{limit:>8}{ours:>10,.0f}{theirs:>16,.0f}{ours / theirs:>8.1f}")


if __name__ == "__main__":
    main()
