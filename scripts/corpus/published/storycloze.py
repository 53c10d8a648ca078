"""Topic and Spoken StoryCloze as task items: sound files `<n>_<story>_<correct|incorrect>.wav` at any depth.

Two files are a pair when their names agree up to the last part; where the numbers differ, when their story has one
file of each kind. A text stands beside its sound (same name, .txt) or in a table of all of them: `transcripts`,
one `<name><TAB><text>` a line. A pair without a text on either side is dropped: text modalities could not read it.
Names and pairs: https://huggingface.co/datasets/slprl, Hassid et al. 2023 (arXiv:2305.13009), section 4.2.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.common.cuts import Item
from scripts.common.files import text_lines
from scripts.corpus.drops import dropped
from scripts.corpus.published.audio import SideError, whole_file_cut

SIDES = {"correct": "positive", "incorrect": "negative"}
VOICE = "storycloze"  # one synthetic voice speaks all of it


def read_transcripts(path: Path) -> dict[str, str]:
    """Text per file name (with .wav or without) of a table `<name><TAB><text>`.

    Raises:
        ValueError: naming file and line, if a line has no tab or repeats a name.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        name, tab, text = line.partition("\t")
        name = Path(name.strip()).name.removesuffix(".wav")
        if not tab:
            raise ValueError(f"{path}:{number}: expected <name><TAB><text>, found {line.strip()[:40]!r}")
        if name in found:
            raise ValueError(f"{path}:{number}: {name!r} stands in the table before")
        found[name] = " ".join(text.split())
    return found


def paired(sounds: list[Path], drops: list[dict[str, str]]) -> Iterator[tuple[str, Path, Path]]:
    """(pair, correct file, incorrect file) in order of names; files without a partner go to `drops`."""
    exact: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sounds:
        stem, _, ending = path.stem.rpartition("_")
        if ending not in SIDES or not stem:
            drops.append(dropped(path.stem, "name", "expected <n>_<story>_correct.wav or <n>_<story>_incorrect.wav"))
            continue
        exact[stem][ending].append(path)
    alone: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    pairs = []
    for stem, found in exact.items():
        if all(len(found[ending]) == 1 for ending in SIDES):
            pairs.append((stem, found["correct"][0], found["incorrect"][0]))
        else:
            for ending, paths in found.items():
                alone[stem.partition("_")[2] or stem][ending] += paths
    for story, found in alone.items():
        if all(len(found[ending]) == 1 for ending in SIDES):
            pairs.append((story, found["correct"][0], found["incorrect"][0]))
            continue
        for path in (path for paths in found.values() for path in paths):
            count = {ending: len(found[ending]) for ending in SIDES}
            reason = "ambiguous-key" if all(count.values()) or max(count.values()) > 1 else "no-partner"
            told = " and ".join(f"{number} {ending}" for ending, number in count.items())
            drops.append(dropped(path.stem, reason, f"story {story} has {told} without a partner of the same number"))
    yield from sorted(pairs)


def read_items(folder: Path, transcripts: Mapping[str, str] | None, drops: list[dict[str, str]]) -> Iterator[Item]:
    """The items of a folder; what cannot be used is appended to `drops`.

    Raises:
        ValueError: the folder holds no sound file.
    """
    sounds = sorted(p for p in folder.rglob("*.wav") if "__MACOSX" not in p.parts and not p.name.startswith("._"))
    if not sounds:
        raise ValueError(
            f"{folder}: holds no .wav file; expected <n>_<story>_correct.wav and <n>_<story>_incorrect.wav"
        )
    for name, positive, negative in paired(sounds, drops):
        try:
            sides = {
                side: whole_file_cut(path, folder, name=path.stem, speaker=VOICE, text=_text(path, transcripts))
                for side, path in (("positive", positive), ("negative", negative))
            }
        except SideError as error:
            drops.append(dropped(name, error.reason, str(error)))
            continue
        yield {"id": name, "subset": "all", "group": "all", **sides}


def _text(path: Path, transcripts: Mapping[str, str] | None) -> str:
    beside = path.with_suffix(".txt")
    text = transcripts.get(path.stem) if transcripts is not None else None
    if text is None and beside.is_file():
        text = " ".join("".join(text_lines(beside)).split())
    if not text:
        raise SideError("no-text", f"{path.name} has no text: neither in a table of transcripts nor in {beside.name}")
    return text
