# AFLW's faces of MTFL's test part, 80x80 pixels: 2,000 to train on without their points
# and to fit, 495 to score. The published protocol trains on 10,122 others.
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset', data_root='data/aflw', data_prefix=dict(img='images')
)
train_faces = dict(images, ann_file='aflw_train.json')
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_faces)
)
val_dataloader = dict(
    dataset=dict(fit=train_faces, score=dict(images, ann_file='aflw_test.json'))
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='aflw', variant='lmdis')
test_evaluator = val_evaluator
