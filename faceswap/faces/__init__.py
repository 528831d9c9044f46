"""Faces: detection, landmarks, embeddings, geometry, extraction and face sets."""
