# The paper's network with COCO's 17 keypoints. Each stack is computed again in the
# backward pass, which takes a fraction of the memory.
num_keypoints = 17
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_boxes.py']
model = dict(
    backbone=dict(num_keypoints=num_keypoints, checkpointing='stack'),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
