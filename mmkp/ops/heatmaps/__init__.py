"""Maps of keypoints: softmax, soft-argmax, moments, Gaussians, peaks."""
