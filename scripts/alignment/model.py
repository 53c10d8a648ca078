"""The acoustic model: Kaldi's HMM-GMM with three states per phone, and its file format.

The model has two ids per phone, word-initial and other, that share their states: an alignment then shows where each
word begins, also where pronunciations are ambiguous.

The files are arrays and JSON, no pickle: model.npz (Gaussians in Kaldi's parameters, transition log-probabilities),
model.json (phones, groups, trees, frame shift), phones.txt. Kaldi's classes take their state as plain arrays, so a
loaded model equals the saved one exactly.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import kaldi_hmm_gmm as khg
import numpy as np

from scripts.alignment.lexicon import SILENCE, base
from scripts.alignment.tree import Node, context_dependency
from scripts.common.files import read_json

STATES = 3  # per phone, silence included, without skips: the minimum duration in frames
FORMAT = 1
Gaussians = list[tuple[np.ndarray, np.ndarray, np.ndarray]]  # per state: weights [G], 1/variance, mean/variance [G, D]


def topology(num_phones: int) -> str:
    """Kaldi topology text: left-to-right phones of STATES states without skips."""
    states = [
        f"<State> {s} <PdfClass> {s} <Transition> {s} 0.5 <Transition> {s + 1} 0.5 </State>" for s in range(STATES)
    ]
    entry = "\n".join([*states, f"<State> {STATES} </State>"])
    ids = " ".join(map(str, range(1, num_phones + 1)))
    return f"<Topology>\n<TopologyEntry>\n<ForPhones> {ids} </ForPhones>\n{entry}\n</TopologyEntry>\n</Topology>\n"


@dataclass
class AcousticModel:
    """A monophone or triphone HMM-GMM. Its C++ members hold references to each other: keep the whole object alive.

    Attributes:
        phones: SIL, then the others; phone k > 0 has the inner ids 2 k (word-initial) and 2 k + 1.
        shared: groups of indices into `phones` that share their states.
        frame_shift_ms: hop of the features that it is trained on.
        trees: decision tree per group and state that maps triphones to mixtures; None: monophones.
    """

    phones: list[str]
    shared: list[list[int]]
    frame_shift_ms: float
    trees: list[list[Node]] | None = None
    context: khg.ContextDependency = field(init=False, repr=False)
    transitions: khg.TransitionModel = field(init=False, repr=False)
    gmm: khg.AmDiagGmm | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        inner = [sorted(i for phone in group for i in self.inner_ids(phone)) for group in self.shared]
        topo = khg.HmmTopology()
        topo.read(topology(2 * len(self.phones) - 1))
        if self.trees is None:
            self.context = khg.monophone_context_dependency_shared(inner, topo.get_phone_to_num_pdf_classes())
        else:
            self.context = context_dependency(self.trees, self.shared)
        self.set_transitions(khg.TransitionModel(self.context, topo))

    def inner_ids(self, phone: int) -> list[int]:
        """Kaldi's ids of phone k: word-initial, other. Silence has a single id."""
        return [1] if phone == 0 else [2 * phone, 2 * phone + 1]

    def set_transitions(self, transitions: khg.TransitionModel) -> None:
        """Set the transition model; tabulates phone, state and phone end per transition id, each [ids + 1]."""
        self.transitions = transitions
        ids = range(1, transitions.num_transition_ids + 1)
        self.phone_of = np.array([0, *(transitions.transition_id_to_phone(i) for i in ids)])
        self.state_of = np.array([0, *(transitions.transition_id_to_pdf(i) for i in ids)])
        self.ends_phone = np.array([False, *(transitions.is_final(i) for i in ids)])

    @property
    def num_states(self) -> int:
        """Number of distinct states, each with a mixture of Gaussians."""
        return self.transitions.num_pdfs

    @property
    def num_gaussians(self) -> int:
        """Number of Gaussians of all states."""
        return 0 if self.gmm is None else self.gmm.num_gauss

    def gaussians(self) -> Gaussians:
        """The mixtures as arrays."""
        assert self.gmm is not None
        state = self.gmm.__getstate__()
        return [(state[i], state[i + 1], state[i + 2]) for i in range(0, len(state), 3)]

    def set_gaussians(self, mixtures: Gaussians) -> None:
        """Replace the mixtures."""
        self.gmm = khg.AmDiagGmm.__new__(khg.AmDiagGmm)
        self.gmm.__setstate__(tuple(np.asarray(part, np.float32) for mixture in mixtures for part in mixture))
        self.gmm.compute_gconsts()


