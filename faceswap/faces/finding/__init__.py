"""Where faces are, and their landmarks: dlib and MediaPipe behind one protocol, in pictures that lie in any way."""
