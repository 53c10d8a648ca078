import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scripts.common.config import parse, part_json
from scripts.common.files import read_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Script, Tasks
from scripts.corpus.world.planting import Planting
from scripts.corpus.world.script import phone_count, seconds, side
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.vocabulary import WORLD
from scripts.corpus.world.write import SENTENCES, SHORT, sentence_keys, write_corpus, write_split
from tests.corpus.world.miniature import SECTION, exposures, forbidden, lexicon, paragraphs, texts
from tests.factories.settings import configured

CHARACTERS = r"[A-Za-z0-9 .,;:!?'\"()-]+"
SMALL = {**SECTION, "hours": {"train": 0.1, "dev": 0.03}}


def run(module: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", f"scripts.corpus.world.{module}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(out: Path, section: dict, *, shards: str = '{"train": 2, "dev": 1}', tasks: tuple[str, ...] = ()):
    arguments = ["--config", part_json(section, Script), "--shards", shards, "--seed", "1", "--out", str(out)]
    return run("write", *arguments, *(["--tasks", *tasks] if tasks else []))


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("script")
    few = {**SMALL, "tasks": {name: {"pairs": 12, "voices": 1} for name in SECTION["tasks"]}}
    few["tasks"]["swuggy"]["exposures"] = [1, 3]
    flags = ["--config", part_json(few, Tasks), "--seed", "1", "--out", str(folder / "tasks")]
    assert run("write_tasks", *flags).returncode == 0
    done = write(folder, few | {"isolated_words": 1}, tasks=tuple(map(str, (folder / "tasks").glob("*.gz"))))
    assert done.returncode == 0, done.stderr
    return folder


def test_files_are_the_contract(small):
    train = [u for shard in "01" for u in read_jsonl(small / "train" / f"{shard}.jsonl.gz")]
    ids = [u["id"] for u in train]
    assert len(set(ids)) == len(ids)
    for u in train:
        assert list(u) == ["id", "speaker", "chapter", "topic", "text", "words"]
        assert re.fullmatch(r"speaker-[0-3]", u["speaker"])
        assert re.fullmatch(CHARACTERS, u["text"])
        assert re.findall(r"[a-z]+", u["text"].lower()) == [w["word"] for w in u["words"]]
        assert all(w["phones"] and w["after"] in ("", ",", ".") for w in u["words"])


def test_chapters_are_whole_and_of_one_speaker(small):
    where = {}
    for shard in "01":
        for u in read_jsonl(small / "train" / f"{shard}.jsonl.gz"):
            assert where.setdefault(u["chapter"], (shard, u["speaker"])) == (shard, u["speaker"])


def test_isolated_words_are_those_of_the_lexicon_and_in_train_alone(small):
    alone = [
        u["text"] for shard in "01" for u in read_jsonl(small / "train" / f"{shard}.jsonl.gz") if len(u["words"]) == 1
    ]
    assert sorted(alone) == sorted(lexicon().content_forms())
    assert not set(alone) & set(lexicon().planted)
    assert all(len(u["words"]) > 1 for u in read_jsonl(small / "dev" / "0.jsonl.gz"))


def test_the_written_train_holds_each_word_as_often_as_its_item_says(small):
    wanted = {item["positive"]["text"]: item["exposure"] for item in read_jsonl(small / "tasks/swuggy.jsonl.gz")}
    train = [u for shard in "01" for u in read_jsonl(small / "train" / f"{shard}.jsonl.gz")]
    counts = Counter(word["word"] for u in train for word in u["words"])
    assert sorted(set(wanted.values())) == [1, 3]
    assert {word: counts[word] for word in wanted} == wanted
    assert not {word["word"] for u in read_jsonl(small / "dev" / "0.jsonl.gz") for word in u["words"]} & set(wanted)


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    section = SMALL | {"isolated_words": 1}
    write(tmp_path, section, tasks=tuple(map(str, (small / "tasks").glob("*.gz"))))
    for name in ("train/0.jsonl.gz", "train/1.jsonl.gz", "dev/0.jsonl.gz"):
        assert (tmp_path / name).read_bytes() == (small / name).read_bytes()


def test_lengths_of_paragraphs():
    written = [p for split in ("train", "dev") for p in paragraphs(split)]
    assert all(SENTENCES[0] <= len(p.sentences) <= SENTENCES[1] for p in written)
    lengths = [seconds(side(p.sentences, lexicon())["words"], 180) for p in written]
    assert 12 < sum(lengths) / len(lengths) < 17
    assert max(lengths) < 25
    assert min(lengths) > 4
    for split in ("train", "dev"):
        total = sum(seconds(side(p.sentences, lexicon())["words"], 180) for p in paragraphs(split))
        assert 0 <= total - 3600 * SECTION["hours"][split] < 30


def test_topics_are_equally_frequent():
    counts = Counter(p.topic for p in paragraphs("train"))
    assert set(counts) == set(lexicon().topics)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_no_sentence_of_a_task_is_in_the_corpus():
    sentences = {" ".join(words) for split in ("train", "dev") for words in texts(split)}
    assert len(forbidden()) > 1500
    assert not sentences & forbidden()


def test_train_and_dev_share_no_longer_sentence():
    train, dev = ({" ".join(s) for s in texts(split) if len(s) > SHORT} for split in ("train", "dev"))
    assert len(dev) > 200
    assert not train & dev


def test_only_short_sentences_are_said_twice():
    counts = Counter(" ".join(s) for s in texts("train"))
    assert max(len(sentence.split()) for sentence, count in counts.items() if count > 1) <= SHORT
    assert 1 - len(counts) / counts.total() < 0.06


# Planted words


def test_planted_words_are_in_as_many_different_sentences_as_they_are_exposed():
    sentences = Counter(word for text in {tuple(s) for s in texts("train")} for word in set(text))
    occurrences = Counter(word for text in texts("train") for word in text)
    for word, exposure in exposures().items():
        assert (word, sentences[word], occurrences[word]) == (word, exposure, exposure)
    elsewhere = {word for sentence in forbidden() for word in sentence.split()}
    elsewhere |= {word for text in texts("dev") for word in text}
    assert not elsewhere & set(lexicon().planted)


def test_occurrences_are_spread_over_the_text_and_the_topics():
    train = paragraphs("train")
    places = {word: [] for word in exposures()}
    topics = {word: Counter() for word in exposures()}
    for number, paragraph in enumerate(train):
        for word in {w for s in paragraph.sentences for w in s.words} & set(places):
            places[word].append(number / len(train))
            topics[word][paragraph.topic] += 1
    for word, exposure in exposures().items():
        for quarter in range(4):
            inside = sum(quarter / 4 <= place < (quarter + 1) / 4 for place in places[word])
            assert exposure < 16 or 0.12 * exposure <= inside <= 0.4 * exposure, (word, quarter)
        if exposure == 256:
            assert max(topics[word].values()) < 0.3 * exposure


def test_planted_words_stand_in_middle_sentences_up_to_three_at_a_time():
    for paragraph in paragraphs("train"):
        for number, sentence in enumerate(paragraph.sentences):
            planted = [word for word in sentence.words if word in exposures()]
            assert len(planted) == len(set(planted)) <= 3
            assert not planted or 0 < number < len(paragraph.sentences) - 1


def test_exposures_that_the_hours_cannot_hold_are_named_with_the_most_that_fits():
    config = configured(Script, "corpus.world", **SMALL)
    rng = generator(1, "test")
    with pytest.raises(ValueError, match=r".") as error:
        write_corpus("train", config, lexicon(), load_grammar(WORLD), rng, set(), Planting(exposures(), rng))
    found = re.fullmatch(
        r"corpus\.world\.tasks\.swuggy\.exposures: 11594 occurrences in all do not fit into"
        r" corpus\.world\.hours\.train = 0\.1, which holds (\d+) at most;"
        r" give more hours, fewer pairs or lower exposures",
        str(error.value),
    )
    assert found
    assert 30 < int(found[1]) < 300
    fits = Planting(dict.fromkeys(list(exposures())[: int(found[1]) // 3], 1), generator(1, "test"))
    write_corpus("train", config, lexicon(), load_grammar(WORLD), generator(1, "test"), set(), fits)
    assert not fits.waiting


def test_a_world_too_small_for_the_hours_is_named_with_the_most_it_gives(tmp_path):
    shutil.copytree(WORLD, tmp_path / "world")
    (tmp_path / "world/grammar.yaml").write_text(
        "".join(
            f'{part}:\n  - {{text: "[hero] [notice] {what} ."}}\n'
            for part, what in (
                ("opening", "a boat"),
                ("middle", "the boat"),
                ("planted", "[planted]"),
                ("ending", "it"),
            )
        )
    )
    config = configured(Script, "corpus.world", **{**SMALL, "hours": {"train": 5.0, "dev": 0.01}})
    rng = generator(1, "test")
    with pytest.raises(ValueError, match=r".") as error:
        write_corpus("train", config, lexicon(), load_grammar(tmp_path / "world"), rng, set(), Planting({}, rng))
    found = re.fullmatch(
        r"corpus\.world\.hours\.train is 5\.0: the world has no new sentences after (\d\.\d\d) h"
        r" \(\w+: no new \w+ sentence in \d+ attempts\);"
        r" ask for at most (\d\.\d\d) h, or set corpus\.world\.lexicon to full",
        str(error.value),
    )
    assert found
    assert 0 < float(found[1]) == float(found[2]) < 5


def test_every_word_of_the_lexicon_is_said_often_enough_to_be_learnt():
    counts = Counter(word for sentence in texts("train") for word in sentence)
    often = {forms[0]: 0 for _, forms in lexicon().entries()}
    for _, forms in lexicon().entries():
        often[forms[0]] = max(often[forms[0]], sum(counts[form] for form in forms))
    assert sorted(often.items(), key=lambda pair: pair[1])[0][1] >= 5
    assert sum(count >= 8 for count in often.values()) >= 0.98 * len(often)
    assert sum(counts[form] >= 3 for form in lexicon().content_forms()) >= 0.97 * len(lexicon().content_forms())


def test_phones_per_second_scales_with_the_rate():
    words = side(paragraphs("dev")[0].sentences, lexicon())["words"]
    assert phone_count(words) > 50
    assert seconds(words, 90) == pytest.approx(2 * seconds(words, 180))


def test_sentence_keys_are_those_of_the_sentences():
    paragraph = paragraphs("dev")[0]
    assert list(sentence_keys(side(paragraph.sentences, lexicon())["words"])) == [s.key for s in paragraph.sentences]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": {"train": -1.0, "dev": 0.2}}, "corpus.world.hours.train is -1.0"),
        ({"hours": {"train": 1.0, "dev": 0}}, "corpus.world.hours.dev is 0"),
        ({"speakers": 0}, "corpus.world.speakers is 0"),
        ({"isolated_words": -1}, "corpus.world.isolated_words is -1"),
        ({"rate": {"mean": 0}}, "corpus.world.rate.mean is 0"),
    ],
)
def test_an_impossible_setting_is_named(change, message):
    with pytest.raises(ValueError, match=r".") as error:
        parse(Script, part_json({**SECTION, **change}, Script), "corpus.world")
    assert message in str(error.value)


def test_more_shards_than_paragraphs():
    with pytest.raises(ValueError, match=r"corpus\.world\.hours\.dev is 0\.2: 2 paragraphs for 3 shards"):
        write_split("dev", 3, paragraphs("dev")[:2], 0, configured(Script, "corpus.world", **SECTION), lexicon())


def test_a_damaged_task_file_gives_one_line(tmp_path):
    (tmp_path / "task.jsonl.gz").write_bytes(b"no gzip")
    done = write(tmp_path, SMALL, tasks=(str(tmp_path / "task.jsonl.gz"),))
    assert done.returncode == 1
    assert "task.jsonl.gz" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
