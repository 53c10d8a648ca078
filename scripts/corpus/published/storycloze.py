"""Convert Topic or Spoken StoryCloze to task items: sound files `<n>_<story>_<correct|incorrect>.wav` at any depth.

Two files are a pair if their names agree up to the last part or, where the numbers differ, if their story has one
correct and one incorrect file. The text of a sound file is in a .txt of the same name or in one table, `transcripts`,
with a line `<name><TAB><text>` per file. A pair with a side without text is dropped: text modalities need it.
Names and pairs: https://huggingface.co/datasets/slprl, Hassid et al. 2023 (arXiv:2305.13009), section 4.2.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.common import file_tree
from scripts.common.audio_errors import exists
from scripts.common.cuts import Item
from scripts.common.files import text_lines
from scripts.corpus.drops import DropError, check_name, dropped, printable
from scripts.corpus.published.find_audio import side_cut, without_wav

SIDES = {"correct": "positive", "incorrect": "negative"}
VOICE = "storycloze"  # all stories were synthesised with one voice


def read_transcripts(path: Path) -> dict[str, str]:
    """Text per file name (with .wav or without) of a table `<name><TAB><text>`.

    Raises:
        ValueError: naming the file, if it has no lines; and line, if one has no tab or repeats a name.
    """
    texts: dict[str, str] = {}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        name, tab, text = line.partition("\t")
        name = without_wav(Path(name.strip()).name)
        if not tab:
            raise ValueError(f"{path}:{number}: expected <name><TAB><text>, found {line.strip()[:40]!r}")
        if name in texts:
            raise ValueError(f"{path}:{number}: {name!r} stands in the table before")
        texts[name] = " ".join(text.split())
    if not texts:
        raise ValueError(f"{path}: is empty; expected a line <name><TAB><text> for each sound file")
    return texts


def paired(sounds: list[Path], drops: list[dict[str, str]]) -> Iterator[tuple[str, Path, Path]]:
    """(pair, correct file, incorrect file) in order of names; files without a partner go to `drops`."""
    exact: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sounds:
        try:
            check_name(path.stem)
        except DropError as error:
            drops.append(dropped(printable(path.stem), error.reason, str(error)))
            continue
        stem, _, ending = path.stem.rpartition("_")
        if ending not in SIDES or not stem:
            drops.append(dropped(path.stem, "name", "expected <n>_<story>_correct.wav or <n>_<story>_incorrect.wav"))
            continue
        exact[stem][ending].append(path)
    by_story: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    pairs = []
    for stem, files in exact.items():
        if all(len(files[ending]) == 1 for ending in SIDES):
            pairs.append((stem, files["correct"][0], files["incorrect"][0]))
        else:
            for ending, paths in files.items():
                by_story[stem.partition("_")[2] or stem][ending] += paths
    for story, files in by_story.items():
        if all(len(files[ending]) == 1 for ending in SIDES):
            pairs.append((story, files["correct"][0], files["incorrect"][0]))
            continue
        for path in (path for paths in files.values() for path in paths):
            count = {ending: len(files[ending]) for ending in SIDES}
            reason = "ambiguous-key" if all(count.values()) or max(count.values()) > 1 else "no-partner"
            counts = " and ".join(f"{number} {ending}" for ending, number in count.items())
            drops.append(dropped(path.stem, reason, f"story {story} has {counts} without a partner of the same number"))
    yield from sorted(pairs)


def read_items(folder: Path, transcripts: Mapping[str, str] | None, drops: list[dict[str, str]]) -> Iterator[Item]:
    """The items of a folder; what cannot be used is appended to `drops`.

    Raises:
        ValueError: the folder holds no sound file.
    """
    found = file_tree.files(
        folder,
        lambda name: name.lower().endswith(".wav") and not name.startswith("._"),
        file_tree.report_skipped,
    )
    sounds = [path for path in found if "__MACOSX" not in path.parts]
    if not sounds:
        raise ValueError(
            f"{folder}: holds no .wav file; expected <n>_<story>_correct.wav and <n>_<story>_incorrect.wav"
        )
    for name, positive, negative in paired(sounds, drops):
        try:
            sides = {
                side: side_cut(path, folder, name=path.stem, speaker=VOICE, text=_text(path, transcripts))
                for side, path in (("positive", positive), ("negative", negative))
            }
        except DropError as error:
            drops.append(dropped(name, error.reason, str(error)))
            continue
        yield {"id": name, "subset": "all", "group": "all", **sides}


def _text(path: Path, transcripts: Mapping[str, str] | None) -> str:
    text_file = next((path.with_suffix(each) for each in (".txt", ".TXT") if exists(path.with_suffix(each))), None)
    text = transcripts.get(path.stem) if transcripts is not None else None
    if text is None and text_file:
        text = " ".join("".join(text_lines(text_file)).split())
    if not text:
        raise DropError("no-text", f"{path.name} has no text: neither in a table of transcripts nor in {path.stem}.txt")
    return text
