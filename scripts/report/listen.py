"""A page to listen to: per prompt what was said, what was really said next, and what each model went on to say.

One file that needs nothing from outside: sound is MP3 inside the page. Always the first seed, never the best one. The
page is bounded in size: prompts are shown in order until it would be passed, and the page says how many are not.
"""

import argparse
import base64
import html
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from scripts.common import audio
from scripts.common.cli import run
from scripts.common.cuts import Cut, book_text, read_cuts
from scripts.common.files import read_csv, read_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.report.names import display
from scripts.report.render import number, page, write_text

COMPRESSION = 0.8  # libsndfile's, of MP3: 0 is the best and largest, 1 the smallest; about 3 kB a second of speech
PEAK = 0.9  # all sounds are shown equally loud

STYLE = """<style>
section { border-top: 2px solid #333; margin: 2rem 0 0; padding-top: .5rem; }
section h2 { margin: .3rem 0; } .said { max-width: 50rem; }
.one { display: grid; grid-template-columns: 9rem 1fr; gap: .2rem 1rem; padding: .6rem 0; border-top: 1px solid #ddd; }
.one b { font-weight: 600; } .one audio { width: 100%; max-width: 26rem; height: 2.4rem; }
.ppl { color: #555; font-size: .87rem; display: block; } .empty { color: #a33; }
@media (max-width: 40rem) { .one { grid-template-columns: 1fr; } body { margin: .8rem; } }
</style>"""


def player(wave: np.ndarray, label: str) -> str:
    """An <audio> element that holds the sound, float32 [N] at 16 kHz."""
    import soundfile

    peak = float(np.abs(wave).max()) or 1.0
    raw = io.BytesIO()
    soundfile.write(raw, wave * (PEAK / peak), SAMPLE_RATE, format="MP3", compression_level=COMPRESSION)
    data = base64.b64encode(raw.getvalue()).decode()
    name = html.escape(label, quote=True)
    return f'<audio controls preload="metadata" aria-label="{name}" src="data:audio/mpeg;base64,{data}"></audio>'


def line(name: str, sound: str, words: str, note: str) -> str:
    """One voice's row: its name, its player, its words, a note."""
    shown = html.escape(words) if words else '<span class="empty">no words</span>'
    return (
        f'<div class="one"><div><b>{html.escape(name)}</b><span class="ppl">{html.escape(note)}</span></div>'
        f"<div>{sound}<div>{shown}</div></div></div>\n"
    )


def perplexity(row: Mapping[str, str]) -> str:
    """`perplexity 41.8`, or that there is none."""
    return f"perplexity {number(float(row['perplexity']))}" if row["perplexity"] else "no perplexity"


def first_of(path: Path) -> dict[str, dict[str, str]]:
    """The judged row of the lowest seed by prompt."""
    found: dict[str, dict[str, str]] = {}
    for row in read_csv(path):
        held = found.get(row["prompt"])
        if held is None or int(row["seed"]) < int(held["seed"]):
            found[row["prompt"]] = row
    return found


def sound_of(folder: Path, name: str) -> np.ndarray | None:
    """The waveform of a continuation, None if it has none; ValueError naming the file if it is damaged."""
    import soundfile

    path = folder / f"{name}.flac"
    if not path.exists():
        return None
    try:
        return soundfile.read(path, dtype="float32")[0]
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: cannot be decoded ({error})") from None


def section(
    prompt: Mapping[str, str],
    cuts: Mapping[str, Cut],
    root: str,
    judged: Mapping[str, Mapping[str, Mapping[str, str]]],
    speech: Mapping[str, Path],
) -> str:
    """One prompt with all that follows it."""
    name = prompt["id"]
    topic = f" <small>({html.escape(prompt['topic'])})</small>" if prompt["topic"] else ""
    parts = [f'<section><h2>{html.escape(name)}{topic}</h2>\n<p class="said">{html.escape(prompt["text"])} …</p>\n']
    for part, label in (("prompt", "Prompt"), ("real", "Really said next")):
        cut = cuts.get(f"{name}/{part}")
        if cut:
            sound = player(audio.read(cut, root), f"{name}, {label}")
            parts.append(line(label, sound, book_text(cut), "the recording itself"))
    for modality, rows in judged.items():
        row = rows.get(name)
        if row is None:
            continue
        wave = sound_of(speech[modality], row["id"]) if modality in speech else None
        sound = player(wave, f"{name}, {display(modality)}") if wave is not None else ""
        parts.append(line(display(modality), sound, row["text"], perplexity(row)))
    return "".join([*parts, "</section>\n"])


def build(sections: Sequence[str], total: int, seconds: float) -> str:
    """The whole page."""
    left = total - len(sections)
    more = f" {left} more of {total} prompts are left out to keep the page small." if left else ""
    note = (
        f'<p class="note">What each model goes on to say after the same beginning, for up to {seconds:g} s: the first'
        " seed, not the best. Text has no sound. Words are what the judge read: the text itself, or what the recogniser"
        f" heard.{more}</p>\n"
    )
    head = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return page("Listen to the continuations", STYLE + note + "".join(sections)).replace(
        '<meta charset="utf-8">', f'<meta charset="utf-8">{head}', 1
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path, required=True, help="continuation/prompts.jsonl")
    parser.add_argument("--cuts", type=Path, required=True, help="prompts and real continuations from dev")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--judged", type=Path, nargs="+", required=True, help="generated, per modality (.csv)")
    parser.add_argument("--spoken", nargs="*", default=[], help="modalities that have sound")
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="their folders of generated sound")
    parser.add_argument("--seconds", type=float, required=True, help="continuation.seconds")
    parser.add_argument("--megabytes", type=float, required=True, help="largest page")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    cuts = {cut["id"]: cut for cut in read_cuts(args.cuts)}
    judged = {name: first_of(path) for name, path in zip(args.modalities, args.judged, strict=True)}
    speech = dict(zip(args.spoken, args.speech, strict=True))
    continued = {prompt for rows in judged.values() for prompt in rows}
    prompts = [prompt for prompt in read_jsonl(args.prompts) if prompt["id"] in continued]
    sections: list[str] = []
    size = 0.0
    for prompt in prompts:
        text = section(prompt, cuts, args.audio_root, judged, speech)
        size += len(text.encode()) / 1e6
        if sections and size > args.megabytes:
            break
        sections.append(text)
    write_text(args.output, build(sections, len(prompts), args.seconds))
    print(
        f"listen: {len(sections)} of {len(prompts)} prompts, {args.output.stat().st_size / 1e6:.1f} MB", file=sys.stderr
    )


if __name__ == "__main__":
    run(main)
