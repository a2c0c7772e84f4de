# 16 keypoints of bees, cut out and framed, without a training.
num_keypoints = 16
_base_ = ['../_base_/cut_outs_128x128.py', '../../../_base_/datasets/bees.py']
tokens = dict(num_keypoints=num_keypoints, num_tokens=max(40, 4 * num_keypoints))
model = dict(head=tokens, train_cfg=dict(num_candidates=2 * num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=16, dataset=images)
