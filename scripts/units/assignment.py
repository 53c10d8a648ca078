"""The nearest centroid of every frame of a batch, where the features are."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from scripts.units.clustering import nearest


class NotFiniteError(ValueError):
    """The encoder gave NaN or infinite values."""

    def __init__(self) -> None:
        super().__init__("the encoder's features hold NaN or infinite values; units.precision fp32 may help")


class Assigner:
    """Assigns frames to centroids: utterance by utterance with numpy on the CPU, a whole batch at once on a GPU."""

    def __init__(self, centroids: np.ndarray):
        self.centroids = centroids  # float32 [K, D]
        self.on_device: torch.Tensor | None = None  # the same, on the features' device

    def start(self, features: torch.Tensor, kept: Sequence[slice]) -> Callable[[], list[np.ndarray]]:
        """Begin to assign a batch.

        Args:
            features: [B, T, D], of any floating dtype; distances are computed in fp32.
            kept: the frames of each row that are wanted.

        Returns:
            A function that waits for the units, uint16 [frames] per row.

        Raises:
            NotFiniteError: a feature is not a finite number; on a GPU the returned function raises it.
        """
        if features.device.type == "cpu":
            units = self._row_by_row(features, kept)
            return lambda: units
        return self.start_batch(features, kept)

    def _row_by_row(self, features: torch.Tensor, kept: Sequence[slice]) -> list[np.ndarray]:
        rows = [row[frames].float().numpy() for row, frames in zip(features, kept, strict=True)]
        if not all(np.isfinite(row).all() for row in rows):
            raise NotFiniteError
        return [nearest(row, self.centroids) for row in rows]

    def start_batch(self, features: torch.Tensor, kept: Sequence[slice]) -> Callable[[], list[np.ndarray]]:
        """As `start`, the batch at once and with one copy to the host, which holds the finite check as well."""
        gpu = features.device.type == "cuda"
        if self.on_device is None:
            self.on_device = torch.from_numpy(self.centroids).to(features.device)
        centroids = self.on_device
        distances = (centroids**2).sum(dim=1) - 2.0 * (features.float() @ centroids.T)  # [B, T, K]
        ends = torch.tensor([frames.stop for frames in kept])
        ends = ends.pin_memory().to(features.device, non_blocking=True) if gpu else ends
        padding = torch.arange(features.shape[1], device=features.device) >= ends[:, None]  # [B, T]
        finite = (torch.isfinite(features).all(dim=2) | padding).all()
        result = torch.cat([distances.argmin(dim=2).int().flatten(), finite.int()[None]])  # [B * T + 1]
        on_host = result.to("cpu", non_blocking=True)
        copied = torch.cuda.Event() if gpu else None
        if copied is not None:
            copied.record()
        shape = features.shape[:2]

        def finish() -> list[np.ndarray]:
            if copied is not None:
                copied.synchronize()
            if not on_host[-1]:
                raise NotFiniteError
            units = on_host[:-1].view(shape).numpy().astype(np.uint16)  # [B, T]
            return [row[frames].copy() for row, frames in zip(units, kept, strict=True)]

        return finish
