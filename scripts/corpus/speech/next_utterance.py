"""Make the items of a next-utterance task from dev's own recordings: a context with its own or another continuation.

StoryCloze's question on real speech (cf. Topic-StoryCloze, Hassid et al. 2023, arXiv:2305.13009, section 4.2): the
positive side is a context and the utterance that follows it, the negative side the same context and an utterance of
another place. Context and continuation are joined sample by sample at 16 kHz; both sides begin with the same samples
(`shared_seconds` of the item).

The joint must not say which side is which. So every continuation, the true one too, gets the root mean square of the
context that it follows, as far as its peak allows, and both ends at a joint are faded.

An item is named after its true continuation. Its couple is dropped as a whole if the audio of one of its utterances
cannot be read (reason as in alignment/dropped.csv), or if two of its utterances pronounce a word in their own
`custom.pronunciations` differently (`pronunciations`).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from scripts.common.audio import AudioError, read
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, Item, book_text, pronunciations, sides, spoken_text, supervision, total_seconds
from scripts.common.files import atomic_directory, read_jsonl, write_csv, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.common.progress import Progress
from scripts.corpus.config import Limits
from scripts.corpus.drops import COLUMNS, DropError, dropped, examples_of
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.speech.chapters import segments
from scripts.corpus.speech.config import NextUtterance
from scripts.corpus.speech.mirrored_couples import Couple, left_out, possible_couples, sample_couples

FADE = 80  # samples (5 ms) at either side of a joint
LOUDEST = 0.99  # peak that a continuation is raised to at most


def joined(waves: Sequence[np.ndarray]) -> np.ndarray:
    """Waves in a row, float32 [sum of N], with both ends at every joint faded."""
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    faded = [wave.astype(np.float32, copy=True) for wave in waves]
    for before, after in pairwise(faded):
        size = min(FADE, len(before), len(after))
        before[-size:] *= ramp[::-1][-size:]
        after[:size] *= ramp[:size]
    return np.concatenate(faded)


def levelled(wave: np.ndarray, context: np.ndarray) -> np.ndarray:
    """A wave with the root mean square of its context, float32 [N], or less where its peak would exceed LOUDEST."""
    gain = float(np.sqrt(np.mean(np.square(context, dtype=np.float64)) / np.mean(np.square(wave, dtype=np.float64))))
    peak = float(np.abs(wave).max())
    return (wave * np.float32(min(gain, max(LOUDEST / peak, 1.0)))).astype(np.float32)


def side_wave(context: Sequence[np.ndarray], continuation: np.ndarray) -> np.ndarray:
    """The samples of a side, float32 [N]; the same at its start for every continuation of the context."""
    return joined([*context, levelled(continuation, np.concatenate(context))])


def own_pronunciations(cuts: Iterable[Cut]) -> dict[str, str]:
    """The utterances' own pronunciations; DropError if two of them differ on a word."""
    merged: dict[str, str] = {}
    for cut in cuts:
        for word, phones in pronunciations(cut).items():
            if merged.setdefault(word, phones) != phones:
                raise DropError("pronunciations", f"{cut['id']} pronounces {word} differently than an utterance before")
    return merged


def side_cut(name: str, cuts: Sequence[Cut], source: str, num_samples: int) -> Cut:
    """The cut of a whole file that holds these utterances.

    Args:
        name: its id.
        cuts: the utterances, whose texts it joins; its speaker is that of the first.
        source: path of the file below the audio root.
        num_samples: length of the file at 16 kHz.
    """
    seconds, recording = num_samples / SAMPLE_RATE, source.removesuffix(".flac")
    custom: dict[str, object] = {"texts": [" ".join(map(book_text, cuts)), " ".join(map(spoken_text, cuts))]}
    if own := own_pronunciations(cuts):
        custom["pronunciations"] = own
    first = supervision(cuts[0])
    span = {"start": 0.0, "duration": seconds, "channel": 0}
    return {
        "id": name,
        **span,
        "supervisions": [
            {
                "id": name,
                "recording_id": recording,
                **span,
                **{key: first[key] for key in ("language", "gender") if key in first},
                "speaker": first["speaker"],
                "custom": custom,
            }
        ],
        "recording": {
            "id": recording,
            "sources": [{"type": "file", "channels": [0], "source": source}],
            "sampling_rate": SAMPLE_RATE,
            "num_samples": num_samples,
            "duration": seconds,
            "channel_ids": [0],
        },
        "type": "MonoCut",
    }


