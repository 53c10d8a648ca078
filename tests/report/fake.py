"""A results folder as the earlier stages would write it, with invented but plausible numbers.

`python -m tests.report.fake FOLDER` writes one to look at. The same call gives the same bytes.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common.files import write_csv, write_json
from scripts.common.seeds import generator
from scripts.evaluation.config import Factor

MODALITIES = ("text-bpe", "text-raw", "phone-bpe", "phone-raw", "phone-repeat", "speech-hubert")
FACTORS = (
    Factor("A", "text-bpe", "phone-bpe"),
    Factor("A", "text-raw", "phone-raw"),
    Factor("B", "phone-raw", "phone-repeat"),
    Factor("C", "phone-repeat", "speech-hubert"),
)
TASKS = ("swuggy", "sblimp", "topic-storycloze")
RATES = dict(zip(MODALITIES, (3.1, 13.9, 3.4, 11.2, 49.9, 49.9), strict=True))
TRUE = {
    "swuggy": (0.93, 0.92, 0.94, 0.95, 0.94, 0.71),
    "sblimp": (0.87, 0.88, 0.85, 0.84, 0.62, 0.54),
    "topic-storycloze": (0.84, 0.79, 0.83, 0.78, 0.63, 0.55),
}
BASELINES = {"length": 0.5, "tokens": 0.51, "unigram": 0.55, "4-gram": 0.86, "untrained": 0.52}


def factors_json(*factors: Factor) -> str:
    """Factors as the rules hand them to the steps."""
    return json.dumps({"factors": [{"name": each.name, "from": each.from_, "to": each.to} for each in factors]})


def format_interval(value: float, n: int) -> tuple[float, float]:
    """A normal 95% interval of a share."""
    half = 1.96 * (value * (1 - value) / n) ** 0.5
    return round(max(0.0, value - half), 6), round(min(1.0, value + half), 6)


SCORED = ("value", "ci_low", "ci_high", "n")


def _scored(folder: Path, modality: str, at: int, task: str, items: int) -> list[dict]:
    rng = generator(1, "fake", modality, task)
    difficulty = generator(1, "fake", task).random(items)
    hardness = difficulty + rng.random((2, items))
    right = hardness <= np.quantile(hardness, TRUE[task][at % 6])
    rows = [
        {"id": f"{task}-{i}", "voice": f"speaker-{v}", "subset": "test", "group": "g", "couple": f"{task}-c{i // 2}",
         "logprob_positive": -10.0, "logprob_negative": -11.0 if right[v, i] else -9.5, "eos_positive": -1.0,
         "eos_negative": -1.0, "tokens_positive": 9, "tokens_negative": 9, "seconds_positive": 1.0,
         "seconds_negative": 1.0 if task == "swuggy" else 1.2, "correct": float(right[v, i]), "dropped": ""}
        for i in range(items) for v in range(2)
    ]  # fmt: skip
    write_csv(folder / f"evaluation/{task}/{modality}.csv", list(rows[0]), rows)
    value = float(right.mean())
    summary = []
    for metric, share in {"accuracy": value, "accuracy_per_token": value - 0.01, "couples": value}.items():
        low, high = format_interval(share, items)
        summary.append({"metric": metric, "value": round(share, 6), "ci_low": low, "ci_high": high, "n": items})
    summary.append({"metric": "chance", "value": 0.5, "ci_low": 0.5, "ci_high": 0.5, "n": items})
    for name, share in BASELINES.items():
        share = share if task == "swuggy" else 0.5 + (share - 0.5) / 5
        low, high = format_interval(share, items)
        summary.append({"metric": f"baseline_{name}", "value": share, "ci_low": low, "ci_high": high, "n": items})
    above = {"p_above_chance": 1e-5 if value > 0.6 else 0.4, "p_over_best_baseline": 1e-5 if value > 0.9 else 0.4}
    above["over_best_baseline"] = 100 * (value - max(row["value"] for row in summary[3:]))
    for metric, number in above.items():
        summary.append({"metric": metric, "value": number, "ci_low": "", "ci_high": "", "n": items})
    layers = []
    for layer, part in enumerate((0.05, 0.3, 0.7, 0.9, 1.0)):
        share = 0.5 + (value - 0.5) * part
        low, high = format_interval(share, items)
        layers.append({"layer": layer, "value": round(share, 6), "ci_low": low, "ci_high": high, "n": items,
                       "chance": 0.5})  # fmt: skip
    write_csv(folder / f"evaluation/layers/{task}/{modality}.csv", list(layers[0]), layers)
    tuned = [{**row, "value": round(min(value, row["value"] + 0.05), 6)} for row in layers]
    write_csv(folder / f"evaluation/tuned_lens/{task}/{modality}.csv", list(tuned[0]), tuned)
    points = []
    for step in np.geomspace(0.03, 3.0, 8):
        share = float(np.clip(0.5 + (value - 0.5) * (0.5 + 0.25 * np.log10(step)) + 0.01 * rng.standard_normal(), 0, 1))
        low, high = format_interval(share, items)
        points.append({"tokens": round(step * 3600 * RATES.get(modality, 20.0)), "hours": round(step, 4),
                       "value": round(share, 6), "ci_low": low, "ci_high": high, "n": items,
                       "chance": 0.5})  # fmt: skip
    write_csv(folder / f"evaluation/scaling/{task}/{modality}.csv", list(points[0]), points)
    x, accuracy = (np.array([p[name] for p in points], dtype=float) for name in ("tokens", "value"))
    x = np.log10(x)
    slope, intercept = np.polyfit(x, accuracy, 1)
    share = np.clip((accuracy - 0.5) / 0.5, 0.01, 0.99)
    logit_slope, height = np.polyfit(x - x.mean(), np.log(share / (1 - share)), 1)
    fit = {"slope": slope, "intercept": intercept, "centre": x.mean(), "height": height, "logit_slope": logit_slope}
    write_json(
        folder / f"evaluation/scaling/{task}/{modality}.fit.json",
        {name: round(float(value), 8) for name, value in fit.items()},
    )
    return [{"modality": modality, "task": task, **row} for row in summary]


def _groups(modality: str, at: int, task: str, items: int) -> list[dict]:
    rows = []
    for name, shift in (("first", 0.02), ("second", -0.02)):
        value = TRUE[task][at % 6] + shift
        low, high = format_interval(value, items // 2)
        place = {"modality": modality, "task": task, "by": "group", "name": name}
        rows.append({**place, "value": round(value, 6), "ci_low": low, "ci_high": high, "n": items // 2})
    return rows


def _controls(task: str, modalities: Sequence[str], items: int) -> list[dict]:
    found = [("any", "seconds", 0.5)]
    for at, modality in enumerate(modalities):
        found += [(modality, "trained", TRUE[task][at % 6]), (modality, "untrained", 0.51)]
        found += [(modality, "shuffled-durations", 0.55)] * (RATES.get(modality, 20.0) > 49)
    return [
        {"modality": modality, "task": task, "control": control, "value": value, "n": items,
         **dict(zip(("ci_low", "ci_high"), format_interval(value, items), strict=True))}
        for modality, control, value in found
    ]  # fmt: skip


def _bit_breakdown(bits: float, rate: float) -> list[dict]:
    """Parts that add up to so many bits and tokens per second; repeated frames where there are frames."""
    shares = {"end": (0.01, 0.01), "word": (0.05, 0.05), "initial": (0.44, 0.3), "internal": (0.3, 0.3)}
    shares |= {"repeated": (0.15, 0.3), "between": (0.05, 0.04)} if rate > 49 else {"final": (0.2, 0.34)}
    rows = []
    for part, (of_bits, of_tokens) in shares.items():
        values = {"bits_per_second": bits * of_bits, "tokens_per_second": rate * of_tokens}
        values["bits_per_token"] = values["bits_per_second"] / values["tokens_per_second"]
        rows += [
            {"part": part, "metric": metric, "value": value, "ci_low": 0.9 * value, "ci_high": 1.1 * value, "n": 128}
            for metric, value in values.items()
        ]
    return rows


def write(
    folder: Path, *, modalities: Sequence[str] = MODALITIES, tasks: Sequence[str] = TASKS, items: int = 300
) -> None:
    """Write everything the report reads into `folder` (a results/<name>)."""
    summary: list[dict] = []
    groups: list[dict] = []
    for at, modality in enumerate(modalities):
        rate = RATES.get(modality, 20.0)
        splits = {
            split: {"utterances": round(hours * 640), "tokens": round(hours * 3600 * rate), "seconds": hours * 3600,
                    "words": round(hours * 9000), "tokens_per_second": rate, "unknown": 0}
            for split, hours in {"train": 3.0, "dev": 0.2}.items()
        }  # fmt: skip
        write_json(
            folder / f"tokens/{modality}/stats.json",
            {"modality": modality, "vocab_size": 600 if "bpe" in modality else 60 + 11 * at, "splits": splits},
        )
        final = 11.0 / rate + 0.25
        log = [
            {"step": step, "epoch": round(epoch, 4), "tokens": round(epoch * splits["train"]["tokens"]),
             "seconds": step, "train_loss": round(final * (1 + 3 * np.exp(-epoch)) - 0.05, 6),
             "dev_loss": round(final * (1 + 3 * np.exp(-epoch)), 6) if step % 20 == 0 else "",
             "lr": 0.001, "tokens_per_second": 16000}
            for step, epoch in enumerate(np.linspace(0, 8, 161))
        ]  # fmt: skip
        write_csv(folder / f"lm/{modality}/log.csv", list(log[0]), log)
        for task in tasks:
            summary += _scored(folder, modality, at, task, items)
            groups += _groups(modality, at, task, items)
        bits = {
            "bits_per_second": final * rate * 1.44,
            "bits_per_word": final * rate * 0.6,
            "bits_per_token": final * 1.44,
        }
        write_csv(
            folder / f"evaluation/bit_breakdown/{modality}.csv",
            ["part", "metric", *SCORED],
            _bit_breakdown(final * rate * 1.44, rate),
        )
        noise = generator(1, "fake", "dev").uniform(0.6, 1.4, 128) + generator(1, "fake", modality, "dev").normal(
            0, 0.05, 128
        )
        utterances = [
            {"id": f"dev-{i}", "seconds": 5.0, "words": 12, "bits": round(float(5 * each * bits["bits_per_second"]), 6)}
            for i, each in enumerate(noise)
        ]
        write_csv(folder / f"evaluation/utterance_bits/{modality}.csv", list(utterances[0]), utterances)
        summary += [
            {"modality": modality, "task": "dev", "metric": metric, "value": round(value, 6),
             "ci_low": round(value * 0.98, 6), "ci_high": round(value * 1.02, 6), "n": 128}
            for metric, value in bits.items()
        ]  # fmt: skip
    names = ["modality", "task", "metric", *SCORED]
    write_csv(folder / "evaluation/summary.csv", names, summary)
    write_csv(folder / "evaluation/dropped.csv", ["task", "id", "modality", "reason"], [])
    write_csv(folder / "evaluation/groups.csv", [*names[:2], "by", "name", *names[3:]], groups)
    write_csv(folder / "evaluation/controls.csv", ["modality", "task", "control", *names[3:]],
              [row for task in tasks for row in _controls(task, sorted(modalities), items)])  # fmt: skip
    write_continuations(folder, modalities)
    quality = [("hubert", 0.585, 0.61, 0.34), ("mfcc", 0.558, 0.58, 0.31), ("random-init", 0.17, 0.22, 0.12)]
    names = ["encoder", "pnmi", "phone_purity", "cluster_purity"]
    write_csv(folder / "units/quality.csv", names, [dict(zip(names, row, strict=True)) for row in quality])
    for layer in (1, 2):
        rows = [{"layer": layer, "clusters": clusters, "pnmi": 0.5, "phone_purity": 0.6, "speaker_pnmi": 0.4}
                for clusters in (50, 100)]  # fmt: skip
        write_csv(folder / f"units/sweep/{layer}.csv", list(rows[0]), rows)
    write_json(folder / "units/kmeans.json", {"layer": 2, "clusters": 100, "frames": 10, "objective": [90.0, 60.0, 55]})
    dropped = [{"id": "utt-9", "reason": "too-long", "detail": "31.2 s"}]
    write_csv(folder / "corpus/dropped.csv", ["id", "reason", "detail"], dropped)
    dropped = [{"split": s, "id": f"{s}-{i}", "reason": r, "detail": "-"}
               for s, i, r in (("train", 1, "oov"), ("train", 2, "oov"), ("dev", 3, "low-likelihood"))]  # fmt: skip
    write_csv(folder / "alignment/dropped.csv", ["split", "id", "reason", "detail"], dropped)


def write_continuations(folder: Path, modalities: Sequence[str], failure: str = "") -> None:
    """Judged continuations, their summary and the recogniser's errors; `failure`: why what was spoken is no result."""
    judged = ["id", "prompt", "seed", "status", "perplexity"]
    summary = []
    for at, modality in enumerate(modalities):
        values = generator(1, "fake", modality, "continuation").lognormal(3 + at / 2, 0.5, 60)
        rows = [{"id": f"p{i % 20}-{i // 20}", "prompt": f"p{i % 20}", "seed": i // 20, "status": "ok",
                 "perplexity": round(float(value), 4)} for i, value in enumerate(values)]  # fmt: skip
        rows[-1] |= {"status": "empty", "perplexity": ""}
        write_csv(folder / f"continuation/judged/generated/{modality}.csv", judged, rows)
        for task, scale in (("continuation", 1.0), ("continuation-real", 0.5)):
            mean = round(scale * float(values.mean()), 6)
            lines = {"perplexity": mean, "perplexity_sd": mean / 2, "perplexity_median": mean * 0.8,
                     "perplexity_given_prompt_median": mean * 0.7, "words": 16.5, "repeated_4grams": 0.01,
                     "distinct_words": 0.21,
                     "empty_share": 1 / 60, "silence": 0.1, "on_topic": 0.42, "known_patterns": 0.8,
                     "in_sentences": 0.6, "in_sentences_shuffled": 0.02}  # fmt: skip
            summary += [
                {"modality": modality, "task": task, "metric": metric, "value": round(value, 6),
                 "ci_low": round(0.8 * value, 6) if metric == "perplexity" else "",
                 "ci_high": round(1.2 * value, 6) if metric == "perplexity" else "", "n": 59,
                 "measurable": failure if failure and not modality.startswith("text") else "yes"}
                for metric, value in lines.items()
            ]  # fmt: skip
    columns = ["modality", "task", "metric", "value", "ci_low", "ci_high", "n", "measurable"]
    write_csv(folder / "continuation/summary.csv", columns, summary)
    errors = [("held-out", 0.006), ("copied", 0.08), ("random-words", 0.12), *((name, 0.14) for name in modalities[2:])]
    rows = [{"speech": name, "word_error_rate": rate, "phone_error_rate": rate / 2} for name, rate in errors]
    write_csv(folder / "continuation/recogniser.csv", list(rows[0]), rows)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
