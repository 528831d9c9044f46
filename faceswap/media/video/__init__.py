"""Video: frames in and out, with the sound, times, tags and tracks of the file."""
