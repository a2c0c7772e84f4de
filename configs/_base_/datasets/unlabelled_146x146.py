# As unlabelled_128x128, 9 pixels wider on every side, which a model cuts off again
# after its warps (`crop_margin=9`), and without flips.
_base_ = ['./unlabelled_128x128.py']
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(146, 146)),
    dict(type='PackPoseInputs'),
]
test_pipeline = train_pipeline
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
