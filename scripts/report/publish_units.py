"""The quantizer of speech as a folder for a model hub: the encoder if it was trained here, centroids, and quality."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import atomic_directory, read_csv, read_json
from scripts.report import hub_card
from scripts.report.hub_card import Origin

# Columns of quality.csv in the card: heading, the factor that brings them to the unit shown, and digits.
QUALITY = {
    "pnmi": ("PNMI", 1.0, 3),
    "speaker_pnmi": ("speaker PNMI", 1.0, 3),
    "bitrate": ("bits per second", 1.0, 0),
    "abx_within": ("ABX error within speakers, %", 100.0, 1),
    "abx_across": ("ABX error across speakers, %", 100.0, 1),
}
REFERENCES = "The other rows are references of as many clusters: MFCC, and an untrained encoder."


def card(origin: Origin, encoder: str, kmeans: Mapping[str, Any], quality: Path) -> str:
    """The card of a published quantizer.

    Args:
        origin: of the experiment.
        encoder: where the encoder is: its folder here, or its name.
        kmeans: kmeans.json.
        quality: units/quality.csv.
    """
    rows = read_csv(quality, ["encoder", "layer", "clusters", *QUALITY])
    names = " | ".join(name for name, _, _ in QUALITY.values())
    lines = [f"| features | layer | clusters | {names} |", "|---" * (len(QUALITY) + 3) + "|"]
    for row in rows:
        values = [
            f"{float(row[column]) * scale:.{digits}f}" if row[column] else "–"
            for column, (_, scale, digits) in QUALITY.items()
        ]
        lines.append(f"| {' | '.join([row['encoder'], row['layer'], row['clusters'], *values])} |")
    meta = {
        "license": origin.license,
        "pipeline_tag": "feature-extraction",
        "tags": ["speech-units"],
    }
    sections = [
        "# Units of speech",
        f"Every 20 ms of speech at 16 kHz becomes one of {kmeans['clusters']:,} units: the nearest centroid"
        f" (`kmeans.npy`, float32 [clusters, width]) of the output of layer {kmeans['layer']} (1 = first) of the"
        f" encoder {encoder}. `kmeans.json` records how the centroids were trained, and the SHA-256 of the encoder's"
        " weights.",
        "An utterance of N samples has (N - 80) // 320 frames, of a window of 400 samples without padding. Utterances"
        f" beyond {kmeans['chunk_seconds']:g} s were encoded in chunks with {kmeans['overlap_seconds']:g} s of context"
        " on either side, whose frames were discarded.",
        hub_card.section(
            "Quality",
            "\n".join(lines),
            REFERENCES,
        ),
        hub_card.provenance(origin),
    ]
    return hub_card.with_front_matter(meta, "\n\n".join(sections))


def _name(encoder: str) -> str:
    """The name of an encoder that is not published: of a local path the last part alone."""
    return Path(encoder).name if Path(encoder).exists() else encoder


def main() -> None:
    """Command line of rule publish_units."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kmeans", nargs=2, required=True, help="kmeans.npy and kmeans.json")
    parser.add_argument("--quality", type=Path, required=True, help="quality.csv")
    parser.add_argument("--encoder", required=True, help="the encoder's folder if it was trained here, or its name")
    parser.add_argument("--trained-here", action="store_true", help="whether the encoder's folder is published too")
    parser.add_argument(
        "--origin", type=hub_card.read_origin, required=True, help="JSON: experiment, seed, license, data"
    )
    parser.add_argument("--output", required=True, help="the published folder")
    args = parser.parse_args()
    with atomic_directory(args.output) as folder:
        hub_card.copy_files([*args.kmeans, args.quality], folder)
        if args.trained_here:
            (folder / "encoder").mkdir()
            hub_card.copy_files([args.encoder], folder / "encoder")
        encoder = "in `encoder/`" if args.trained_here else f"`{_name(args.encoder)}`"
        text = card(args.origin, encoder, read_json(args.kmeans[1]), args.quality)
        (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
