"""A page with audio players: per prompt its recording, the real continuation, and each model's continuation.

The page is one HTML file with embedded MP3. It shows the continuation of the lowest seed, without selection by quality.
Prompts are shown in order up to a size limit, and the page states how many are left out.
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
from scripts.common.files import nonempty_jsonl, read_csv
from scripts.common.frames import SAMPLE_RATE
from scripts.report.labels import display_name
from scripts.report.render import format_number, html_page, write_text

COMPRESSION = 0.8  # libsndfile's compression level of MP3, 0 to 1 (smallest); 0.8 takes about 3 kB per second of speech
PEAK = 0.9  # every sound is scaled to this peak

STYLE = """<style>
section { border-top: 2px solid #333; margin: 2rem 0 0; padding-top: .5rem; }
section h2 { margin: .3rem 0; } .text { max-width: 50rem; }
.entry { display: grid; grid-template-columns: 9rem 1fr; gap: .2rem 1rem; padding: .6rem 0; }
.entry { border-top: 1px solid #ddd; }
.entry b { font-weight: 600; } .entry audio { width: 100%; max-width: 26rem; height: 2.4rem; }
.ppl { color: #555; font-size: .87rem; display: block; } .empty { color: #a33; }
@media (max-width: 40rem) { .entry { grid-template-columns: 1fr; } body { margin: .8rem; } }
</style>"""


def player(wave: np.ndarray, label: str) -> str:
    """An <audio> element that embeds a waveform, float32 [N] at 16 kHz, as MP3."""
    import soundfile

    peak = float(np.abs(wave).max()) or 1.0
    raw = io.BytesIO()
    soundfile.write(raw, wave * (PEAK / peak), SAMPLE_RATE, format="MP3", compression_level=COMPRESSION)
    data = base64.b64encode(raw.getvalue()).decode()
    name = html.escape(label, quote=True)
    return f'<audio controls preload="metadata" aria-label="{name}" src="data:audio/mpeg;base64,{data}"></audio>'


def entry(name: str, sound: str, words: str, note: str) -> str:
    """One row of a section: name, player, words and a note."""
    content = html.escape(words) if words else '<span class="empty">no words</span>'
    return (
        f'<div class="entry"><div><b>{html.escape(name)}</b><span class="ppl">{html.escape(note)}</span></div>'
        f"<div>{sound}<div>{content}</div></div></div>\n"
    )


def perplexity(row: Mapping[str, str]) -> str:
    """`perplexity 41.8`, or `no perplexity`."""
    return f"perplexity {format_number(float(row['perplexity']))}" if row["perplexity"] else "no perplexity"


def lowest_seed_rows(path: Path) -> dict[str, dict[str, str]]:
    """The judged row of the lowest seed of each prompt."""
    rows: dict[str, dict[str, str]] = {}
    for row in read_csv(path, ["prompt", "seed", "id", "text", "perplexity"]):
        known = rows.get(row["prompt"])
        if known is None or int(row["seed"]) < int(known["seed"]):
            rows[row["prompt"]] = row
    return rows


def read_sound(folder: Path, name: str) -> np.ndarray | None:
    """The waveform of a continuation, or None if there is no file; ValueError names a damaged file."""
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
    """The section of one prompt: its recording, the real continuation, and the generated ones."""
    name = prompt["id"]
    topic = f" <small>({html.escape(prompt['topic'])})</small>" if prompt["topic"] else ""
    parts = [f'<section><h2>{html.escape(name)}{topic}</h2>\n<p class="text">{html.escape(prompt["text"])} …</p>\n']
    for part, label in (("prompt", "Prompt"), ("real", "Real continuation")):
        cut = cuts.get(f"{name}/{part}")
        if cut:
            sound = player(audio.read(cut, root), f"{name}, {label}")
            parts.append(entry(label, sound, book_text(cut), "recording"))
    for modality, rows in judged.items():
        row = rows.get(name)
        if row is None:
            continue
        wave = read_sound(speech[modality], row["id"]) if modality in speech else None
        sound = player(wave, f"{name}, {display_name(modality)}") if wave is not None else ""
        parts.append(entry(display_name(modality), sound, row["text"], perplexity(row)))
    return "".join([*parts, "</section>\n"])


def build(sections: Sequence[str], total: int, seconds: float) -> str:
    """The whole page."""
    omitted = total - len(sections)
    more = f" {omitted} more of {total} prompts are left out to limit the size of the page." if omitted else ""
    note = (
        f'<p class="note">Continuations of the same prompts by each model, at most {seconds:g} s long, of the lowest'
        " seed, not selected by quality. Text modalities have no sound. The words are those that the judge read: the"
        f" text itself, or the transcript of the recogniser.{more}</p>\n"
    )
    head = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return html_page("Continuations", STYLE + note + "".join(sections)).replace(
        '<meta charset="utf-8">', f'<meta charset="utf-8">{head}', 1
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path, required=True, help="continuation/prompts.jsonl")
    parser.add_argument("--cuts", type=Path, required=True, help="prompts and real continuations from dev")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument(
        "--judged", type=Path, nargs="+", required=True, help="judged generated continuations per modality (.csv)"
    )
    parser.add_argument("--spoken", nargs="*", default=[], help="modalities with sound")
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="folders of their generated sound")
    parser.add_argument("--seconds", type=float, required=True, help="continuation.seconds")
    parser.add_argument("--megabytes", type=float, required=True, help="maximum size of the page")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    cuts = {cut["id"]: cut for cut in read_cuts(args.cuts)}
    judged = {name: lowest_seed_rows(path) for name, path in zip(args.modalities, args.judged, strict=True)}
    speech = dict(zip(args.spoken, args.speech, strict=True))
    continued = {prompt for rows in judged.values() for prompt in rows}
    prompts = [prompt for prompt in nonempty_jsonl(args.prompts) if prompt["id"] in continued]
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
