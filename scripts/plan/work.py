"""The work of all jobs of each rule: one formula per rule, also in docs/plan.md.

Rules without a formula write tables, figures or lists: their jobs cost their start only.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from scripts.lm.data_shares import share_models
from scripts.lm.seed_replicas import seed_replicas
from scripts.plan.amounts import Amounts, definition_of, forward_flops, left_out
from scripts.tokens.modality import Modality

NGRAM_TOKENS = 10_000_000  # maximum of train tokens counted by the 4-gram baseline
REAL_SETS = 1  # real continuations per prompt that are synthesised and transcribed
TRAINING_STATE = 12  # bytes per parameter: weights and AdamW's two moments, in float32
STATES_KEPT = 2


class Work(NamedTuple):
    """The work of all jobs of one rule.

    Attributes:
        seconds: of one core, or of one GPU if the stage has GPUs, without the starts of the jobs.
        start: kind of start-up, a key of `plan.start_seconds`.
        gpu_stage: the stage whose `cluster.gpus` the rule requests; None: a CPU rule.
        kept: bytes of permanent outputs.
        temporary: bytes of temporary outputs.
        longest: seconds of the longest job; None: all jobs are equal.
    """

    seconds: float = 0.0
    start: str = "light"
    gpu_stage: str | None = None
    kept: float = 0.0
    temporary: float = 0.0
    longest: float | None = None


def rule_work(rule: str, amounts: Amounts) -> Work:
    """The work of all jobs of a rule."""
    if rule in FORMULAS:
        return FORMULAS[rule](amounts)
    return Work(start="numeric" if rule.startswith(("corpus", "report")) else "light")


def _speed(amounts: Amounts, step: str) -> float:
    return float(amounts.config["plan"]["times_real_time"][step])


def _bytes(amounts: Amounts, item: str) -> float:
    return float(amounts.config["plan"]["bytes"][item])


# ---- corpus ----


def _speak(amounts: Amounts) -> Work:
    seconds = amounts.seconds
    return Work(seconds / _speed(amounts, "speak"), "numeric", kept=seconds * _bytes(amounts, "audio_second"))


def _speak_tasks(amounts: Amounts) -> Work:
    seconds = amounts.task_seconds
    return Work(seconds / _speed(amounts, "speak_tasks"), "numeric", kept=seconds * _bytes(amounts, "audio_second"))


def _manifest(split: str) -> Callable[[Amounts], Work]:
    def work(amounts: Amounts) -> Work:
        cuts = amounts.utterances[split]
        return Work(cuts / amounts.config["plan"]["cuts_per_second"], kept=cuts * _bytes(amounts, "cut"))

    return work


def _lexicon(amounts: Amounts) -> Work:
    cuts = sum(amounts.utterances.values()) + amounts.task_sides
    return Work(cuts / amounts.config["plan"]["cuts_per_second"], "numeric")


# ---- alignment ----


def _align_train(amounts: Amounts) -> Work:
    alignment = amounts.config["alignment"]
    passes = alignment["iterations"] * (1 if alignment["triphone"] is None else 2)
    return Work(passes * alignment["sample_hours"] * 3600 / _speed(amounts, "align_pass"))


def _align(seconds: Callable[[Amounts], float]) -> Callable[[Amounts], Work]:
    def work(amounts: Amounts) -> Work:
        phones = seconds(amounts) * amounts.config["plan"]["symbols_per_second"]["phones"]
        return Work(seconds(amounts) / _speed(amounts, "align"), kept=phones * _bytes(amounts, "phone"))

    return work


# ---- units ----


def _clusters_in_torch(amounts: Amounts) -> bool:
    """Whether torch computes k-means, as scripts.units.clustering.choose_backend would say where the job runs."""
    units = amounts.config["units"]
    gpu = units["device"] != "cpu" and amounts.config["cluster"]["gpus"]["units"] > 0
    return bool(units["kmeans_backend"] == "torch" or (units["kmeans_backend"] == "auto" and gpu))


def _k_means_seconds(amounts: Amounts) -> float:
    """The encoder on the sample's audio, twice as long as the clustered frames, then k-means on a core or a GPU."""
    units, plan = amounts.config["units"], amounts.config["plan"]
    products = 2.0 * units["sample_frames"] * units["clusters"] * plan["encoder_width"]
    if _clusters_in_torch(amounts):
        products *= 2  # torch adds up a cluster's frames by a matrix product as large as that of the distances
    clustering = products * units["kmeans_iterations"] * units["kmeans_redo"] / plan["flops"]["kmeans"]
    return 2 * units["sample_frames"] / units["frame_rate"] / _speed(amounts, "extract") + clustering


