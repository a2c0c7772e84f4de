# Features of EfficientNet-lite0, strides 8 and 16, of images of 128x128 pixels.
_base_ = ['../../../_base_/default_runtime.py', './feature_clusters.py']
model = dict(
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[127] * 3, std=[128] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        backbone=dict(
            type='EfficientNetLite0',
            out_indices=(2, 4),
            init_cfg=dict(
                type='Pretrained', checkpoint='data/weights/efficientnet_lite0.pth'
            ),
        ),
        in_channels=(40, 112),
    ),
)
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
