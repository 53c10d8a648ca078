"""AdamW over a model's parameters."""

import torch
from transformers import LlamaForCausalLM

from scripts.lm.config import TrainingConfig


def build_optimizer(model: LlamaForCausalLM, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on the linear layers' matrices only, not on embeddings and norms."""
    decayed = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed_tokens" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() != 2 or "embed_tokens" in name]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)
