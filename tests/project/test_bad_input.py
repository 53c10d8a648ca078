"""Whatever replaces an input, every step names it in one line and ends without a traceback.

The commands are those of the rules, run in this process in a folder of links to a finished run, in which one input at a
time is replaced.
"""

import gzip
import importlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.common.cli import run
from scripts.common.files import write_jsonl
from scripts.corpus.config import Voices
from scripts.evaluation.config import TextScoring
from tests.corpus.published.testsets import LEXICAL, sound, word_row, write_gold
from tests.corpus.speech.test_folder import LIMITS
from tests.corpus.speech.test_manifest import RULES
from tests.factories.commands import Command, commands
from tests.factories.cuts import make_cut
from tests.factories.settings import settings
from tests.factories.workflow import ROOT, SMOKE, Workflow

PARTS = ("config.json", "model.json", "model.npz", "model.safetensors", "tokenizer.json")
# What a rule declares, and a step does not open: untrained models have the shape of the trained ones only; token counts
# are in the index; a continuation without sound has no file; cuts of a split without drops are not counted; the symbols
# of phones are known without cuts; only items with an exposure have a baseline there.
UNREAD = {
    ("scripts.evaluation.controls", "model.safetensors"),
    ("scripts.evaluation.controls", "tokenizer.json"),
    ("scripts.evaluation.score", "model/tokenizer.json"),
    ("scripts.units.quality", "model.safetensors"),
    ("scripts.tokens.stats", ".bin"),
    ("scripts.report.listening_page", "speech-hubert"),
    ("scripts.corpus.merge_dropped", "cuts/dev/0.jsonl.gz"),
    ("scripts.tokens.tokenizer", "cuts/train/1.jsonl.gz"),
    ("scripts.evaluation.exposures", "baselines/topic-storycloze/speech-hubert.csv"),
}
LIMIT = 60  # seconds; a step that works on for longer has not read the input before its work


def empty(place: Path) -> None:
    place.write_bytes(b"")


def folder(place: Path) -> None:
    place.mkdir()


def binary(place: Path) -> None:
    place.write_bytes(bytes(range(256)) * 8)


def truncated(place: Path) -> None:
    """A file truncated in the middle; gzip if the name ends so."""
    place.write_bytes(gzip.compress(bytes(range(256)) * 8)[:60] if place.suffix == ".gz" else b'{"id": "a", "uni')


def pointer(place: Path) -> None:
    place.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 9\n")


KINDS: dict[str, Callable[[Path], None]] = {each.__name__: each for each in (empty, folder, binary, truncated, pointer)}


@contextmanager
def replaced(path: Path, make: Callable[[Path], None]) -> Iterator[None]:
    """Something else in the place of a file or folder, for the block."""
    aside = path.rename(path.with_name(f"{path.name}.aside"))
    try:
        make(path)
        yield
    finally:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        aside.rename(path)


def links(source: Path, target: Path) -> None:
    """A copy of a folder whose files are links."""
    shutil.copytree(source, target, copy_function=lambda file, link: os.symlink(file, link), symlinks=True)


def places(command: Command) -> list[str]:
    """Results that a command reads: files, folders, and of these what every reader must open. One of each kind."""
    inputs = [Path(name) for name in command.inputs if name.startswith("results/")]
    for path in [path for path in inputs if path.is_dir()]:
        # The steps read SentencePiece's model where there is one, not its copy for transformers.
        hidden = {"tokenizer.json"} if (path / "sentencepiece.model").exists() else set()
        inputs += [path / part for part in PARTS if part not in hidden and (path / part).is_file()]
    one_of_a_kind = {(path.parts[:4], len(path.parts), "".join(path.suffixes), path.is_dir()): path for path in inputs}
    return [
        name
        for name in map(str, one_of_a_kind.values())
        if Path(name).exists()  # else temporary, or of a target that the run did not ask for
        and not any(command.module == module and name.endswith(end) for module, end in UNREAD)
    ]


class Late(BaseException):
    """The step has not ended in LIMIT seconds; no OSError, which a step may catch."""


