# The published setting on aligned faces, for a GPU, K=10. Made by
# tools/dataset_converters/faces68_to_coco.py --align similarity --size 146.
num_keypoints = 10
_base_ = ['../_base_/fse_128x128.py', '../../../_base_/datasets/faces_aligned.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, num_workers=4, dataset=images)
val_dataloader = test_dataloader = dict(num_workers=4, dataset=images)
