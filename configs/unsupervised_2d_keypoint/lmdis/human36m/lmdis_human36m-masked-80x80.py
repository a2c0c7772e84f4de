# Human3.6M simplified without background, 16 keypoints, random warps as the second
# view. The weights are CelebA's, those for people are not published.
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../../../_base_/datasets/human36m_masked_146x146.py',
]
model = dict(head=dict(num_keypoints=16), generator=dict(num_keypoints=16))
images = dict(num_keypoints=16, pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=16, dataset=images)
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
val_evaluator = dict(variant='lmdis')
test_evaluator = val_evaluator
