# 10 keypoints of a mouse in a film, cut out and framed, without a training.
num_keypoints = 10
_base_ = ['../_base_/cut_outs_128x128.py', '../../../_base_/datasets/openfield_film.py']
tokens = dict(num_keypoints=num_keypoints, num_tokens=max(40, 4 * num_keypoints))
model = dict(head=tokens, train_cfg=dict(num_candidates=2 * num_keypoints))
load, cut_out, *rest = _base_.pipeline
film = [load, dict(cut_out, scene=_base_.film_scene), *rest]
labeled = [load, dict(cut_out, scene=_base_.labeled_scene), *rest]
images = dict(num_keypoints=num_keypoints, pipeline=film)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
images = dict(num_keypoints=num_keypoints, pipeline=labeled)
val_dataloader = test_dataloader = dict(batch_size=16, dataset=images)
