# 10 keypoints of a mouse, from frames of a film; scored on labeled ones of another.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_guarded_64x64.py',
    '../../../_base_/datasets/openfield_film.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
load, cut_out, *rest = _base_.pipeline
film = [load, dict(cut_out, scene=_base_.film_scene), *rest]
labeled = [load, dict(cut_out, scene=_base_.labeled_scene), *rest]
images = dict(num_keypoints=num_keypoints, pipeline=film)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
images = dict(num_keypoints=num_keypoints, pipeline=labeled)
val_dataloader = test_dataloader = dict(dataset=images)
