# Features of TinyCLIP's smallest image transformer, of images of 224x224 pixels: cells
# of 16x16 pixels, its own mean and deviation.
_base_ = ['../../../_base_/default_runtime.py', './feature_clusters.py']
model = dict(
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        backbone=dict(
            type='TimmBackbone',
            out_indices=(-1,),
            model_args=dict(dynamic_img_size=True),
        ),
        in_channels=(256,),
    ),
)
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(224, 224)),
    dict(type='PackPoseInputs'),
]
