"""Load trained models, and build untrained ones of the same shape."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from scripts.common.weights import check_complete

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def default_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_model(
    folder: str | Path, *, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
) -> PreTrainedModel:
    """The model in a folder that `save_pretrained` wrote, in evaluation mode.

    The dtype is given to the loader because `model.to(dtype)` would also cast buffers: rotary frequencies rounded to
    bf16 turn the query at a distance of 1,000 tokens by 0.4 rad too far or too little.

    Args:
        folder: AutoModelForCausalLM folder.
        dtype: of the parameters; buffers keep theirs.
        device: `default_device()` where it is None.

    Raises:
        FileNotFoundError: the folder holds no config.json.
        ValueError: its files cannot be read, or do not fill the model that config.json describes.
    """
    if not Path(folder, "config.json").exists():
        raise FileNotFoundError(f"{folder}: holds no config.json; expected a folder that save_pretrained wrote")
    logging.disable_progress_bar()
    try:
        model, loading = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except (SafetensorError, OSError, ValueError) as error:
        what = "weights" if isinstance(error, SafetensorError) else "model"
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: the {what} cannot be read ({reason}); train the model again") from None
    check_complete(f"{folder}", loading)
    return model.eval().to(device or default_device())


def untrained_model(
    folder: str | Path, seed: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
) -> PreTrainedModel:
    """A model of the same configuration as that of the folder, with random weights, in evaluation mode.

    The weights are drawn on the CPU in float32 and rounded to `dtype`, so a seed gives the same model everywhere.
    """
    torch.manual_seed(seed)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    return model.eval().to(device or default_device())