def _encoder(amounts: Amounts) -> Work:
    encoder = amounts.config["units"]["encoder"]
    if encoder["source"] != "pretrain":
        return Work(start="torch", gpu_stage="units")
    audio = encoder["steps"] * encoder["batch_crops"] * encoder["crop_seconds"]
    return Work(audio / _speed(amounts, "pretrain"), "torch", "units")


def _k_means(amounts: Amounts) -> Work:
    return Work(_k_means_seconds(amounts), "torch", "units")


def _extract(seconds: Callable[[Amounts], float]) -> Callable[[Amounts], Work]:
    def work(amounts: Amounts) -> Work:
        audio = seconds(amounts)
        written = audio * amounts.config["units"]["frame_rate"] * _bytes(amounts, "unit")
        return Work(audio / _speed(amounts, "extract"), "torch", "units", written)

    return work


def _quality(amounts: Amounts) -> Work:
    dev = 3600 * amounts.hours["dev"] / _speed(amounts, "extract")
    # Clusters of MFCC and of an untrained encoder; features of dev by all three.
    return Work(2 * _k_means_seconds(amounts) + 3 * dev, "torch", "units")


# ---- tokens ----


def _tokenizer(amounts: Amounts) -> Work:
    models = len(amounts.rates)
    return Work(models * 3600 * amounts.hours["train"] / _speed(amounts, "encode"))


def _encode_table(amounts: Amounts) -> Work:
    return Work(3600 * amounts.hours["train"] / _speed(amounts, "encode"))


def _token_bytes(amounts: Amounts, seconds: float, utterances: float) -> float:
    """2 bytes per token, <s> and </s> included, and the index entry of each utterance."""
    index = _bytes(amounts, "token_index")
    return sum(2 * (seconds * rate + 2 * utterances) + index * utterances for rate in amounts.rates.values())


def _encode(amounts: Amounts) -> Work:
    seconds = len(amounts.rates) * amounts.seconds / _speed(amounts, "encode")
    return Work(seconds, temporary=_token_bytes(amounts, amounts.seconds, sum(amounts.utterances.values())))


def _encode_task(amounts: Amounts) -> Work:
    seconds = len(amounts.rates) * amounts.task_seconds / _speed(amounts, "encode")
    return Work(seconds, kept=_token_bytes(amounts, amounts.task_seconds, amounts.task_sides))


def _pack(amounts: Amounts) -> Work:
    written = _token_bytes(amounts, amounts.seconds, sum(amounts.utterances.values()))
    return Work(written / amounts.config["plan"]["copy_bytes_per_second"], kept=written)


# ---- lm ----


