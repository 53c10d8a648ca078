import resource

import pytest
import torch

from scripts.lm.loop import checkpoint
from scripts.lm.loop.checkpoint import Checkpointer, TrainState, best_path, load_newest, remove_lost, states

IDENTITY = {"lm.model.layers": 2, "seed": 1}


def save(folder, step):
    model = torch.nn.Linear(2, 2)
    with Checkpointer(folder, IDENTITY) as checkpointer:
        checkpointer.save(TrainState(step=step), model.state_dict(), torch.optim.AdamW(model.parameters()).state_dict())


def load(folder, identity=IDENTITY):
    found = load_newest(folder, identity)
    return None if found is None else found[1]


def test_the_newest_two_states_are_kept_and_the_newest_is_loaded(tmp_path):
    for step in (3, 20, 100):
        save(tmp_path, step)
    assert [path.name for path in states(tmp_path)] == ["step-000000100.pt", "step-000000020.pt"]
    assert load(tmp_path)["train_state"]["step"] == 100


def test_nothing_there_is_a_fresh_start(tmp_path):
    assert load(tmp_path / "none") is None


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "torn"])
def test_a_damaged_newest_state_is_skipped_with_a_warning(tmp_path, capsys, damage):
    save(tmp_path, 1)
    save(tmp_path, 2)
    newest = tmp_path / "step-000000002.pt"
    content = newest.read_bytes()
    if damage == "other":
        torch.save({"identity": IDENTITY}, newest)
    else:
        middle = len(content) // 2
        weight = torch.load(newest)["model"]["weight"].numpy().tobytes()
        assert weight in content
        torn = content.replace(weight, bytes(len(weight)))  # still a zip file, with other weights
        newest.write_bytes({"cut": content[:middle], "empty": b"", "torn": torn}[damage])
    assert load(tmp_path)["train_state"]["step"] == 1
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 2
    assert f"{newest} is damaged" in warnings[0]
    assert warnings[1].endswith(f"goes on from the state before it, {tmp_path / 'step-000000001.pt'}")


def test_training_does_not_start_anew_by_itself_where_every_state_is_damaged(tmp_path, capsys):
    for step in (1, 2):
        save(tmp_path, step)
        (tmp_path / f"step-{step:09d}.pt").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"none of its 2 training states can be read .* delete .* to train anew"):
        load(tmp_path)
    assert "goes on" not in capsys.readouterr().err


def test_another_runs_state_is_refused_naming_what_differs(tmp_path):
    save(tmp_path, 1)
    with pytest.raises(ValueError, match=rf"lm\.model\.layers = 2 cannot go on with 3; .* delete {tmp_path}"):
        load(tmp_path, {"lm.model.layers": 3, "seed": 2})


def test_code_in_a_state_file_is_not_run(tmp_path, capsys):
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    torch.save(
        {"identity": IDENTITY, "train_state": Evil(), "model": {}, "optimizer": {}}, tmp_path / "step-000000001.pt"
    )
    with pytest.raises(ValueError, match="none of its 1 training states can be read"):
        load(tmp_path)
    assert "ran" not in capsys.readouterr().out


def test_a_full_disk_is_one_clear_line_and_the_state_before_it_stays(tmp_path):
    save(tmp_path, 1)
    before = (tmp_path / "step-000000001.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # the kernel refuses writes, as on a full disk
    try:
        expected = r"step-000000002\.pt: .* cannot be written .*step-000000001\.pt, is intact"
        with pytest.raises(ValueError, match=expected):
            save(tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001.pt"]
    assert (tmp_path / "step-000000001.pt").read_bytes() == before
    assert load(tmp_path)["train_state"]["step"] == 1


def test_a_state_is_that_of_its_moment_though_it_is_written_while_training_goes_on(tmp_path):
    model = torch.nn.Linear(300, 300)
    train_state = TrainState(step=1, rows=[{"step": 1}])
    expected = model.weight.detach().clone()
    with Checkpointer(tmp_path, IDENTITY) as checkpointer:
        checkpointer.save(train_state, model.state_dict(), {})
        with torch.no_grad():
            model.weight.zero_()
        train_state.step = 2
        train_state.rows.append({"step": 2})
    state = load(tmp_path)
    assert torch.equal(state["model"]["weight"], expected)
    assert state["train_state"]["rows"] == [{"step": 1}]


def test_a_write_that_failed_in_the_background_is_told_at_the_next_state(tmp_path):
    (tmp_path / "file").write_text("where the folder should be")
    checkpointer = Checkpointer(tmp_path / "file", IDENTITY)
    checkpointer.save(TrainState(step=1), {}, {})
    with pytest.raises(ValueError, match=r"step-000000001\.pt: the training state cannot be written"):
        checkpointer.save(TrainState(step=2), {}, {})
    assert checkpointer.failed


def test_what_no_line_of_code_expected_is_raised_too(tmp_path, monkeypatch):
    def fail(folder, state):
        raise MemoryError("of the writing thread")

    monkeypatch.setattr(checkpoint, "save_state", fail)
    checkpointer = Checkpointer(tmp_path, IDENTITY)
    checkpointer.save(TrainState(step=1), {}, {})
    with pytest.raises(MemoryError, match="of the writing thread"):
        checkpointer.wait()


def test_a_state_of_an_earlier_format_is_refused_in_one_line(tmp_path):
    old = {"identity": IDENTITY, "position": {"step": 1}, "model": {}, "optimizer": {}}
    torch.save(old, tmp_path / "step-000000001.pt")
    with pytest.raises(ValueError, match=rf"step-000000001\.pt: .* format 1, .* format 2: delete {tmp_path}") as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_the_best_models_that_states_name_are_kept(tmp_path):
    for step, best in ((10, 8), (20, 18), (30, 18), (40, 39)):
        best_path(tmp_path, best).mkdir(exist_ok=True)
        save(tmp_path, step)
    assert sorted(path.name for path in tmp_path.glob("best-*")) == ["best-000000018", "best-000000039"]


def test_what_was_written_after_the_state_that_is_continued_is_removed(tmp_path):
    for step in (10, 20):
        save(tmp_path, step)
    for name in ("best-000000010", "best-000000015", "scaling/tokens-99", "scaling/tokens-101"):
        (tmp_path / name).mkdir(parents=True)
    remove_lost(tmp_path, TrainState(step=10, tokens=100, best_step=10))
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["best-000000010", "scaling", "scaling/tokens-99", "step-000000010.pt"]
