# Human3.6M simplified without background, 16 keypoints, random warps as the second
# view. The weights are CelebA's, those for people are not published.
num_keypoints = 16
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/human36m_masked.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
