# Your own images of one kind of object, without labels: K=10 keypoints, and a metric
# that says whether they collapsed. 500 steps suit faces and people; give other objects
# more (train_cfg.max_iters, 4 a step).
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/unlabelled_128x128.py',
]
images = dict(data_root='data/my_images', pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=images)
test_dataloader = val_dataloader
