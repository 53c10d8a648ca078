"""A training ends when its dev loss falls no more, and keeps the best model."""

import signal

import pytest

from scripts.common.files import read_json
from scripts.lm.loop import trainer as module
from scripts.lm.loop.schedule import scaling_steps
from tests.lm.conftest import files, log


def test_training_ends_when_patience_does_and_keeps_the_best_model(train, section, toy, monkeypatch):
    section["training"] |= {"epochs": 5, "evaluations_per_epoch": 2, "patience": 3, "checkpoints_in_epoch_1": 8}
    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])  # the lowest after epoch 1; three evaluations without a lower one
    monkeypatch.setattr(module.Trainer, "dev_loss", lambda self: next(losses))
    out = train("whole")
    rows = [row for row in log(out) if row["dev_loss"]]
    assert [row["step"] for row in rows] == ["4", "8", "12", "16", "20"]
    about = read_json(out / "model" / "training.json")
    assert (about["steps"], about["best_step"], about["best_dev_loss"], about["epochs"]) == (20, 8, 2.0, 3)
    after_epoch_1 = max((out / "scaling").iterdir(), key=lambda p: int(p.name.removeprefix("tokens-")))
    best = (out / "model" / "model.safetensors").read_bytes()
    assert best == (after_epoch_1 / "model.safetensors").read_bytes()
    assert "| weights are those of | step 8, the lowest dev loss |" in (out / "model" / "README.md").read_text()

    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])  # stopped after the best and begun again: the same end
    step = module.Trainer._step

    def stop(self, batch):
        if self.state.step == 12:
            self.stopped_by = signal.SIGTERM
        return step(self, batch)

    monkeypatch.setattr(module.Trainer, "_step", stop)
    with pytest.raises(SystemExit):
        train("parts")
    monkeypatch.setattr(module.Trainer, "_step", step)
    assert files(train("parts")) == files(out)


def test_the_best_model_is_never_one_of_steps_that_were_lost(train, section, toy, monkeypatch):
    """Killed between a new best model and the next state, the run continues and measures other losses."""
    section["training"] |= {"epochs": 3, "evaluations_per_epoch": 2, "patience": 10}
    losses = [3.0, 2.0, 1.0]  # a best model after steps 4, 8 (with a state: the epoch ends) and 12 (without)
    monkeypatch.setattr(module.Trainer, "dev_loss", lambda self: losses.pop(0))
    step = module.Trainer._step

    def die(self, batch):
        if self.state.step == 12:
            raise KeyboardInterrupt  # leaves as a kill does: nothing is saved
        return step(self, batch)

    monkeypatch.setattr(module.Trainer, "_step", die)
    with pytest.raises(KeyboardInterrupt):
        train()
    folder = toy / "out" / "checkpoints"
    assert max(p.name for p in folder.glob("step-*.pt")) == "step-000000008.pt"
    assert sorted(p.name for p in folder.glob("best-*")) == ["best-000000008", "best-000000012"]
    best = (folder / "best-000000008" / "model.safetensors").read_bytes()

    monkeypatch.setattr(module.Trainer, "_step", step)
    losses[:] = [2.5, 2.5, 2.5, 2.5]  # what the lost steps had found does not come again
    out = train()
    about = read_json(out / "model" / "training.json")
    assert (about["best_step"], about["best_dev_loss"]) == (8, 2.0)
    assert (out / "model" / "model.safetensors").read_bytes() == best


def test_patience_may_end_a_training_inside_epoch_1(train, section, monkeypatch):
    section["training"] |= {"evaluations_per_epoch": 8, "patience": 2, "checkpoints_in_epoch_1": 4}
    losses = iter([1.0, 2.0, 2.0])
    monkeypatch.setattr(module.Trainer, "dev_loss", lambda self: next(losses))
    out = train()
    about = read_json(out / "model" / "training.json")
    assert (about["steps"], about["best_step"]) == (3, 1)
    assert len(list((out / "scaling").iterdir())) == len([s for s in scaling_steps(8, 4, 2) if s <= 3])
