# MMPose's ResNet-18 as detector; the head doubles its 2x2 map four times.
_base_ = ['./autolink-equivariance_faces-64x64.py']
model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=18),
    head=dict(in_channels=512, upsample_channels=(256, 128, 64, 64)),
)
