# Features of a small vision transformer of timm, of images of 224x224 pixels: cells of
# 14x14 pixels, or 16x16. A child says which, and with which mean and deviation.
_base_ = ['../../../_base_/default_runtime.py', './feature_clusters.py']
model = dict(
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        backbone=dict(
            type='TimmBackbone',
            out_indices=(-1,),
            model_args=dict(dynamic_img_size=True),
        ),
        in_channels=(384,),
    ),
)
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(224, 224)),
    dict(type='PackPoseInputs'),
]
