# Drawn figures, K=16, by tokens that attend to two finer maps of VGG16, as the figures
# are small.
_base_ = [
    '../_base_/feature_attention_vgg16.py',
    '../../../_base_/datasets/puppets_64x64.py',
]
model = dict(
    backbone=dict(backbone=dict(layers=('relu2_2', 'relu3_3')), in_channels=(128, 256)),
    head=dict(num_tokens=80, num_keypoints=16, token_width=384),
    train_cfg=dict(num_candidates=32, num_selected=16),
    test_cfg=dict(view_map_size=(64, 64)),
)
train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=8)
test_dataloader = val_dataloader
