"""A training that starts from another model's weights."""

import json
import shutil
import signal

import pytest
import torch
from safetensors.torch import load_file, save_file

from scripts.common.files import read_json
from scripts.lm.config import parse_config
from scripts.lm.loop import trainer as module
from scripts.lm.model.llama import build_model
from scripts.lm.model.start import EMBEDDING, HEAD, read_start
from tests.lm.conftest import VOCABULARY, files, log


@pytest.fixture
def donor(toy, section):
    """A model of another vocabulary, in a folder without a tokenizer."""
    folder = toy / "donor"
    build_model(parse_config(json.dumps(section)).model, 50, 1, 2, seed=9).save_pretrained(folder)
    return folder


def started(folder, toy, section, seed=1):
    """A model with the toy's vocabulary that has started from the folder's, and one that has not."""
    config = parse_config(json.dumps(section)).model
    drawn, model = (build_model(config, len(VOCABULARY), 1, 2, seed) for _ in range(2))
    start = read_start(folder, config, toy / "tokenizer")
    start.copy_into(model)
    return start, model.state_dict(), drawn.state_dict()


def test_the_body_is_the_donors_and_the_vocabularys_matrices_are_drawn_anew(toy, section, donor):
    start, model, drawn = started(donor, toy, section)
    theirs = load_file(donor / "model.safetensors")
    assert set(model) == set(theirs)
    for name, weights in model.items():
        assert torch.equal(weights, drawn[name] if name in (EMBEDDING, HEAD) else theirs[name]), name
    assert start.about()["weights"] == "layers and final norm"
    assert start.name == str(donor)


def test_with_the_same_vocabulary_all_weights_are_the_donors(train, toy, section):
    folder = train("first") / "model"
    start, model, _ = started(folder, toy, section, seed=5)
    assert start.about()["weights"] == "all"
    assert start.name == "toy"
    theirs = load_file(folder / "model.safetensors")
    assert all(torch.equal(weights, theirs[name]) for name, weights in model.items())
    tokenizer = folder / "tokenizer.json"  # two symbols change places: as many ids, with other meanings
    swapped = {"a": VOCABULARY["b"], "b": VOCABULARY["a"]}
    content = json.loads(tokenizer.read_text())
    content["model"]["vocab"] |= swapped
    tokenizer.write_text(json.dumps(content))
    start, model, drawn = started(folder, toy, section, seed=5)
    assert start.about()["weights"] == "layers and final norm"
    assert torch.equal(model[EMBEDDING], drawn[EMBEDDING])


def test_a_tied_donor_gives_its_embedding_to_both_matrices_of_the_same_vocabulary(train, toy, section):
    folder = train("first") / "model"
    weights = load_file(folder / "model.safetensors")
    del weights[HEAD]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"model: its weights lack 1, e\.g\. lm_head\.weight"):
        started(folder, toy, section)
    about = folder / "config.json"
    about.write_text(json.dumps(read_json(about) | {"tie_word_embeddings": True}))
    _, model, _ = started(folder, toy, section)
    assert torch.equal(model[HEAD], weights[EMBEDDING])
    assert torch.equal(model[EMBEDDING], weights[EMBEDDING])


def test_weights_in_several_files_are_those_of_one(toy, section, donor):
    _, whole, _ = started(donor, toy, section)
    weights = load_file(donor / "model.safetensors")
    (donor / "model.safetensors").unlink()
    names = sorted(weights)
    places = {name: f"part-{number % 2}.safetensors" for number, name in enumerate(names)}
    for part in set(places.values()):
        save_file({name: weights[name].half() for name in names if places[name] == part}, donor / part)
    (donor / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    _, model, _ = started(donor, toy, section)
    for name, weight in model.items():
        assert weight.dtype == torch.float32
        assert torch.allclose(weight, whole[name], atol=1e-3)


def test_training_says_where_it_started_and_the_same_start_gives_the_same_bytes(train, donor):
    out = train("one", "--init", str(donor))
    assert files(out) == files(train("two", "--init", str(donor)))
    about = read_json(out / "model" / "training.json")["init"]
    assert about["from"] == str(donor)
    card = (out / "model" / "README.md").read_text()
    assert f"| started from | layers and final norm of {donor} (SHA-256 {about['sha256'][:16]});" in card
    assert f"trained from weights of {donor} on the" in card
    plain = train("plain")
    assert "| started from | random weights |" in (plain / "model" / "README.md").read_text()
    assert read_json(plain / "model" / "training.json")["init"] is None
    assert (plain / "model" / "model.safetensors").read_bytes() != (out / "model" / "model.safetensors").read_bytes()


def test_a_model_of_the_same_language_starts_where_the_first_one_ended(train):
    first = train("first")
    again = train("again", "--init", str(first / "model"), "--seed", "3")
    assert float(log(again)[0]["train_loss"]) < float(log(first)[0]["train_loss"]) - 0.3


def test_a_stopped_training_does_not_go_on_from_another_start(train, donor, monkeypatch):
    step = module.Trainer._step

    def stop(self, batch):
        if self.state.step == 2:
            self.stopped_by = signal.SIGTERM
        return step(self, batch)

    whole = files(train("whole", "--init", str(donor)))
    monkeypatch.setattr(module.Trainer, "_step", stop)
    with pytest.raises(SystemExit):
        train("out", "--init", str(donor))
    monkeypatch.setattr(module.Trainer, "_step", step)
    with pytest.raises(ValueError, match=r"begun with init = 'weights [0-9a-f]{16}' cannot go on with None.*delete"):
        train("out")
    weights = load_file(donor / "model.safetensors")
    shutil.copytree(donor, donor.with_name("other"))
    weights["model.norm.weight"] += 1
    save_file(weights, donor.with_name("other") / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="begun with init = 'weights "):
        train("out", "--init", str(donor.with_name("other")))
    shutil.move(donor, donor.with_name("moved"))  # the place does not matter, the weights do
    moved = files(train("out", "--init", str(donor.with_name("moved"))))
    assert moved["model/model.safetensors"] == whole["model/model.safetensors"]


def test_donors_that_cannot_be_used_are_refused_in_one_line_before_training(train, toy, section, donor):
    def refused(message):
        with pytest.raises((ValueError, OSError), match=message) as error:
            train("out", "--init", str(donor))
        assert "\n" not in str(error.value)
        assert not (toy / "out").exists()

    section["model"]["layers"] = 3
    refused(r"donor/config\.json: num_hidden_layers is 2, but lm\.model\.layers is 3")
    section["model"]["layers"] = 2
    file = donor / "model.safetensors"
    weights, content = load_file(file), file.read_bytes()
    save_file(weights | {"model.norm.weight": torch.ones(17)}, file)
    refused(r"model\.safetensors: model\.norm\.weight has the shape \(17,\); \(16,\) is expected")
    save_file({name: weight for name, weight in weights.items() if "layers.1" not in name}, file)
    refused(r"donor: its weights lack 9, e\.g\. model\.layers\.1\.")
    file.write_bytes(content[:100])
    refused(r"model\.safetensors: the weights cannot be read")
    file.unlink()
    torch.save(weights, donor / "pytorch_model.bin")
    refused(r"model\.safetensors: no such file; a start needs the weights as safetensors")
    shutil.rmtree(donor)
    refused(r"config\.json")
