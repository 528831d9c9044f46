"""Pictures and video: frames in, frames and sound out."""
