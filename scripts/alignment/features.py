"""Acoustic features: MFCC as Kaldi makes them, less the speaker's mean, with their two derivatives.

`snip_edges` is off, so frame t is centred on (t + 1/2) hops and stands for the time from t to t + 1
hops: frame boundaries are times without an offset (tests/alignment measure that no bias remains).
Every option that kaldi-native-fbank sets differently from Kaldi (dither, energy floor, mel norm ...) is
set here; nothing is left to a default.
"""

from collections import defaultdict
from collections.abc import Iterable

import kaldi_native_fbank as knf
import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut, speaker
from scripts.common.frames import SAMPLE_RATE

MEAN_SECONDS = 60.0  # speech per speaker and file that a mean is taken over

DELTA_WINDOW = 2  # frames on each side of a derivative, Kaldi's default


def mfcc_options(frame_shift_ms: float) -> knf.MfccOptions:
    """Kaldi's MFCC options at 16 kHz (its defaults, but without dither, which would need a seed)."""
    options = knf.MfccOptions()
    frame = options.frame_opts
    frame.samp_freq = SAMPLE_RATE
    frame.frame_shift_ms = frame_shift_ms
    frame.frame_length_ms = 25.0
    frame.dither = 0.0
    frame.preemph_coeff = 0.97
    frame.remove_dc_offset = True
    frame.window_type = "povey"
    frame.round_to_power_of_two = True
    frame.snip_edges = False
    mel = options.mel_opts
    mel.num_bins = 23
    mel.low_freq = 20.0
    mel.high_freq = 0.0
    mel.htk_mode = False
    mel.is_librosa = False
    mel.norm = ""
    options.num_ceps = 13
    options.use_energy = False
    options.energy_floor = 0.0
    options.raw_energy = True
    options.cepstral_lifter = 22.0
    options.htk_compat = False
    return options


def mfcc(wave: np.ndarray, frame_shift_ms: float) -> np.ndarray:
    """float32 [frames, 13] of a 16 kHz float waveform; frames = samples / hop, rounded."""
    computer = knf.OnlineMfcc(mfcc_options(frame_shift_ms))
    # Kaldi's features are of 16-bit integers; the scale only moves the first coefficient.
    computer.accept_waveform(SAMPLE_RATE, wave * 32768.0)
    computer.input_finished()
    frames = [computer.get_frame(t) for t in range(computer.num_frames_ready)]
    return np.array(frames, dtype=np.float32).reshape(len(frames), 13)


def add_deltas(static: np.ndarray) -> np.ndarray:
    """[T, D] -> [T, 3 D]: values, slopes and slopes of slopes, edges repeated.

    The slope is the least-squares line through 2 * DELTA_WINDOW + 1 frames (Kaldi's add-deltas, HTK's
    equation 5.16).
    """
    if not len(static):
        return np.zeros((0, 3 * static.shape[1]), np.float32)

    def slope(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, ((DELTA_WINDOW, DELTA_WINDOW), (0, 0)), mode="edge")
        frames = len(values)
        total = np.zeros_like(values)
        for lag in range(1, DELTA_WINDOW + 1):
            after, before = padded[DELTA_WINDOW + lag :][:frames], padded[DELTA_WINDOW - lag :][:frames]
            total += lag * (after - before)
        return total / np.float32(2 * sum(lag**2 for lag in range(1, DELTA_WINDOW + 1)))

    first = slope(static)
    return np.concatenate([static, first, slope(first)], axis=1)


def speaker_means(
    cuts: Iterable[Cut], root: str, frame_shift_ms: float, kept: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Mean MFCC, float32 [13], over the first MEAN_SECONDS of every speaker's cuts.

    Of the speaker and not of the utterance: the mean of a word spoken alone says which phones it has,
    and taking it away made every second such word look unlike its own phones. Audio that cannot be read
    is passed over here; aligning the cut reports it. Memory: one vector per speaker.

    Args:
        cuts: of any number of speakers.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.
        kept: takes the MFCC [T, 13] that were computed, by cut id.
    """
    sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(14))
    seconds: dict[str, float] = defaultdict(float)
    for cut in cuts:
        name = speaker(cut)
        if seconds[name] >= MEAN_SECONDS:
            continue
        try:
            frames = mfcc(audio.read(cut, root), frame_shift_ms)
        except audio.AudioError:
            continue
        if kept is not None:
            kept[cut["id"]] = frames
        seconds[name] += cut["duration"]
        sums[name][:13] += frames.sum(axis=0, dtype=np.float64)
        sums[name][13] += len(frames)
    return {name: (total[:13] / max(total[13], 1.0)).astype(np.float32) for name, total in sums.items()}


class Observations:
    """Features of cuts, less their speaker's mean; no waveform is read twice.

    What the means were taken over is kept until it is asked for: at most MEAN_SECONDS and one cut per speaker,
    312 kB a minute.

    Args:
        cuts: all that will be asked for.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.
    """

    def __init__(self, cuts: Iterable[Cut], root: str, frame_shift_ms: float):
        self.root, self.frame_shift_ms = root, frame_shift_ms
        self.static: dict[str, np.ndarray] = {}
        self.means = speaker_means(cuts, root, frame_shift_ms, self.static)

    def __call__(self, cut: Cut) -> np.ndarray:
        """float32 [frames, 39] of a cut, once; AudioError if its audio cannot be used."""
        static = self.static.pop(cut["id"], None)
        if static is None:
            static = mfcc(audio.read(cut, self.root), self.frame_shift_ms)
        return np.ascontiguousarray(add_deltas(static - self.means[speaker(cut)]))
