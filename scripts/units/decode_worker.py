"""Decode, normalise and pad batches of audio in a process of its own.

Notable: it imports numpy and soundfile but neither torch nor transformers, so it starts in a fraction of a second.
A worker of multiprocessing would import the main module of the step, and torch with it.

Each request on stdin is a line of JSON {"root": folder, "normalise": bool, "cuts": [...]}. The answer on stdout is a
line {"lengths": [N_1, ..., N_B]} followed by float32 [B, max N_b], or a line {"error": message, "reason": word} where
audio cannot be used; the reason is null where its file cannot be reached.
"""

import json
import os
import sys

from scripts.common import audio
from scripts.units.waveforms import normalise, pad


def main() -> None:
    """Answer requests until stdin ends."""
    # Answers go to what stdout was; what libraries print must not come between them.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            waves = [audio.read(cut, request["root"]) for cut in request["cuts"]]
        except (audio.AudioError, audio.UnreachableError) as error:
            answer = {"error": str(error), "reason": getattr(error, "reason", None)}
            answers.write((json.dumps(answer) + "\n").encode())
        else:
            if request["normalise"]:
                waves = [normalise(wave) for wave in waves]
            answers.write((json.dumps({"lengths": [len(wave) for wave in waves]}) + "\n").encode())
            answers.write(pad(waves).data)
        answers.flush()


if __name__ == "__main__":
    main()
