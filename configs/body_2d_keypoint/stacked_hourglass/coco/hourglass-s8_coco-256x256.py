# The paper's network with COCO's 17 keypoints. Each stack is computed again in the
# backward pass, which takes a fraction of the memory.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_256x256.py']
model = dict(
    backbone=dict(num_keypoints=17, checkpointing='stack'),
    head=dict(num_keypoints=17, decoder=_base_.codec),
)
