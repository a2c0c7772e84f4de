# 300-W without its labels in training, 68 points to fit and to score; MMPose's files.
_base_ = ['./labeled.py']
dataset_type = 'Face300WDataset'
faces = dict(
    type=dataset_type,
    data_root='data/300w',
    data_prefix=dict(img='images/'),
)
train_faces = dict(faces, ann_file='annotations/face_landmarks_300w_train.json')
test_faces = dict(faces, ann_file='annotations/face_landmarks_300w_test.json')
# The box of the face as the files give it, with a little room.
crop = dict(type='GetBBoxCenterScale', padding=1.25)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_faces)
)
val_dataloader = dict(dataset=dict(fit=train_faces, score=test_faces))
test_dataloader = val_dataloader
val_evaluator = dict(protocol='300w')
test_evaluator = val_evaluator
