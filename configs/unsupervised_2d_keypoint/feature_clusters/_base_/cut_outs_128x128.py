# Features of EfficientNet-lite0, strides 8 and 16, of the one object of each image, cut
# out of its background and framed, unsquashed on white ground in 128x128 pixels.
# Clusters of the background are no keypoints.
_base_ = [
    '../../../_base_/default_runtime.py',
    './feature_clusters.py',
    './efficientnet_lite0.py',
]
model = _base_.lite0
custom_hooks = [
    dict(type='ClusterTokensHook', num_images=500, figure_tolerance=0.12),
]
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='CutOutFigure'),
    dict(type='GetBBoxCenterScale', padding=1.1),
    dict(
        type='TopdownResize', input_size=(128, 128), keep_aspect_ratio=True, pad_val=255
    ),
    dict(type='PackPoseInputs'),
]
