# A light hourglass as detector: one stack, without heatmaps of its own, at half of the
# image's size.
_base_ = ['./autolink-equivariance_faces-64x64.py']
model = dict(
    backbone=dict(
        _delete_=True,
        type='StackedHourglass',
        num_stacks=1,
        num_keypoints=None,
        order=3,
        channels=32,
        stem_channels=16,
        stem_stride=2,
    ),
    head=dict(in_channels=32, upsample_channels=()),
)
