"""Synthesis of continuations by a trained speech model, and their transcription by a recogniser.

Included by continuation.smk.
"""

from scripts.continuation.config import VoiceTraining

SPEECH = CONTINUATION["speech"]
SPOKEN_TEXT = f"{RESULTS}/continuation/spoken_text"
VOCODER = {
    "vocoder": SPEECH["vocoder"],
    "vocoder_command": literal(SPEECH["vocoder_command"] or []),
    "iterations": SPEECH["iterations"],
}
KALDI = CONTINUATION["recogniser"] == "kaldi"
RECOGNISER_INPUT = dict(
    recogniser=[downloaded(WHISPER)] if WHISPER else local_files(CONTINUATION["recogniser"]),
    model=[f"{ALIGNMENT}/model"] * KALDI,
    lexicon=[f"{CORPUS}/lexicon.txt"] * KALDI,
)
# Griffin-Lim and Kaldi do not use a GPU.
SYNTHESIS_GPUS = config["cluster"]["gpus"]["continuation"] * (
    SPEECH["vocoder"] != "griffin-lim" or SPEECH["vocoder_command"] is not None
)
TRANSCRIPTION_GPUS = config["cluster"]["gpus"]["continuation"] * (not KALDI)


rule continuation_train_voice:
    """Train the speech model of one source: symbols to log-mel, and durations for phones."""
    input:
        cuts=expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
        units=lambda w: expand("{folder}/train/{shard}.npz", folder=STREAMS.get(w.source, []), shard=SHARDS["train"]),
        inventory=lambda w: INVENTORY[w.source],
    output:
        voice=directory(f"{RESULTS}/continuation/voice/{{source}}"),
    log:
        f"{RESULTS}/logs/continuation/train_voice/{{source}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/train_voice/{{source}}.tsv"
    wildcard_constraints:
        source="|".join(VOICES),
    conda:
        environment("continuation")
    threads: CONTINUATION["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["continuation"],
    params:
        code=code_of("scripts.continuation.train_voice"),
        extra=lambda w: EXTRA_PHONES if w.source == "phones" else [],
        audio_root=AUDIO_ROOT,
        config=part_json({**SPEECH, "threads": CONTINUATION["threads"]}, VoiceTraining),
        seed=config["seed"],
    shell:
        "python -m scripts.continuation.train_voice"
        " --cuts {input.cuts}"
        " --units {input.units}"
        " --audio-root {params.audio_root:q}"
        " --source {wildcards.source}"
        " --inventory {input.inventory}"
        " --extra {params.extra}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --out {output.voice}"
        " 2>&1 | tee {log}"


rule continuation_speak:
    """Synthesise the continuations of one modality."""
    input:
        lines=expand(f"{RESULTS}/continuation/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
        voice=lambda w: f"{RESULTS}/continuation/voice/{DEFINITION[w.modality].alphabet}",
        vocoder=model_files(SPEECH["vocoder"]),
    output:
        speech=directory(f"{RESULTS}/continuation/speech/{{modality}}"),
    log:
        f"{RESULTS}/logs/continuation/speak/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/speak/{{modality}}.tsv"
    wildcard_constraints:
        modality="|".join(SPOKEN) or "nothing-spoken",
    conda:
        environment("continuation") if SYNTHESIS_GPUS else "../../envs/core.yaml"
    threads: CONTINUATION["threads"]
    resources:
        gpu=SYNTHESIS_GPUS,
    params:
        **VOCODER,
        code=code_of("scripts.continuation.synthesise"),
        sets=SETS,
        framed=lambda w: "--framed" if has_clock(DEFINITION[w.modality]) else "",
        threads=CONTINUATION["threads"],
    shell:
        "python -m scripts.continuation.synthesise"
        " --items {input.lines}"
        " --sets {params.sets}"
        " --voice {input.voice}"
        " {params.framed}"
        " --vocoder {params.vocoder:q}"
        " --vocoder-command {params.vocoder_command:q}"
        " --iterations {params.iterations}"
        " --threads {params.threads}"
        " --out {output.speech}"
        " 2>&1 | tee {log}"


rule continuation_pronounce:
    """Phones of the continuations of a text modality."""
    input:
        lines=expand(f"{RESULTS}/continuation/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
        lexicon=f"{CORPUS}/lexicon.txt",
    output:
        phones=expand(f"{SPOKEN_TEXT}/phones/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
    log:
        f"{RESULTS}/logs/continuation/pronounce/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/pronounce/{{modality}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.continuation.pronounce_text"),
    shell:
        "python -m scripts.continuation.pronounce_text"
        " --texts {input.lines}"
        " --lexicon {input.lexicon}"
        " --out {output.phones}"
        " 2>&1 | tee {log}"


# The phones of a text, in the voice and with the durations of Phone-Raw.
use rule continuation_speak as continuation_speak_text with:
    input:
        lines=expand(f"{SPOKEN_TEXT}/phones/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
        voice=f"{RESULTS}/continuation/voice/phones",
        vocoder=model_files(SPEECH["vocoder"]),
    output:
        speech=directory(f"{SPOKEN_TEXT}/speech/{{modality}}"),
    log:
        f"{RESULTS}/logs/continuation/speak_text/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/speak_text/{{modality}}.tsv"
    wildcard_constraints:
        modality="|".join(WRITTEN) or "nothing-written",


rule continuation_controls:
    """Speech with known words: real speech resynthesised by the vocoder, and random words."""
    input:
        cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
        lexicon=f"{CORPUS}/lexicon.txt",
        voice=f"{RESULTS}/continuation/voice/phones",
        vocoder=model_files(SPEECH["vocoder"]),
    output:
        speech=directory(f"{RESULTS}/continuation/controls/speech"),
        copies=f"{RESULTS}/continuation/controls/copy.jsonl",
        strings=f"{RESULTS}/continuation/controls/random.jsonl",
    log:
        f"{RESULTS}/logs/continuation/controls.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/controls.tsv"
    conda:
        environment("continuation") if SYNTHESIS_GPUS else "../../envs/core.yaml"
    threads: CONTINUATION["threads"]
    resources:
        gpu=SYNTHESIS_GPUS,
    params:
        **VOCODER,
        code=code_of("scripts.continuation.control_speech"),
        audio_root=AUDIO_ROOT,
        random=CONTINUATION["random_strings"],
        threads=CONTINUATION["threads"],
        seed=config["seed"],
    shell:
        "python -m scripts.continuation.control_speech"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --lexicon {input.lexicon}"
        " --random {params.random}"
        " --voice {input.voice}"
        " --vocoder {params.vocoder:q}"
        " --vocoder-command {params.vocoder_command:q}"
        " --iterations {params.iterations}"
        " --threads {params.threads}"
        " --seed {params.seed}"
        " --speech {output.speech}"
        " --copy {output.copies}"
        " --strings {output.strings}"
        " 2>&1 | tee {log}"


rule continuation_read:
    """Transcripts of text modalities: the text itself."""
    input:
        lines=expand(f"{RESULTS}/continuation/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
    output:
        transcripts=expand(
            f"{RESULTS}/continuation/transcripts/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True
        ),
    log:
        f"{RESULTS}/logs/continuation/read/{{modality}}.log",
    wildcard_constraints:
        modality="|".join(WRITTEN) or "nothing-written",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.continuation.transcribe"),
    shell:
        "python -m scripts.continuation.transcribe"
        " --items {input.lines}"
        " --out {output.transcripts}"
        " 2>&1 | tee {log}"


rule continuation_transcribe:
    """Transcripts of the continuations of one modality."""
    input:
        **RECOGNISER_INPUT,
        lines=expand(f"{RESULTS}/continuation/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
        speech=f"{RESULTS}/continuation/speech/{{modality}}",
    output:
        transcripts=expand(
            f"{RESULTS}/continuation/transcripts/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True
        ),
    log:
        f"{RESULTS}/logs/continuation/transcribe/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/transcribe/{{modality}}.tsv"
    wildcard_constraints:
        modality="|".join(SPOKEN) or "nothing-spoken",
    conda:
        "../../envs/core.yaml" if KALDI else environment("continuation", "whisper")
    threads: CONTINUATION["threads"]
    resources:
        gpu=TRANSCRIPTION_GPUS,
    params:
        code=code_of("scripts.continuation.transcribe"),
        folders=lambda wildcards, input: [f"{input.speech}/{name}" for name in SETS],
        recogniser=download_target(WHISPER) if WHISPER else CONTINUATION["recogniser"],
        threads=CONTINUATION["threads"],
        cuts=[],
        cuts_out=[],
    shell:
        "python -m scripts.continuation.transcribe"
        " {params.cuts:q}"
        " --items {input.lines}"
        " --speech {params.folders}"
        " --recogniser {params.recogniser:q}"
        " --model {input.model}"
        " --lexicon {input.lexicon}"
        " --threads {params.threads}"
        " --out {output.transcripts}"
        " {params.cuts_out:q}"
        " 2>&1 | tee {log}"


use rule continuation_transcribe as continuation_transcribe_text with:
    input:
        **RECOGNISER_INPUT,
        lines=expand(f"{SPOKEN_TEXT}/phones/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
        speech=f"{SPOKEN_TEXT}/speech/{{modality}}",
    output:
        transcripts=expand(f"{SPOKEN_TEXT}/transcripts/{{set}}/{{modality}}.jsonl", set=SETS, allow_missing=True),
    log:
        f"{RESULTS}/logs/continuation/transcribe_text/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/transcribe_text/{{modality}}.tsv"
    wildcard_constraints:
        modality="|".join(WRITTEN) or "nothing-written",


# Transcripts of the real speech, of its copy and of random words.
use rule continuation_transcribe as continuation_transcribe_controls with:
    input:
        **RECOGNISER_INPUT,
        cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
        lines=expand(f"{RESULTS}/continuation/controls/{{set}}.jsonl", set=["copy", "random"]),
        speech=f"{RESULTS}/continuation/controls/speech",
    output:
        cuts=f"{RESULTS}/continuation/controls/transcripts/cuts.jsonl",
        transcripts=expand(f"{RESULTS}/continuation/controls/transcripts/{{set}}.jsonl", set=["copy", "random"]),
    log:
        f"{RESULTS}/logs/continuation/transcribe_controls.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/transcribe_controls.tsv"
    params:
        folders=lambda wildcards, input: [f"{input.speech}/{name}" for name in ("copy", "random")],
        cuts=lambda wildcards, input: ["--cuts", input.cuts, "--audio-root", AUDIO_ROOT],
        cuts_out=lambda wildcards, output: ["--cuts-out", output.cuts],


rule continuation_recognition:
    """Error rates of the recogniser, and of encoding, synthesis and transcription in every modality."""
    input:
        cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
        lexicon=f"{CORPUS}/lexicon.txt",
        cuts_transcript=f"{RESULTS}/continuation/controls/transcripts/cuts.jsonl",
        references=expand(f"{RESULTS}/continuation/controls/{{set}}.jsonl", set=["copy", "random"]),
        controls=expand(f"{RESULTS}/continuation/controls/transcripts/{{set}}.jsonl", set=["copy", "random"]),
        real=expand(f"{RESULTS}/continuation/transcripts/real/{{modality}}.jsonl", modality=SPOKEN)
        + expand(f"{SPOKEN_TEXT}/transcripts/real/{{modality}}.jsonl", modality=READ_ALOUD),
    output:
        table=f"{RESULTS}/continuation/recogniser.csv",
    log:
        f"{RESULTS}/logs/continuation/recognition.log",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.continuation.recogniser_errors"),
        modalities=SPOKEN + READ_ALOUD,
    shell:
        "python -m scripts.continuation.recogniser_errors"
        " --cuts {input.cuts}"
        " --lexicon {input.lexicon}"
        " --cuts-transcript {input.cuts_transcript}"
        " --references {input.references}"
        " --controls {input.controls}"
        " --modalities {params.modalities}"
        " --real {input.real}"
        " --out {output.table}"
        " 2>&1 | tee {log}"
