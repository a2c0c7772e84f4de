# EfficientNet-lite0 as frozen features of strides 8 and 16, and its preprocessing.
lite0 = dict(
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
