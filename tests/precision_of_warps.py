# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What of ops is held to full precision: warps and padding."""

import torch
from precision import Case
from precision_of_maps import GEOMETRY, IMAGES, MAPS, POINTS, POSITIVE, SIZE

from mmkp.ops.warps import (
    affine,
    optical_flow,
    padding,
    samplers,
    thin_plate_kernel,
    thin_plate_spline,
    warp,
)

draw = torch.Generator().manual_seed(1)
MATRICES = samplers.random_affine_warp(2, SIZE, generator=draw).affine
SPLINE = samplers.random_lmdis_warp(2, SIZE, generator=draw).first
CONTROL, COEFFICIENTS = SPLINE.control_points, SPLINE.coefficients
TARGETS = CONTROL + 0.1 * torch.randn(2, len(CONTROL), 2, generator=draw)
FIELD = 3 * torch.randn(2, 2, SIZE[1], SIZE[0], generator=draw)


def of_warp(make):
    """Where a warp sends points, how far it is trusted, and the matrices of both."""

    def call(points, *parts):
        made = make(*parts)
        return made.points_to_source(points), made.validity(points), made

    return call


def spline(matrices, control, coefficients):
    return thin_plate_spline.ThinPlateSpline(
        matrices, control, coefficients, SIZE, 'shifted'
    )


def square(generate):
    return lambda: generate(2, SIZE, generator=torch.Generator().manual_seed(1))


CASES = {
    'warps.affine.AffineWarp': Case(
        of_warp(lambda matrices: affine.AffineWarp(matrices, SIZE).inverse()),
        (POINTS, MATRICES),
    ),
    'warps.affine.maps_to_source': Case(
        lambda maps, matrices: affine.maps_to_source(
            maps, affine.AffineWarp(matrices, (76, 48)), GEOMETRY
        ),
        (MAPS, MATRICES),
    ),
    'warps.optical_flow.FlowWarp': Case(
        of_warp(lambda flow: optical_flow.FlowWarp(flow, SIZE)), (POINTS, FIELD)
    ),
    'warps.padding.pad_with_border_mean': Case(
        lambda images: padding.pad_with_border_mean(images, (8, 4)),
        (IMAGES,),
        keeps_dtype=True,
    ),
    'warps.padding.paste_into_padding': Case(
        lambda images: padding.paste_into_padding(images, images[..., :1, :1], (8, 4)),
        (IMAGES,),
        keeps_dtype=True,
    ),
    'warps.padding.PaddedWarp': Case(
        of_warp(
            lambda *parts: padding.PaddedWarp(spline(*parts), (8, 4)),
        ),
        (POINTS, MATRICES, CONTROL, COEFFICIENTS),
    ),
    'warps.samplers.lmdis_spline': Case(
        lambda offsets: samplers.lmdis_spline(offsets, SIZE), (TARGETS - CONTROL,)
    ),
    'warps.thin_plate_kernel.thin_plate_kernel': Case(
        thin_plate_kernel.thin_plate_kernel, (POINTS / 20, CONTROL)
    ),
    'warps.thin_plate_kernel.solve_thin_plate_spline': Case(
        thin_plate_kernel.solve_thin_plate_spline, (CONTROL, TARGETS)
    ),
    'warps.warp.to_norm': Case(lambda x: warp.to_norm(x, SIZE), (POINTS,)),
    'warps.warp.to_pixels': Case(lambda x: warp.to_pixels(x, SIZE), (POINTS / 20,)),
    'warps.affine.affine_map': Case(
        lambda x, matrices: affine.affine_map(x, matrices),
        (POINTS, MATRICES),
        bound=1,
        gradient_bound=0.02,  # of warps, which call it outside autocast
    ),
    'warps.warp.Warp': Case(
        lambda images, *parts: spline(*parts).images(images),
        (IMAGES, MATRICES, CONTROL, COEFFICIENTS),
        keeps_dtype=True,
    ),
    'warps.thin_plate_spline.ThinPlateSpline': Case(
        of_warp(spline), (POINTS, MATRICES, CONTROL, COEFFICIENTS)
    ),
    'warps.warp.ComposedWarp': Case(
        of_warp(
            lambda *parts: warp.ComposedWarp(
                spline(*parts), affine.AffineWarp(parts[0], SIZE)
            )
        ),
        (POINTS, MATRICES, CONTROL, COEFFICIENTS),
    ),
    'warps.affine.rotation_scale_shift': Case(
        lambda angle, scale, shift: affine.rotation_scale_shift(
            angle, scale, shift, SIZE
        ),
        (POINTS[0, :, 0], POINTS[0], POINTS[1]),
    ),
    **{
        f'warps.thin_plate_kernel.{name}_kernel': Case(kernel, (POSITIVE,))
        for name, kernel in thin_plate_kernel.KERNELS.items()
    },
    **{
        f'warps.{name}': Case(
            lambda x, make=make: (make(), x), (MAPS,), takes_half=False
        )  # its numbers are drawn in float32
        for name, make in {
            'samplers.random_affine_warp': square(samplers.random_affine_warp),
            'samplers.random_lmdis_warp': square(samplers.random_lmdis_warp),
            'thin_plate_spline.random_thin_plate_spline': square(
                thin_plate_spline.random_thin_plate_spline
            ),
        }.items()
    },
}
