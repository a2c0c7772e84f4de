# A stack of the supervised hourglass as the detector.
_base_ = ['./lmdis-light_puppets-64x64.py']
model = dict(
    backbone=dict(
        _delete_=True,
        type='StackedHourglass',
        num_stacks=1,
        num_keypoints=None,
        order=2,
        channels=32,
        stem_channels=16,
        stem_stride=2,
    )
)