def couple_items(couple: Couple, name: str, audio_root: Path, folder: Path, source: str) -> list[Item]:
    """The two items of a couple; writes the four sides.

    Args:
        couple: two segments.
        name: first part of the sound files' names.
        audio_root: folder of dev's recordings.
        folder: where the sound files are written.
        source: the same folder as the cuts name it.

    Raises:
        AudioError, DropError: there are none, with the reason; no file is written.
    """
    waves = {cut["id"]: read(cut, audio_root) for one in couple for cut in (*one.context, one.continuation)}
    items: list[Item] = []
    written: dict[str, np.ndarray] = {}
    for segment, other in (couple, couple[::-1]):
        context = [waves[cut["id"]] for cut in segment.context]
        item: Item = {
            "id": segment.id,
            "subset": "all",
            "group": couple.group,
            "couple": couple.name,
            "shared_seconds": sum(map(len, context)) / SAMPLE_RATE,
        }
        for side, continuation in (("positive", segment.continuation), ("negative", other.continuation)):
            file = f"{name}-{len(items)}-{side}.flac"
            written[file] = side_wave(context, waves[continuation["id"]])
            cuts = [*segment.context, continuation]
            item[side] = side_cut(f"{segment.id}-{side}", cuts, f"{source}/{file}", len(written[file]))
        items.append(item)
    for file, wave in written.items():
        _write(folder / file, wave)
    return items


def _write(path: Path, wave: np.ndarray) -> None:
    import soundfile

    soundfile.write(path, np.clip(wave, -1.0, 1.0 - 2.0**-15), SAMPLE_RATE, subtype="PCM_16")


def all_items(
    couples: Sequence[Couple], task: str, audio_root: Path, folder: Path, drops: list[dict[str, str]]
) -> Iterator[Item]:
    """The items of the couples; the items of those whose audio or words cannot be used are appended to `drops`."""
    progress = Progress(f"corpus/next_utterance {task}", len(couples), "couples")
    for done, couple in enumerate(couples, start=1):
        try:
            items = couple_items(couple, f"{done:06d}", audio_root, folder, f"tasks/{task}")
        except (AudioError, DropError) as error:
            drops += [dropped(segment.id, error.reason, str(error)) for segment in couple]
        else:
            yield from ({**item, "task": task} for item in items)
        progress.update(done)


def main() -> None:
    """Command line of rule corpus_next_utterance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=Path, nargs="+", required=True, help="all shards of dev")
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that their audio paths are relative to")
    parser.add_argument("--task", required=True, help="name of the task")
    parser.add_argument("--config", required=True, help="JSON: pairs, context, negative")
    parser.add_argument("--limits", required=True, help="JSON: lengths of sides, shares that may be dropped")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--audio", type=Path, required=True, help="folder to write the sides' sound into")
    parser.add_argument("--items", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    task = parse(NextUtterance, args.config, f"corpus.dev_tasks.{args.task}")
    limits = parse(Limits, args.limits, "corpus")

    cuts = [cut for path in args.cuts for cut in read_jsonl(path)]
    found, alone = segments(cuts, task.context)
    possible = possible_couples(found, task.negative, limits)
    chosen = sample_couples(possible, task, args.task, args.seed, len(found))
    drops: list[dict[str, str]] = []
    with atomic_directory(args.audio) as aside:
        items = list(all_items(chosen, args.task, args.audio_root, aside, drops))
        if not items:
            raise ValueError(
                f"corpus.dev_tasks.{args.task}: no item is left ({len(drops)} dropped, e.g. {drops[0]['id']}:"
                f" {drops[0]['detail']})"
            )
        counts = Counter(row["reason"] for row in drops)
        label = f"corpus/next_utterance {args.task}"
        hold_to_limits(label, counts, len(items), limits, examples_of(drops), "items")
    write_csv(args.dropped, COLUMNS, drops)
    write_jsonl(args.items, items)
    groups = ", ".join(f"{count} {group}" for group, count in sorted(Counter(item["group"] for item in items).items()))
    hours = total_seconds(cut for item in items for cut in sides(item)) / 3600
    print(
        f"{label}: {len(items)} items ({groups}), {hours:.3f} h, {len(drops)} dropped; of {len(cuts)} utterances of dev"
        f" {len(found)} contexts with a continuation, {alone} utterances left over; {len(possible)} possible couples;"
        f" contexts that were not taken: {left_out(found, possible, chosen, limits)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
