# 10 keypoints of people who exercise, by AutoLink with equivariance.
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/actions_64x64.py',
]
# relu1_2, relu2_2 and relu3_3; the weights undo the size of Caffe's activations
model = dict(
    losses=dict(
        perceptual=dict(
            weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
            layers=('relu1_2', 'relu2_2', 'relu3_3'),
            layer_weights=(0.05, 0.2, 0.33),
        ),
        equivariance=dict(loss_weight=5.0),
        diversity=dict(window=3),
    )
)
param_scheduler = dict(begin=400, end=800)
train_cfg = dict(max_iters=800, val_interval=400)
