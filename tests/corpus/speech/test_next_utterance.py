"""Items of the next-utterance task: spliced from dev's recordings, mirrored, with the same context on both sides."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lhotse import MonoCut

from scripts.common.audio import read
from scripts.common.cuts import Cut, Item, book_text, num_samples, sides, speaker, spoken_text
from scripts.common.files import read_csv, read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.corpus.config import CutRules, Limits
from scripts.corpus.drops import DropError
from scripts.corpus.speech import librispeech, manifest, next_utterance
from scripts.corpus.speech.chapters import segments
from scripts.corpus.speech.next_utterance import FADE, LOUDEST, joined, levelled, own_pronunciations, side_wave
from scripts.project.check import check
from tests.factories.cuts import make_cut
from tests.factories.librispeech import write_subset
from tests.factories.settings import settings
from tests.plan.conftest import MINI, merged

Run = Callable[..., None]


def make(
    run_step: Run, cuts: Path, audio_root: Path, out: Path, *, seed: int = 1, dropped: float = 0.2, **task: Any
) -> list[Item]:
    """Run the step; its items."""
    limits = settings(Limits, "corpus", max_missing_audio=dropped, max_dropped=dropped)
    run_step(
        next_utterance.main,
        *("--cuts", cuts, "--audio-root", audio_root, "--task", "next", "--config", json.dumps(task)),
        *("--limits", limits, "--seed", seed, "--audio", out / "audio/tasks/next", "--items", out / "items.jsonl.gz"),
        *("--dropped", out / "dropped.csv"),
    )
    return list(read_jsonl(out / "items.jsonl.gz"))


def samples(cut: Cut, out: Path) -> np.ndarray:
    return read(cut, out / "audio")


def continuation_words(item: Item, side: str) -> str:
    """The words of a side after the context, which the other side has too."""
    texts = {name: spoken_text(item[name]).split() for name in ("positive", "negative")}
    shared = next(n for n, (one, two) in enumerate(zip(*texts.values(), strict=False)) if one != two)
    return " ".join(texts[side][shared:])


def check_items(items: list[Item], dev: dict[str, Cut], audio_root: Path, out: Path) -> None:
    """Everything that holds of items of any dev: sides, couples, sound, texts."""
    couples: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        couples[item["couple"]].append(item)
        shared = round(item["shared_seconds"] * SAMPLE_RATE)
        positive, negative = sides(item)
        one, two = samples(positive, out), samples(negative, out)
        np.testing.assert_array_equal(one[:shared], two[:shared])
        assert len(one) == num_samples(positive) > shared
        true = dev[item["id"]]
        own = read(true, audio_root)
        assert len(one) - shared == len(own)
        assert np.corrcoef(one[shared:], own)[0, 1] > 0.999  # the recording's own samples, at another level
        assert book_text(positive).endswith(f" {book_text(true)}")
        assert spoken_text(positive).endswith(f" {spoken_text(true)}")
        context = book_text(positive).removesuffix(book_text(true))
        assert book_text(negative).startswith(context)
        assert speaker(positive) == speaker(negative) == speaker(true)
        MonoCut.from_dict(json.loads(json.dumps({key: positive[key] for key in positive if key != "type"})))
    for both in couples.values():
        first, second = both
        assert continuation_words(first, "positive") == continuation_words(second, "negative")
        assert continuation_words(first, "negative") == continuation_words(second, "positive")
        assert first["group"] == second["group"]


def test_items_of_long_recordings_exchange_their_continuations(run_step: Run, world: Path, tmp_path: Path):
    dev = {cut["id"]: cut for cut in read_jsonl(world / "dev.jsonl.gz")}
    items = make(run_step, world / "dev.jsonl.gz", world / "audio", tmp_path, pairs=8)
    assert len(items) == 8
    assert len({cut["id"] for item in items for cut in sides(item)}) == 16
    check_items(items, dev, world / "audio", tmp_path)
    assert not read_csv(tmp_path / "dropped.csv")


def test_a_context_of_several_utterances_is_joined_in_their_order(run_step: Run, world: Path, tmp_path: Path):
    dev = {cut["id"]: cut for cut in read_jsonl(world / "dev.jsonl.gz")}
    items = make(run_step, world / "dev.jsonl.gz", world / "audio", tmp_path, pairs=4, context=2)
    check_items(items, dev, world / "audio", tmp_path)
    found = {segment.id: segment for segment in segments(dev.values(), 2)[0]}
    for item in items:
        context = found[item["id"]].context
        assert spoken_text(item["positive"]).startswith(" ".join(map(spoken_text, context)))
        assert item["shared_seconds"] * SAMPLE_RATE == sum(map(num_samples, context))


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_items(run_step: Run, world: Path, tmp_path: Path):
    made = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make(run_step, world / "dev.jsonl.gz", world / "audio", tmp_path / name, seed=seed, pairs=4)
        made[name] = {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in sorted((tmp_path / name).rglob("*"))
            if path.is_file()
        }
    assert made["a"] == made["b"]
    assert made["a"] != made["c"]


def test_a_couple_whose_sound_cannot_be_read_is_listed_as_a_whole(run_step: Run, world: Path, tmp_path: Path):
    cuts = list(read_jsonl(world / "dev.jsonl.gz"))
    names = write_subset(tmp_path, "dev", cuts, world / "audio")
    run_step(
        librispeech.main,
        *("--audio-root", tmp_path, "--subset", tmp_path / "dev", "--out", tmp_path / "found.jsonl.gz"),
        *("--dropped", tmp_path / "found.csv", "--limits", settings(Limits, "corpus")),
    )
    run_step(
        manifest.main,
        *("--manifest", tmp_path / "found.jsonl.gz", "--audio-root", tmp_path, "--shards", tmp_path / "dev.jsonl.gz"),
        *("--dropped", tmp_path / "dev.csv", "--recordings", tmp_path / "r.json", "--split", "dev"),
        *("--config", settings(CutRules, "corpus")),
    )
    items = make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path / "all", pairs=8)
    check_items(items, {cut["id"]: cut for cut in read_jsonl(tmp_path / "dev.jsonl.gz")}, tmp_path, tmp_path / "all")
    assert {item["id"] for item in items} < set(names)
    lost = items[0]
    next(tmp_path.glob(f"dev/*/*/{lost['id']}.flac")).unlink()
    rest = make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path / "rest", pairs=8, dropped=0.5)
    couple = {item["id"] for item in items if item["couple"] == lost["couple"]}
    assert {item["id"] for item in items} - {item["id"] for item in rest} == couple
    assert {row["id"]: row["reason"] for row in read_csv(tmp_path / "rest/dropped.csv")} == dict.fromkeys(
        couple, "audio-missing"
    )
    with pytest.raises(ValueError, match=r"2 of 8 items .* without usable audio"):
        make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path / "none", pairs=8, dropped=0.1)
    assert not (tmp_path / "none").exists() or not list((tmp_path / "none").rglob("*.flac"))


def test_a_dev_without_chapters_is_refused_in_one_line(run_step: Run, tmp_path: Path):
    cuts = [make_cut(name, name, duration=5.0) for name in ("red", "green", "blue")]
    write_jsonl(tmp_path / "dev.jsonl.gz", cuts)
    with pytest.raises(ValueError, match=r"corpus\.dev_tasks\.next\.pairs is 2, 1 couples; dev has 0 possible"):
        make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path, pairs=2)


def test_joints_are_faded_and_nothing_else_is_changed():
    waves = [np.full(1000, 0.5, np.float32), np.full(400, -0.25, np.float32), np.full(3, 1.0, np.float32)]
    wave = joined(waves)
    assert len(wave) == 1403
    assert (wave[: 1000 - FADE] == 0.5).all()
    assert wave[999] == wave[1000] == 0.0
    assert (wave[1000 + FADE : 1400 - 3] == -0.25).all()
    assert (waves[0] == 0.5).all()


def test_every_continuation_gets_the_level_of_the_context_as_far_as_its_peak_allows():
    rng = np.random.default_rng(1)
    context = rng.normal(0, 0.1, 8000).astype(np.float32)

    def level(wave: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))

    for gain in (0.2, 1.0, 3.0):
        assert level(levelled(context[::-1] * np.float32(gain), context)) == pytest.approx(level(context), rel=1e-4)
    peaked = np.zeros(8000, np.float32)
    peaked[::500] = 0.4
    assert np.abs(levelled(peaked, context)).max() == pytest.approx(LOUDEST)
    assert level(levelled(peaked, context)) < level(context)
    loud, soft = (side_wave([context], gain * context[::-1]) for gain in (np.float32(2.0), np.float32(0.5)))
    np.testing.assert_allclose(loud, soft, rtol=1e-5)


def test_two_pronunciations_of_a_word_do_not_fit_into_one_side():
    one, two, other = (
        make_cut(name, pronunciations={"HELLO": phones})
        for name, phones in (("a", "HH AH0 L OW1"), ("b", "HH AH0 L OW1"), ("c", "HH EH0 L OW1"))
    )
    assert own_pronunciations([one, two, make_cut("d")]) == {"HELLO": "HH AH0 L OW1"}
    with pytest.raises(DropError, match="c pronounces HELLO differently") as caught:
        own_pronunciations([one, other])
    assert caught.value.reason == "pronunciations"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dev_tasks": {"next": {"pairs": 3}}}, "corpus.dev_tasks.next.pairs is 3; it must be a multiple of 2"),
        ({"dev_tasks": {"next": {"pairs": 2, "negative": "x"}}}, "must be one of another-chapter, same-chapter"),
        ({"dev_tasks": {"mine": {"pairs": 2}}}, "corpus.dev_tasks.mine has the name of a task of corpus.folder"),
        ({"source": "world", "dev_tasks": {"next": {"pairs": 2}}}, "corpus.source world has tasks of its own"),
    ],
)
def test_wrong_keys_are_one_line(changes: dict[str, Any], message: str):
    folder = {"audio_root": "audio", "tasks": {"mine": "items.jsonl"}}
    recorded = {"corpus": {"source": "folder", "folder": folder}, "continuation": {"prompts": 0}}
    check(merged(MINI, merged(recorded, {"corpus": {"dev_tasks": {"next": {"pairs": 2}}}})))
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        check(merged(MINI, merged(recorded, {"corpus": changes})))


def test_two_real_readers_exchange_what_they_read(run_step: Run, mini_librispeech: Path, tmp_path: Path):
    for reader in ("1867", "7859"):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / reader).symlink_to(mini_librispeech / "train-clean-5" / reader)
    run_step(
        librispeech.main,
        *("--audio-root", tmp_path, "--subset", tmp_path / "dev", "--out", tmp_path / "found.jsonl.gz"),
        *("--dropped", tmp_path / "found.csv", "--limits", settings(Limits, "corpus")),
    )
    run_step(
        manifest.main,
        *("--manifest", tmp_path / "found.jsonl.gz", "--audio-root", tmp_path, "--shards", tmp_path / "dev.jsonl.gz"),
        *("--dropped", tmp_path / "dev.csv", "--recordings", tmp_path / "r.json", "--split", "dev"),
        *("--config", settings(CutRules, "corpus")),
    )
    dev = {cut["id"]: cut for cut in read_jsonl(tmp_path / "dev.jsonl.gz")}
    across = make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path / "across", pairs=30)
    assert Counter(item["group"] for item in across) == {"another-speaker": 30}
    check_items(across, dev, tmp_path, tmp_path / "across")
    within = make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path / "in", pairs=20, negative="same-chapter")
    assert Counter(item["group"] for item in within) == {"same-chapter": 20}
    check_items(within, dev, tmp_path, tmp_path / "in")
    with pytest.raises(ValueError, match=r"pairs is 200, 100 couples; dev has \d\d possible couples"):
        make(run_step, tmp_path / "dev.jsonl.gz", tmp_path, tmp_path / "too-many", pairs=200)
