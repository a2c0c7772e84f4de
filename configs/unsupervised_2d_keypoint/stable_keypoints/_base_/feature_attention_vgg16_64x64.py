# Attention to two finer maps of VGG16's features, of images of 64x64 pixels with small
# figures.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './feature_attention_vgg16.py',
]

batch_size = 4
model = dict(
    backbone=dict(backbone=dict(layers=('relu2_2', 'relu3_3')), in_channels=(128, 256)),
    head=dict(num_tokens=80, token_width=384),
    train_cfg=dict(num_candidates=32),
    test_cfg=dict(view_map_size=(64, 64)),
)