def outcome(command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """The step's message at its end, or "" if it succeeds; AssertionError if it does not end or has a traceback."""

    def late(*_: object) -> None:
        raise Late

    step = importlib.import_module(command.module)  # before the clock starts: torch takes its time
    monkeypatch.setattr("sys.argv", [command.module, *command.arguments])
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        run(step.main)
    except SystemExit as end:
        return str(end.code)
    except BaseException as error:
        return f"TRACEBACK {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return ""


@pytest.fixture(scope="module")
def all_commands(smoke: Workflow) -> list[Command]:
    return commands(smoke, *SMOKE, "--", "report", "audio_check", "alignment_exchange", "unit_quality")


@pytest.mark.smoke
@pytest.mark.parametrize("kind", KINDS)
def test_every_input_of_every_rule(
    kind: str, all_commands: list[Command], smoke: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    links(smoke.results, tmp_path / "results/smoke")
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    monkeypatch.chdir(tmp_path)
    faults = []
    for command in all_commands:
        for name in places(command):
            with replaced(tmp_path / name, KINDS[kind]):
                said = outcome(command, monkeypatch)
            if problem := wrong(said, name):
                faults.append(f"{command.module} with {name}: {problem}: {said[:300]}")
            if not said:  # it has written results, which the next step would read
                shutil.rmtree(tmp_path / "results")
                links(smoke.results, tmp_path / "results/smoke")
    assert not faults, "\n".join(faults)


def wrong(said: str, name: str) -> str:
    """The fault of a step's message about a file."""
    if not said.startswith("error: "):
        return "no error" if not said else "no line"
    if "\n" in said:
        return "several lines"
    return "" if Path(name).name in said or Path(name).parent.name in said else "names another file"


def given(folder: Path) -> dict[str, tuple[str, list[object], str]]:
    """Steps that read what the user has: module, arguments, and the file that is replaced, by a name."""
    out, dropped = folder / "out.jsonl.gz", folder / "dropped.csv"
    write_jsonl(folder / "cuts.jsonl.gz", [make_cut("a"), make_cut("b")])
    (folder / "r0.wav").touch()
    pair = {"id": "i", "subset": "all", "group": "g", "positive": make_cut("a"), "negative": make_cut("b")}
    write_jsonl(folder / "items.jsonl.gz", [pair])
    write_gold(folder / "slm/lexical/dev", LEXICAL, [word_row(1, "A", side) for side in (1, 0)])
    for name in ("times", "units", "tokens"):
        (folder / name).mkdir()
    for name in ("words", "phones"):
        (folder / f"times/{name}.ctm").write_text("a 1 0.0 0.5 AA1\n")
    (folder / "units/a.tsv").write_text("/\na.wav\t16000\n")
    (folder / "units/a.km").write_text("1 2 3\n")
    write_jsonl(folder / "tokens/a.jsonl.gz", [{"id": "a", "tokens": [1]}])
    (folder / "scores.txt").write_text("a -1\nb -2\n")
    (folder / "scores.csv").write_text("id,score\na,-1\nb,-2\n")
    (folder / "prompts.yaml").write_text("- {id: a, topic: t, text: The dog barks.}\n")
    (folder / "lexicon.txt").write_text("DOG D AO1 G\n")
    sound(folder / "clips/a.wav")
    (folder / "clips.tsv").write_text("client_id\tpath\tsentence\nanna\ta.wav\tHello.\n")
    for side in ("correct", "incorrect"):
        sound(folder / f"stories/0_a_{side}.wav")
    (folder / "transcripts.tsv").write_text("0_a_correct\tIt ended.\n0_a_incorrect\tIt did.\n")
    sound(folder / "libri/train/1/2/1-2-0000.wav")
    (folder / "libri/train/1/2/1-2.trans.txt").write_text("1-2-0000 HELLO\n")
    (folder / "libri/SPEAKERS.TXT").write_text("1 | F | train | 1 | Anna\n")
    write_jsonl(folder / "texts.jsonl", [{"id": "i", "positive": "A dog barks.", "negative": "A dog bark."}])
    external = ("scripts.alignment.import_external", ["--cuts", folder / "cuts.jsonl.gz", "--external",
                folder / "times",
                "--split", "dev", "--out", out, "--dropped", dropped, "--guessed", folder / "guessed.csv"])  # fmt: skip
    units = ("scripts.units.external", ["--folder", folder / "units", "--clusters", 9, "--out", folder / "store"])
    system = ["--items", folder / "items.jsonl.gz", "--out", folder / "scored.csv", "--scores"]
    root, rules = ("--audio-root", folder), ("--config", json.dumps(RULES))
    manifest = ("scripts.corpus.speech.manifest", ["--manifest", folder / "cuts.jsonl.gz", *root, "--shards", out,
                "--dropped", dropped, "--recordings", folder / "recordings.json", *rules])  # fmt: skip
    items = ("scripts.corpus.speech.manifest_tasks", ["--task", "t", "--items", folder / "items.jsonl.gz", *root,
             "--out", out, "--dropped", dropped, *rules])  # fmt: skip
    lexicon = ("scripts.corpus.pronounce", ["--cuts", folder / "cuts.jsonl.gz", "--lexicon", folder / "lexicon.txt",
               "--out", folder / "out.txt"])  # fmt: skip
    published = ("scripts.corpus.published.tasks", ["--task", "t", "--folder", folder / "slm", "--out", out,
                 "--dropped", dropped, "--config", '{"format": "slm21-lexical", "split": "dev"}', "--limits",
                 json.dumps(LIMITS)])  # fmt: skip
    limits = ["--out", out, "--dropped", dropped, "--limits", json.dumps(LIMITS)]
    table = ("scripts.corpus.speech.sound_table", ["--audio-root", folder / "clips", "--table", folder / "clips.tsv",
             "--columns", '{"file": "path", "text": "sentence", "speaker": "client_id"}', *limits])  # fmt: skip
    stories = ("scripts.corpus.published.tasks", ["--task", "t", "--folder", folder / "stories", "--config", json.dumps(
               {"format": "storycloze", "transcripts": str(folder / "transcripts.tsv")}), *limits])  # fmt: skip
    libri = ("scripts.corpus.speech.librispeech", ["--audio-root", folder / "libri", "--subset", folder / "libri/train",
             *limits])  # fmt: skip
    texts = ("scripts.evaluation.text_tasks", ["--modality", "m", "--task", "t", "--definition",
             '{"name": "m", "source": "text", "tokenizer": "char"}', "--model", folder / "model", "--tokenizer",
             folder / NO_TOKENIZER, "--items", folder / "texts.jsonl", "--out", folder / "texts.csv", "--config",
             settings(TextScoring, "evaluation")])  # fmt: skip
    tokens = ("scripts.tokens.external", ["--modality", "m", "--folder", folder / "tokens", "--size", 9, "--out",
              folder / "store"])  # fmt: skip
    prompts = ("scripts.corpus.world.speak_prompts", ["--prompts", folder / "prompts.yaml", "--audio", folder / "audio",
               "--source", "s", "--out", folder / "p.jsonl", "--cuts", out, "--seed", 1, "--config",
               settings(Voices, "corpus.world")])  # fmt: skip
    scored = "scripts.evaluation.external_systems"
    return {
        "manifest": (*manifest, "cuts.jsonl.gz"),
        "items": (*items, "items.jsonl.gz"),
        "lexicon": (*lexicon, "lexicon.txt"),
        "gold": (*published, "slm/lexical/dev/gold.csv"),
        "cuts": (*external, "cuts.jsonl.gz"),
        "words.ctm": (*external, "times/words.ctm"),
        "phones.ctm": (*external, "times/phones.ctm"),
        "tsv": (*units, "units/a.tsv"),
        "km": (*units, "units/a.km"),
        "jsonl": (*tokens, "tokens/a.jsonl.gz"),
        "scores.txt": (scored, [*system, folder / "scores.txt"], "scores.txt"),
        "scores.csv": (scored, [*system, folder / "scores.csv"], "scores.csv"),
        "prompts": (*prompts, "prompts.yaml"),
        "table": (*table, "clips.tsv"),
        "sound": (*table, "clips/a.wav"),
        "transcripts": (*stories, "transcripts.tsv"),
        "trans.txt": (*libri, "libri/train/1/2/1-2.trans.txt"),
        "SPEAKERS.TXT": (*libri, "libri/SPEAKERS.TXT"),
        "utterance": (*libri, "libri/train/1/2/1-2-0000.wav"),
        "texts": (*texts, "texts.jsonl"),
    }


INPUTS = ("manifest", "items", "lexicon", "gold", "cuts", "words.ctm", "phones.ctm", "tsv", "km", "jsonl", "scores.txt",
          "scores.csv", "prompts", "table", "sound", "transcripts", "trans.txt", "SPEAKERS.TXT", "utterance",
          "texts")  # fmt: skip
# A lexicon of the user's, a tier of Kaldi's or LibriSpeech's list of readers may be empty: what it lacks is found
# elsewhere, dropped by name or not needed.
MAY_BE_EMPTY = {"lexicon", "words.ctm", "phones.ctm", "SPEAKERS.TXT"}
NO_TOKENIZER = "no-tokenizer"  # scoring texts needs a model of the workflow's, for which it asks after the items


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INPUTS)
def test_every_input_of_the_users(name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module, arguments, file = given(tmp_path)[name]
    with replaced(tmp_path / file, KINDS[kind]):
        said = outcome(Command(module, tuple(map(str, arguments)), (), ()), monkeypatch)
    if kind == "empty" and name in MAY_BE_EMPTY:
        assert said == ""
    else:
        assert wrong(said, file) == "", said


def test_the_users_inputs_are_fine_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, (module, arguments, _) in given(tmp_path).items():
        said = outcome(Command(module, tuple(map(str, arguments)), (), ()), monkeypatch)
        assert NO_TOKENIZER in said if name == "texts" else said == "", name


def test_a_folder_of_text_items_says_what_was_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module, arguments, file = given(tmp_path)["texts"]
    with replaced(tmp_path / file, folder):
        said = outcome(Command(module, tuple(map(str, arguments)), (), ()), monkeypatch)
    assert "texts.jsonl: is a folder without a .jsonl or .jsonl.gz file; expected a file of items" in said
