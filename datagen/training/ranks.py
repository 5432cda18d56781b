"""Training on several processes at once, started by `torchrun`: who am I, and what do we all know.

The batch of a step is shared out between the processes, and a mean over pixels is one over the
pixels of all of them; so a run does not depend on their number but for rounding (and for batch
statistics, where a network has any).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch

# Functions in there have the group of all processes as a default, which is the one that exists when
# they are first imported: it would outlive its end, and its threads the interpreter's, which aborts.
import torch.distributed.nn
from torch import distributed, nn

from datagen.training.losses import pooled_mean


@dataclass(frozen=True, slots=True)
class Ranks:
    """One of `count` processes that train together."""

    number: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.number == 0

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum over all processes; no gradient passes."""
        value = value.detach().clone()
        if self.count > 1:
            distributed.all_reduce(value)
        return value

    def mean(self, values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """This process's part of the weighted mean over all of them.

        Scaled by the number of processes, as gradients are averaged over them afterwards.
        """
        if self.count == 1:
            return pooled_mean(values, weight)
        everything = self.total(weight.sum()).clamp_min(1e-6)
        return (values * weight).sum() * self.count / everything

    def agreed(self, value: float) -> float:
        """The first process's value, for decisions that all must take alike."""
        if self.count == 1:
            return value
        shared = [value]
        distributed.broadcast_object_list(shared, src=0)
        return shared[0]

    def average_gradients(self, model: nn.Module) -> None:
        """Give every process the mean of the gradients of all, in one message."""
        if self.count == 1:
            return
        weights = [w for w in model.parameters() if w.requires_grad]
        parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        everything = torch.cat([part.flatten() for part in parts])
        distributed.all_reduce(everything)
        means = (everything / self.count).split([w.numel() for w in weights])
        for w, mean in zip(weights, means, strict=True):
            w.grad = mean.view_as(w)


@contextlib.contextmanager
def joined_ranks(device: str) -> Iterator[Ranks]:
    """The processes that `torchrun` started, or this one alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Ranks()
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), count)
        distributed.barrier()  # one that leaves earlier takes the connections away from the others
    finally:
        distributed.destroy_process_group()
