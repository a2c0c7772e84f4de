# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The baseline that looks at no image."""

from dataclasses import replace

import numpy as np

from .protocols import RegressionProtocol
from .samples import KeypointSamples


def without_inputs(
    protocol: RegressionProtocol, samples: KeypointSamples
) -> tuple[RegressionProtocol, KeypointSamples]:
    """Turn a protocol into its mean-pose baseline.

    A regression from no inputs with a constant term predicts the mean of the
    visible annotations (sides settled, if the protocol settles them).

    Args:
        protocol: Any protocol.
        samples: Any samples.

    Returns:
        The protocol and the samples of the baseline.
    """
    nothing = np.zeros((len(samples), 0, 2))
    return replace(protocol, center=0.0, bias=True), samples.with_discovered(nothing)
