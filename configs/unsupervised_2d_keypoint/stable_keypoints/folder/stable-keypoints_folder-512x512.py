# Your own images, without annotations. 500 steps suit faces and people; give
# other objects more (train_cfg.max_iters, 4 a step).
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10
_base_ = ['../_base_/stable_keypoints_512x512.py', '../../../_base_/datasets/folder.py']
model = dict(
    head=dict(num_keypoints=num_keypoints),
    train_cfg=dict(num_candidates=max(25, num_keypoints)),
)
images = dict(
    data_root=data_root, num_keypoints=num_keypoints, pipeline=_base_.pipeline
)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
