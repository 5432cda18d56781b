"""The value of an exact kernel with the gradient of a smooth twin.

Events and spikes are counted, and the data set's kernels compute in numpy: neither has a derivative.
A face in this package therefore computes twice: by the kernel that makes data sets, whose value it
returns to the bit, and by differentiable operations whose derivative is that of the kernel's result
(for discrete results, of its expectation).
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray


def exact_value(exact: NDArray[Any], smooth: torch.Tensor) -> torch.Tensor:
    """`exact` as a tensor of `smooth`'s type and device, with `smooth`'s gradient.

    Args:
        exact: what the kernel says.
        smooth: what differentiable operations say, of the same shape; finite.
    """
    value = torch.as_tensor(exact, dtype=smooth.dtype, device=smooth.device)
    return value + (smooth - smooth.detach())
