# The recipe: LMDIS at 64x64 pixels for minutes of one CPU core. Cheap views, bfloat16,
# wide features at a quarter of the size, a reconstruction that counts more and more;
# chosen on CelebA's fit set, see README.md.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    '../../lmdis/_base_/lmdis.py',
    '../../lmdis/_base_/wide_detector.py',
    './schedule.py',
]

momentum = 0.05
network = dict(type='LMDISHourglass', skip_convolutions=1, norm_momentum=momentum)
model = dict(
    backbone=_base_.wide_backbone,
    head=_base_.wide_head,
    generator=dict(
        type='LMDISGenerator',
        features=dict(
            network,
            encoder=((16,), (32,)),
            bottleneck=(32,),
            decoder=((32,), (16,), (16,)),
            stem_stride=2,
            final_activation=False,
        ),
        decoder=dict(
            network,
            encoder=((24,), (32,)),
            bottleneck=(32,),
            decoder=((32,), (32,), (24,)),
        ),
        sigmas=(0.0625, 0.125, 0.25),
        map_stride=2,
        norm_momentum=momentum,
    ),
    view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.006,
        rotation_std=10.0,
        brightness=0.1,
        contrast=0.2,
    ),
    losses=dict(
        concentration=dict(loss_weight=200.0),
        reconstruction=dict(type='SquaredErrorLoss', loss_weight=0.5),
    ),
)
