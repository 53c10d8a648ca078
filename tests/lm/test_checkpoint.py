import resource

import pytest
import torch

from scripts.lm.checkpoint import Position, Saver, load_newest, states

IDENTITY = {"lm.model.layers": 2, "seed": 1}


def save(folder, step):
    model = torch.nn.Linear(2, 2)
    with Saver(folder, IDENTITY) as saver:
        saver.save(Position(step=step), model.state_dict(), torch.optim.AdamW(model.parameters()).state_dict())


def load(folder, identity=IDENTITY):
    found = load_newest(folder, identity)
    return None if found is None else found[1]


def test_the_newest_two_states_are_kept_and_the_newest_is_loaded(tmp_path):
    for step in (3, 20, 100):
        save(tmp_path, step)
    assert [path.name for path in states(tmp_path)] == ["step-000000100.pt", "step-000000020.pt"]
    assert load(tmp_path)["position"]["step"] == 100


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
    assert load(tmp_path)["position"]["step"] == 1
    assert "warning" in capsys.readouterr().err


def test_another_runs_state_is_refused_naming_what_differs(tmp_path):
    save(tmp_path, 1)
    with pytest.raises(ValueError, match=rf"lm\.model\.layers = 2 cannot go on with 3; .* delete {tmp_path}"):
        load(tmp_path, {"lm.model.layers": 3, "seed": 2})


def test_code_in_a_state_file_is_not_run(tmp_path, capsys):
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    torch.save({"identity": IDENTITY, "position": Evil(), "model": {}, "optimizer": {}}, tmp_path / "step-000000001.pt")
    assert load(tmp_path) is None
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
    assert load(tmp_path)["position"]["step"] == 1


def test_a_state_is_that_of_its_moment_though_it_is_written_while_training_goes_on(tmp_path):
    model = torch.nn.Linear(300, 300)
    position = Position(step=1, rows=[{"step": 1}])
    expected = model.weight.detach().clone()
    with Saver(tmp_path, IDENTITY) as saver:
        saver.save(position, model.state_dict(), {})
        with torch.no_grad():
            model.weight.zero_()
        position.step = 2
        position.rows.append({"step": 2})
    state = load(tmp_path)
    assert torch.equal(state["model"]["weight"], expected)
    assert state["position"]["rows"] == [{"step": 1}]


def test_a_write_that_failed_in_the_background_is_told_at_the_next_state(tmp_path):
    (tmp_path / "file").write_text("where the folder should be")
    saver = Saver(tmp_path / "file", IDENTITY)
    saver.save(Position(step=1), {}, {})
    with pytest.raises(ValueError, match=r"step-000000001\.pt: the training state cannot be written"):
        saver.save(Position(step=2), {}, {})
    assert saver.failed
