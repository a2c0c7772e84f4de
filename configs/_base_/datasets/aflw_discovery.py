# AFLW without its labels in training; eyes, nose and corners of the mouth, five of the
# 19 points of MMPose's files, to fit and to score.
_base_ = ['./labeled.py']
dataset_type = 'AFLWDataset'
faces = dict(
    type=dataset_type,
    data_root='data/aflw',
    data_prefix=dict(img='images/'),
)
train_faces = dict(faces, ann_file='annotations/face_landmarks_aflw_train.json')
test_faces = dict(faces, ann_file='annotations/face_landmarks_aflw_test.json')
# The box of the face as the files give it, with a little room.
crop = dict(type='GetBBoxCenterScale', padding=1.25)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_faces)
)
val_dataloader = dict(dataset=dict(fit=train_faces, score=test_faces))
test_dataloader = val_dataloader
val_evaluator = dict(protocol='aflw', keypoint_groups=[7, 10, 13, 15, 17])
test_evaluator = val_evaluator
