# Your own images, without annotations, by IMM. VGG16's weights: docs/data.md.
data_root = 'data/my_images'
num_keypoints = 10
_base_ = [
    '../_base_/imm_equivariance_64x64.py',
    '../../../_base_/datasets/folder.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(
    data_root=data_root, num_keypoints=num_keypoints, pipeline=_base_.pipeline
)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
