"""MediaPipe's face models: where faces are, the mesh of a face, its eyes."""
