# Features of VGG16, strides 4 and 8, of images of 128x128 pixels.
_base_ = ['../../../_base_/default_runtime.py', './feature_clusters.py']
model = dict(
    data_preprocessor=dict(  # RGB as Caffe's VGG16 expects it
        type='PoseDataPreprocessor',
        mean=[122.679, 116.669, 104.007],
        std=[1, 1, 1],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        backbone=dict(
            type='FrozenVGG',
            depth=16,
            layers=('relu3_3', 'relu4_3'),
            weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
        ),
        in_channels=(256, 512),
    ),
)
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
