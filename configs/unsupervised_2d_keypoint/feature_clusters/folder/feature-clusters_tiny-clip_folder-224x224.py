# The same by TinyCLIP (Wu et al., ICCV 2023); its file is timm's.
#     --cfg-options data_root="my photos" model.backbone.backbone.weights=FILE
data_root = 'data/my_images'
num_keypoints = 10
_base_ = ['../_base_/tiny_clip_224x224.py', '../../../_base_/datasets/folder.py']
tokens = dict(num_keypoints=num_keypoints, num_tokens=max(40, 4 * num_keypoints))
network = dict(model_name='vit_xsmall_patch16_clip_224')
candidates = dict(num_candidates=2 * num_keypoints)
model = dict(head=tokens, train_cfg=candidates, backbone=dict(backbone=network))
images = dict(
    data_root=data_root, num_keypoints=num_keypoints, pipeline=_base_.pipeline
)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=16, dataset=images)
