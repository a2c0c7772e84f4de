# 10 keypoints of what moves of a mouse before a still camera, without a training.
num_keypoints = 10
_base_ = ['../_base_/cut_outs_128x128.py', '../../../_base_/datasets/mirror_mice.py']
tokens = dict(num_keypoints=num_keypoints, num_tokens=max(40, 4 * num_keypoints))
model = dict(head=tokens, train_cfg=dict(num_candidates=2 * num_keypoints))
load, cut_out, *rest = _base_.pipeline
cut_out = dict(cut_out, scene=_base_.scene, frame=False, single=False)
images = dict(num_keypoints=num_keypoints, pipeline=[load, cut_out, *rest])
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=16, dataset=images)