def save(model: AcousticModel, folder: Path) -> None:
    """Write model.npz, model.json and phones.txt into an existing folder; same model, same bytes."""
    mixtures = model.gaussians()
    state = model.transitions.__getstate__()
    np.savez(
        folder / "model.npz",
        counts=np.array([len(weights) for weights, _, _ in mixtures]),
        weights=np.concatenate([weights for weights, _, _ in mixtures]),
        inverse_variances=np.concatenate([part for _, part, _ in mixtures]),
        means_over_variances=np.concatenate([part for _, _, part in mixtures]),
        log_probs=np.array(state[6], np.float32),
        non_self_loop_log_probs=np.array(state[7], np.float32),
    )
    about = {
        "format": FORMAT,
        "frame_shift_ms": model.frame_shift_ms,
        "phones": model.phones,
        "shared": model.shared,
    }
    if model.trees is not None:
        about["trees"] = model.trees
    (folder / "model.json").write_text(json.dumps(about) + "\n", encoding="utf-8")
    (folder / "phones.txt").write_text("".join(f"{phone}\n" for phone in model.phones), encoding="utf-8")


def load(folder: str | Path) -> AcousticModel:
    """Load a model that `save` wrote; runs no code from the files.

    Raises:
        OSError: a file is missing.
        ValueError: naming the folder, if the files are damaged or inconsistent.
    """
    folder = Path(folder)
    about = read_json(folder / "model.json")
    try:
        if about["format"] != FORMAT or about["phones"][0] != SILENCE:
            raise ValueError(f"format {about['format']}, expected {FORMAT}")
        model = AcousticModel(about["phones"], about["shared"], about["frame_shift_ms"], about.get("trees"))
        with np.load(folder / "model.npz", allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        ends = np.cumsum(arrays["counts"])
        if len(ends) != model.num_states or ends[-1] != len(arrays["weights"]):
            raise ValueError(f"{len(ends)} states with {len(arrays['weights'])} Gaussians, expected {model.num_states}")
        names = ("weights", "inverse_variances", "means_over_variances")
        model.set_gaussians(list(zip(*(np.split(arrays[name], ends[:-1]) for name in names), strict=True)))
        state = list(model.transitions.__getstate__())
        if len(state[6]) != len(arrays["log_probs"]):
            raise ValueError(f"{len(arrays['log_probs'])} transitions, expected {len(state[6])}")
        state[6], state[7] = arrays["log_probs"].tolist(), arrays["non_self_loop_log_probs"].tolist()
        transitions = khg.TransitionModel.__new__(khg.TransitionModel)
        transitions.__setstate__(tuple(state))
        model.set_transitions(transitions)
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, numpy, zlib and Kaldi each raise their own
        raise ValueError(f"{folder}: not an acoustic model of this workflow ({error})") from None
    return model


def group_phones(phones: Sequence[str], examples: Sequence[int], minimum: int) -> list[list[int]]:
    """Groups of phones that share states: a rare phone joins the most frequent phone that differs in stress only.

    Args:
        phones: the inventory, SIL first.
        examples: occurrences of each phone in the sample.
        minimum: occurrences below which a phone is rare.

    Returns:
        Groups of indices into `phones`, each sorted.
    """
    group = list(range(len(phones)))
    for index, phone in enumerate(phones):
        siblings = [i for i, other in enumerate(phones) if base(other) == base(phone)]
        best = max(siblings, key=lambda i: (examples[i], -i))
        if examples[index] < minimum:
            group[index] = best
    return [[i for i in range(len(phones)) if group[i] == g] for g in sorted(set(group))]
