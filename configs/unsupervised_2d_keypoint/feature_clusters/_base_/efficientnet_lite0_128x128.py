# Features of EfficientNet-lite0, strides 8 and 16, of images of 128x128 pixels.
_base_ = [
    '../../../_base_/default_runtime.py',
    './feature_clusters.py',
    './efficientnet_lite0.py',
]
model = _base_.lite0
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
