"""The registry: complete, readable, and refused by entry and key when it is wrong."""

from pathlib import Path

import pytest
import yaml

from scripts.download.registry import REGISTRY, find, read_registry

CONTENT = yaml.safe_load(REGISTRY.read_text())


def written(folder: Path, **changes: object) -> Path:
    """The registry with one entry changed; None takes a key away."""
    content = {"hosts": CONTENT["hosts"], "datasets": {"tsc": {**CONTENT["datasets"]["tsc"], **changes}}}
    path = folder / "datasets.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_registry_is_complete_and_targets_are_distinct():
    datasets = read_registry()
    assert {"libriheavy-large", "librilight-large", "slm21", "tsc", "librispeech-lexicon"} <= set(datasets)
    files = [d.target(Path()) for d in datasets.values() if d.kind == "file"]
    assert len(set(files)) == len(files)
    assert datasets["librilight-small"].checksum.digest == "c49207eb86a8e8ac895561c37232041e"
    # LibriHeavy's cuts name their audio download/librilight/...: the download folder is their audio root.
    assert datasets["librilight-small"].target(Path("data")) == Path("data/download/librilight")


def test_a_host_is_replaced_by_mirrors_in_the_order_given():
    datasets = read_registry({"librilight": ["http://near/x/", "http://far"]})
    assert datasets["librilight-small"].urls == ("http://near/x/small.tar", "http://far/small.tar")
    assert datasets["slm21"].urls == CONTENT_SLM21
    with pytest.raises(ValueError, match=r"download\.hosts\.lybrilight is not a host"):
        read_registry({"lybrilight": ["http://near"]})


CONTENT_SLM21 = ("https://download.zerospeech.com/datasets/sLM21.dataset.zip",)


def test_an_unknown_dataset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no dataset is called 'tcs'; known: libriheavy-small"):
        find(read_registry(), "tcs")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "rar"}, "tsc.kind is 'rar'; it must be one of file, tar, tar.gz, zip"),
        ({"bytes": "many"}, "tsc.bytes is 'many'"),
        ({"host": "nowhere"}, "tsc.host is 'nowhere'"),
        ({"file": "../x.zip"}, "tsc.file is '../x.zip'; it must stay inside"),
        ({"to": "/etc"}, "tsc.to is '/etc'; it must stay inside"),
        ({"size": 3}, "tsc.size is not a known key"),
        ({"checksum": {"md5": "abc"}}, "a md5 has 32 digits, not 3"),
        ({"checksum": {"crc": "abc"}}, "crc is not one of md5, sha1, sha256"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, changes: dict[str, object], says: str):
    with pytest.raises(ValueError, match=r"datasets\.yaml") as error:
        read_registry(path=written(tmp_path, **changes))
    assert says in str(error.value)
