"""The integrate-and-fire neuron of Spike-FlowNet, with the gradient it is trained by.

Written here because the maintained libraries do not fit a network that reads the paper's
checkpoints: snnTorch's and SpikingJelly's neurons keep thresholds and potentials as buffers of the
state dict, and their resets do not pass the gradient that the paper's does.
"""

from __future__ import annotations

import torch


def integrate_and_fire(
    potential: torch.Tensor, current: torch.Tensor, threshold: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of neurons without leak.

    A neuron whose potential exceeds the threshold spikes and starts again from zero. Backwards, a
    spike counts as potential / threshold where it happened and as nothing elsewhere (Lee et al.,
    "Spike-FlowNet: Event-based Optical Flow Estimation with Energy-Efficient Hybrid Neural
    Networks", ECCV 2020).

    Args:
        potential: membrane potentials, any shape.
        current: input of this step, same shape.
        threshold: firing threshold, above zero.

    Returns:
        Potentials after the step, and spikes (0 or 1).
    """
    charged = potential + current
    fires = charged > threshold
    discharged = torch.where(fires, charged, 0)
    spikes = fires.to(charged.dtype) + (discharged - discharged.detach()) / threshold
    return charged - discharged, spikes
