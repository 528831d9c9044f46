"""Expression transfer: the generated face follows the target's lips, lids and gaze."""
