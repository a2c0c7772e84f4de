# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What every frozen network that tokens attend to has in common."""

from abc import abstractmethod

from torch import Tensor

from mmkp.models.token_attention.frozen_base import FrozenBase


class TokenAttention(FrozenBase):
    """A frozen network, and the attention of learned tokens to its features.

    Attributes:
        token_width: number C of channels of a token; None as long as the network is
            not read that tells it.
    """

    token_width: int | None

    @abstractmethod
    def forward(
        self, images: Tensor, tokens: Tensor, cached: bool = False
    ) -> list[Tensor]:
        """Compute attention logits.

        Args:
            images: network input, shape (B, 3, H, W).
            tokens: learned tokens, shape (N, C).
            cached: what the network makes of these images before tokens play a part
                may be kept on disk and taken from there.

        Returns:
            One tensor for each layer, shape (B, heads, h, w, N), at least float32,
            differentiable in the tokens; the attention of a cell is their softmax
            over the tokens.
        """