def models(config: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """(model, modality of its tokens, share of train) of every trained model: other seeds and shares included."""
    yield from ((name, name, 1.0) for name in config["modalities"])
    yield from ((name, replica.modality, 1.0) for name, replica in seed_replicas(config).items())
    yield from ((name, model.modality, model.share) for name, model in share_models(config).items())


def training_seconds(amounts: Amounts, modality: str, share: float = 1.0) -> float:
    """Training time of a model on one core or one GPU without early stopping: operations, and a cost per step."""
    plan, training = amounts.config["plan"], amounts.config["lm"]["training"]
    tokens = share * training["epochs"] * (amounts.tokens(modality, "train") + amounts.utterances["train"])
    evaluation_tokens = training["epochs"] * training["evaluations_per_epoch"] * amounts.tokens(modality, "dev")
    operations = amounts.forward_flops(modality) * (3 * tokens + evaluation_tokens)
    steps = share * training["epochs"] * amounts.utterances["train"] / training["batch_utterances"]
    return operations / plan["flops"]["train"] + steps * plan["step_seconds"]["train"]


def _train(amounts: Amounts) -> Work:
    each = [
        (training_seconds(amounts, modality, share), amounts.parameters(modality))
        for _, modality, share in models(amounts.config)
    ]
    copies = 1 + amounts.config["lm"]["training"]["checkpoints_in_epoch_1"]
    count = sum(parameters for _, parameters in each)
    seconds = [seconds for seconds, _ in each]
    return Work(
        sum(seconds), "torch", "lm", 4.0 * copies * count, float(STATES_KEPT * TRAINING_STATE * count), max(seconds)
    )


# ---- evaluation ----


def _forward(tokens: Callable[[Amounts, str], float], *, further: bool = True) -> Callable[[Amounts], Work]:
    """Forward passes over `tokens` of every model; without `further` of those of the modalities alone."""

    def work(amounts: Amounts) -> Work:
        modalities = [m for name, m, _ in models(amounts.config) if further or name == m]
        operations = sum(tokens(amounts, m) * amounts.forward_flops(m) for m in modalities)
        return Work(operations / amounts.config["plan"]["flops"]["forward"], "torch", "evaluation")

    return work


def _item_tokens(amounts: Amounts, modality: str, items: int | None) -> float:
    """Tokens of `items` items of every task; None: of all items."""
    total = 0.0
    for size in amounts.tasks.values():
        sides = size.sides if items is None else min(size.sides, 2 * items)
        total += sides * (size.seconds * amounts.rates[modality] + 1)
    return total


def _score_tokens(amounts: Amounts, modality: str) -> float:
    """Scoring all layers, plain and tuned, takes about 1.2 times the last; the maps read a part of train."""
    fitted = min(amounts.config["evaluation"]["lens_tokens"], amounts.tokens(modality, "train"))
    return 1.2 * amounts.task_tokens(modality) + amounts.tokens(modality, "dev") + fitted


def _scaling(amounts: Amounts, modality: str) -> float:
    points = amounts.config["lm"]["training"]["checkpoints_in_epoch_1"]
    return points * _item_tokens(amounts, modality, amounts.config["evaluation"]["scaling_items"])


def _controls(amounts: Amounts, modality: str) -> float:
    models = amounts.config["evaluation"]["untrained_draws"] + 2  # untrained ones, and shuffled durations
    return models * _item_tokens(amounts, modality, amounts.config["evaluation"]["control_items"])


def _baselines(amounts: Amounts) -> Work:
    counted = sum(min(NGRAM_TOKENS, amounts.tokens(m, "train")) + amounts.task_tokens(m) for m in amounts.rates)
    return Work(counted / amounts.config["plan"]["ngram_tokens_per_second"])


# ---- continuation ----


def _continued(amounts: Amounts) -> dict[str, Modality]:
    """The modalities that are continued."""
    without = left_out(amounts.config)
    return {name: definition_of(amounts.config, name) for name in amounts.rates if name not in without}


def _continuation_seconds(amounts: Amounts, sources: tuple[str, ...], sets: int) -> tuple[int, float]:
    """(number of continued modalities with these sources, seconds of the continuations of each)."""
    continuation = amounts.config["continuation"]
    count = sum(modality.source in sources for modality in _continued(amounts).values())
    return count, continuation["prompts"] * (continuation["seeds"] + sets) * continuation["seconds"]


def _generate(amounts: Amounts) -> Work:
    continuation = amounts.config["continuation"]
    batches = -(-continuation["prompts"] * continuation["seeds"] // continuation["batch"])
    steps = batches * continuation["seconds"] * sum(amounts.rates[name] for name in _continued(amounts))
    return Work(steps * amounts.config["plan"]["step_seconds"]["generate"], "torch", "continuation")


def _voices(amounts: Amounts) -> Work:
    speech, plan = amounts.config["continuation"]["speech"], amounts.config["plan"]
    voices = {modality.alphabet for modality in _continued(amounts).values()} & {"phones", "units"}
    return Work(len(voices) * speech["steps"] * plan["step_seconds"]["voice"], "torch", "continuation")


def _gpu_for(step: str, amounts: Amounts) -> str | None:
    """Griffin-Lim (step "sound") and Kaldi (step "transcribe") do not use a GPU."""
    continuation = amounts.config["continuation"]
    speech = continuation["speech"]
    on_cpu = {
        "sound": speech["vocoder"] == "griffin-lim" and speech["vocoder_command"] is None,
        "transcribe": continuation["recogniser"] == "kaldi",
    }
    return None if on_cpu[step] else "continuation"


def _start_only(step: str) -> Callable[[Amounts], Work]:
    return lambda amounts: Work(start="torch", gpu_stage=_gpu_for(step, amounts))


def _speech(speed: str, sources: tuple[str, ...] = ("phones", "units")) -> Callable[[Amounts], Work]:
    def work(amounts: Amounts) -> Work:
        count, seconds = _continuation_seconds(amounts, sources, REAL_SETS)
        written = 32_000.0 if speed == "sound" else 0.0
        return Work(
            count * seconds / _speed(amounts, speed), "torch", _gpu_for(speed, amounts), kept=count * seconds * written
        )

    return work


def _judge_train(amounts: Amounts) -> Work:
    config = amounts.config
    judge, plan, training = config["continuation"]["judge"], config["plan"], config["lm"]["training"]
    length = plan["utterance_seconds"] * plan["symbols_per_second"]["text"] / plan["symbols_per_bpe"]["text"]
    utterances = judge["hours"] * 3600 / plan["utterance_seconds"]
    operations = 3 * utterances * length * forward_flops(config["lm"]["model"], judge["vocab_size"], length)
    steps = utterances / training["batch_utterances"]
    each = operations / plan["flops"]["train"] + steps * plan["step_seconds"]["train"]
    return Work(judge["epochs"] * each, "torch", "lm")


FORMULAS: dict[str, Callable[[Amounts], Work]] = {
    "corpus_speak": _speak,
    "corpus_speak_tasks": _speak_tasks,
    "corpus_manifest_train": _manifest("train"),
    "corpus_manifest_dev": _manifest("dev"),
    "corpus_lexicon": _lexicon,
    "corpus_lexicon_tasks": _lexicon,
    "alignment_train": _align_train,
    "alignment_align": _align(lambda amounts: amounts.seconds),
    "alignment_align_task": _align(lambda amounts: amounts.task_seconds),
    "units_encoder": _encoder,
    "units_kmeans": _k_means,
    "units_extract": _extract(lambda amounts: amounts.seconds),
    "units_extract_task": _extract(lambda amounts: amounts.task_seconds),
    "units_quality": _quality,
    "tokens_phone_durations": _encode_table,
    "tokens_unit_phones": _encode_table,
    "tokens_speakers": _encode_table,
    "tokens_tokenizer": _tokenizer,
    "tokens_encode": _encode,
    "tokens_encode_task": _encode_task,
    "tokens_pack": _pack,
    "lm_train": _train,
    "evaluation_score": _forward(_score_tokens),
    "evaluation_scaling": _forward(_scaling, further=False),
    "evaluation_controls": _forward(_controls),
    "evaluation_baselines": _baselines,
    "evaluation_text": lambda amounts: Work(start="torch", gpu_stage="evaluation"),  # the number of items is unknown
    "continuation_units": lambda amounts: Work(start="torch", gpu_stage="units"),
    "continuation_generate": _generate,
    "continuation_train_voice": _voices,
    "continuation_speak": _speech("sound"),
    "continuation_transcribe": _speech("transcribe"),
    "continuation_speak_text": _speech("sound", ("text",)),
    "continuation_transcribe_text": _speech("transcribe", ("text",)),
    "continuation_controls": _start_only("sound"),
    "continuation_transcribe_controls": _start_only("transcribe"),
    "continuation_judge_train": _judge_train,
    "continuation_judge": lambda amounts: Work(start="torch", gpu_stage="continuation"),
}
